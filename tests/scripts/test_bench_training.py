"""The contenders of the bench of training learn the same network from the same rows."""

from pathlib import Path

import pytest

from ratchet.data.tables import dataset_info
from scripts import bench_training


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both splits, small."""
    at = tmp_path_factory.mktemp("bench")
    bench_training.write(at, 20_000)
    return at


def test_rows_are_the_same_from_run_to_run_and_differ_between_splits(folder: Path, tmp_path: Path) -> None:
    bench_training.write(tmp_path, 20_000)
    first, again = (dataset_info(at / "train") for at in (folder, tmp_path))
    assert first.content_digest == again.content_digest
    assert (first.rows, len(first.columns)) == (20_000, bench_training.COLUMNS)
    assert dataset_info(folder / "validation").content_digest != first.content_digest


@pytest.mark.slow
def test_both_learn_as_much_and_tell_what_it_took(folder: Path) -> None:
    usual, mine = (bench_training.measured(who, folder) for who in bench_training.CONTENDERS)
    assert mine["error"] == pytest.approx(usual["error"], rel=0.1)
    assert min(mine["seconds"], usual["seconds"], mine["read"], usual["read"]) > 0
    assert mine["peak"] > 100


def test_a_contender_that_fails_ends_the_bench(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="nobody ended with status 1"):
        bench_training.measured("nobody", tmp_path)


def test_a_row_says_rows_a_second_over_all_passes() -> None:
    found = {"read": 1.0, "seconds": 3.0, "cpu": 9.0, "peak": 1_200.0, "error": 0.125}
    assert bench_training.line("who", 1_000, found) == "| who | 1,000 | 1.0 | 3.0 | 1,000 | 9 | 1,200 | 0.1250 |"
