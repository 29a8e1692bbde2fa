"""A source that changes while it is read is refused: half of an export is no version of the data."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from tests.ratchet.sources.hostile.trial import Trial, faults_of_message

ROWS = 100_000
TABLE = pl.DataFrame({"id": range(ROWS), "x": [n * 0.5 for n in range(ROWS)], "s": [f"name {n % 997}" for n in range(ROWS)]})

LONG = pl.concat([TABLE] * 15)  # Parquet is read so fast that less is done before anything changes


@contextmanager
def meanwhile(act: Callable[[int], None]) -> Iterator[None]:
    """Act again and again, in a thread, as long as the block runs."""
    over = threading.Event()

    def go_on() -> None:
        number = 0
        while not over.wait(0.002):
            act(number := number + 1)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial() as process:
        yield process


def add(path: Path, row: str) -> Callable[[int], None]:
    def act(number: int) -> None:
        with path.open("a") as stream:
            stream.write(row.format(number))

    return act


def refused(trial: Trial, source: Path, home: Path, act: Callable[[int], None], says: str) -> None:
    home.mkdir()
    with meanwhile(act):
        report = trial.ask(source, home, door=True, once=True)
    assert report["outcome"] == "refused", report
    assert says in report["message"]
    assert not faults_of_message(report["message"])
    assert (report["out"], report["scratch"]) == ([], [])


def test_a_csv_file_that_grows_is_refused(trial: Trial, tmp_path: Path) -> None:
    TABLE.write_csv(tmp_path / "data.csv")
    refused(trial, tmp_path / "data.csv", tmp_path / "home", add(tmp_path / "data.csv", "{0},0.5,late\n"), "changed while it was read")


def test_json_lines_that_grow_are_refused(trial: Trial, tmp_path: Path) -> None:
    TABLE.write_ndjson(tmp_path / "data.jsonl")
    row = '{{"id":{0},"x":0.5,"s":"late"}}\n'
    refused(trial, tmp_path / "data.jsonl", tmp_path / "home", add(tmp_path / "data.jsonl", row), "changed while it was read")


def test_a_parquet_file_that_is_written_again_is_refused(trial: Trial, tmp_path: Path) -> None:
    LONG.write_parquet(tmp_path / "data.parquet")

    def again(number: int) -> None:
        TABLE[: number * 10].write_parquet(tmp_path / "other.parquet")
        (tmp_path / "other.parquet").rename(tmp_path / "data.parquet")

    refused(trial, tmp_path / "data.parquet", tmp_path / "home", again, "changed while it was read")


def test_a_folder_that_gets_a_part_is_refused(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    LONG.write_parquet(tmp_path / "parts" / "a.parquet")

    def another(number: int) -> None:
        TABLE[:5].write_parquet(tmp_path / "part.tmp")
        (tmp_path / "part.tmp").rename(tmp_path / "parts" / f"b{number}.parquet")

    refused(trial, tmp_path / "parts", tmp_path / "home", another, "changed while it was read")


@pytest.mark.slow
def test_a_source_that_rests_is_taken_after_it_was_refused(trial: Trial, tmp_path: Path) -> None:
    TABLE.write_csv(tmp_path / "data.csv")
    refused(trial, tmp_path / "data.csv", tmp_path / "home", add(tmp_path / "data.csv", "{0},0.5,late\n"), "changed while it was read")
    report = trial.ask(tmp_path / "data.csv", tmp_path / "home", door=True)
    assert report["outcome"] == "rows", report["message"]
    assert report["rows"] == (tmp_path / "data.csv").read_text().count("\n") - 1
