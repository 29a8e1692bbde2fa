"""Whatever bytes arrive, the door answers with a whole Dataset or with an error of its own, and takes what a strict reader would take."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ratchet.sources.hostile.packed import zstd
from tests.ratchet.sources.hostile.trial import Trial, faults_of_message

pytestmark = pytest.mark.slow  # files by the hundred

TABLE = pl.DataFrame(
    {
        "id": range(30),
        "x": [None if n % 7 == 3 else n * 0.37 for n in range(30)],
        "note": [f'a "{n}", b\nc' if n % 5 == 0 else f"é{n}" for n in range(30)],
        "time": [f"2024-03-{1 + n % 28:02}T12:00:00+02:00" for n in range(30)],
    }
)
TOKENS = [
    b'"',
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b";",
    b"\t",
    b"{",
    b"]",
    b"\\",
    b"\xc3",
    b"e999",
    b"NaN",
    b"PAR1",
]


@cache
def valid(name: str) -> bytes:
    """Return a well-formed file, by the name that it bears."""
    memory = io.BytesIO()
    write = {"csv": TABLE.write_csv, "jsonl": TABLE.write_ndjson, "parquet": TABLE.write_parquet}[name.split(".")[1]]
    write(memory)
    return {"gz": gzip.compress, "zst": zstd}.get(name.split(".")[-1], bytes)(memory.getvalue())


@st.composite
def mutated(draw: st.DrawFn, name: str) -> bytes:
    """Draw a valid file after one to four small damages."""
    content = valid(name)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 40))
        damage = draw(st.sampled_from(["flip", "cut", "end", "token", "twice", "bytes"]))
        piece = content[at : at + length]
        change: dict[str, Callable[[], bytes]] = {
            "flip": lambda piece=piece: bytes(byte ^ 0x41 for byte in piece),
            "cut": lambda: b"",
            "end": lambda: b"",
            "token": lambda: draw(st.sampled_from(TOKENS)),
            "twice": lambda piece=piece: piece + piece,
            "bytes": lambda: draw(st.binary(max_size=8)),
        }
        content = content[:at] + change[damage]() + (b"" if damage == "end" else content[at + length :])
    return content


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial() as process:
        yield process


def meet(trial: Trial, folder: Path, name: str, content: bytes) -> dict[str, Any]:
    """Bring some bytes to the door and hold what comes of it to the rules for every file."""
    (folder / name).write_bytes(content)
    report = trial.ask(folder / name, folder, door=True, once=True, look=True, seconds=30.0)
    if report["outcome"] == "died" and "polars_parquet" in report["message"]:  # it aborts where a page claims more values than memory holds
        assert not (folder / "out" / "data").exists(), "half-visible"
        return report
    assert report["outcome"] in ("rows", "refused"), f"{report['outcome']}: {report['message']}"
    assert not report["scratch"]
    if report["outcome"] == "refused":
        assert not report["out"], "half-visible"
        assert not faults_of_message(report["message"]), report["message"]
    else:
        assert report["rows"] == report["stored"]
        assert report["seen"] == {"data": report["digests"][0]}
    return report


@pytest.mark.parametrize("name", ["data.csv", "data.jsonl", "data.parquet", "data.csv.gz", "data.csv.zst"])
def test_a_damaged_file_comes_in_whole_or_is_refused(name: str, trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> None:
    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(mutated(name))
    def hold(content: bytes) -> None:
        meet(trial, tmp_path_factory.mktemp("mutation"), name, content)

    hold()


raw = st.text(st.sampled_from('ab1.,,,"\n\n\ré'), max_size=30)


@given(st.sampled_from(["a,b\n", 'a,"b"\n', "a,b\r\n"]), raw)
def test_what_comes_in_is_what_a_strict_reader_reads(trial: Trial, tmp_path_factory: pytest.TempPathFactory, head: str, body: str) -> None:
    report = meet(trial, tmp_path_factory.mktemp("strict"), "data.csv", (head + body).encode())
    if report["outcome"] == "rows":
        rows = [row for row in csv.reader(io.StringIO(head + body, newline="")) if row][1:]
        assert report["rows"] == len(rows)
        for place, (name, values) in enumerate(report["values"].items()):
            texts = [
                row[place].strip() if place < len(row) else "" for row in rows[: len(values)]
            ]  # blanks after a quoted field are dropped
            if any(isinstance(value, str) for value in values):
                assert [(value or "").strip() for value in values] == texts, name
            else:
                assert [value is None for value in values] == [not text for text in texts], name
