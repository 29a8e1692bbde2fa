"""What lies at a path is read as what it is, and as one state of it."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from ratchet.errors import ParameterError, SourceError
from ratchet.sources.local_files import LocalSource, format_of

ROWS = pl.DataFrame({"id": [1, 2], "city": ["Oslo", "Bergen"]})


def rows(path: Path, **options: str) -> pl.DataFrame:
    return pl.concat(LocalSource(path, str(path), **options).batches())


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.csv", "csv"),
        ("a.tsv.gz", "csv"),
        ("a.JSONL", "jsonl"),
        ("a.ndjson.zst", "jsonl"),
        ("a.json", "jsonl"),
        ("a.pq", "parquet"),
        ("a", "csv"),
    ],
)
def test_the_name_says_the_format(name: str, found: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"id\n1\n")
    assert format_of(tmp_path / name) == found
    assert format_of(tmp_path) == "parquet"


def test_the_first_bytes_say_what_the_name_does_not(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "rows")
    assert rows(tmp_path / "rows").equals(ROWS)


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    ROWS.write_csv(tmp_path / "a.csv")
    (tmp_path / "a.txt").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS.to_dicts()))
    (tmp_path / "b.log").write_bytes((tmp_path / "b.jsonl").read_bytes())
    ROWS.write_parquet(tmp_path / "c.parquet")
    for name in ("a.csv", "a.txt", "b.jsonl", "c.parquet"):
        assert rows(tmp_path / name).equals(ROWS)
    assert rows(tmp_path / "b.log", format="jsonl").equals(ROWS)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    ROWS.write_csv(path)
    batches = LocalSource(path, "a.csv").batches()
    next(batches)
    with path.open("a") as file:
        file.write("3,Voss\n")
    with pytest.raises(SourceError, match=r"source 'a\.csv' changed while it was read; wait until whoever writes it is done"):
        list(batches)


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "a.parquet")
    with pytest.raises(ParameterError, match=r"'encoding' is 'cp1252', but source .* is Parquet"):
        LocalSource(tmp_path / "a.parquet", "a", encoding="cp1252")
    with pytest.raises(SourceError, match="is a folder; name one csv file in it"):
        LocalSource(tmp_path, "a", format="csv")
    with pytest.raises(SourceError, match=r"does not exist; did you mean 'a\.parquet'"):
        LocalSource(tmp_path / "a.parqet", "a")
