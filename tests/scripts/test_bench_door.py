"""The bench makes the same file each time, and each contender takes it."""

from pathlib import Path

import polars as pl
import pytest

from scripts.bench_door import CONTENDERS, OURS, measured, write_table


def test_the_table_is_the_same_each_time_and_as_long_as_asked(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", 1_000)
    write_table(tmp_path / "b.csv", 1_000)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert pl.read_csv(tmp_path / "a.csv").shape == (1_000, 35)


@pytest.mark.slow
def test_every_contender_takes_it_in_a_process_of_its_own(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", 2_000)
    for name in CONTENDERS:
        found = measured(name, tmp_path / "a.csv", tmp_path)
        assert 0 < found["work"] < found["whole"]
        assert found["peak"] > 10
    assert set(OURS) < set(CONTENDERS)
