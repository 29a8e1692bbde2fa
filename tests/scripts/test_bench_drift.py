"""The contenders of the bench of drift work on the same tables and come to the same D."""

from pathlib import Path

import pytest

from scripts import bench_drift

pytestmark = pytest.mark.slow  # a process for each contender


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both tables, small, in three parts each."""
    at = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench_drift, "BLOCK", 700)
        bench_drift.write(at, 2_000)
    return at


def test_ours_and_scipy_find_the_same_d_of_each_column_of_numbers(folder: Path) -> None:
    mine, theirs = bench_drift.ours(folder), bench_drift.scipy_ks(folder)
    assert len(mine) == bench_drift.NUMBERS
    assert mine.keys() == theirs.keys()
    assert bench_drift.farthest(mine, theirs) <= 1e-12
    assert mine["number_00"] == max(mine.values()) > 0.08


def test_a_contender_in_a_process_of_its_own_tells_what_it_took(folder: Path) -> None:
    figures, distances = bench_drift.measured("**`compare_tables`**, every statistic", folder)
    assert distances == bench_drift.ours(folder)
    assert 0 < figures["work"] <= figures["whole"]
    assert figures["peak"] > 50


def test_a_contender_that_fails_ends_the_bench(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="a bare scan of both tables ended with status 1"):
        bench_drift.measured("a bare scan of both tables", tmp_path)


def test_a_row_holds_the_best_of_each_figure() -> None:
    rounds = [{"work": 2.0, "whole": 3.0, "cpu": 4.0, "peak": 1_500.0}, {"work": 2.5, "whole": 2.75, "cpu": 4.5, "peak": 1_400.0}]
    assert bench_drift.row("who", rounds, 1_000) == "| who | 1,000 | 2.00 | 2.75 | 4.00 | 1,400 |"
