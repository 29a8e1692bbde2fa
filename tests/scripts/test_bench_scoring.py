"""The contenders of the bench of batch scoring say the same of the same rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ratchet.data.tables import dataset_info
from scripts import bench_scoring

pytestmark = pytest.mark.slow  # trained models, a process for each contender


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short table, one ten times as long, in several parts, and both packages."""
    at = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench_scoring, "BLOCK", 2_500)
        bench_scoring.write(at, 3_000)
    return at


def test_the_tables_have_the_rows_and_columns_that_the_bench_tells_of(folder: Path) -> None:
    rows, ten_times = dataset_info(folder / "rows"), dataset_info(folder / "ten_times")
    assert (rows.rows, ten_times.rows) == (3_000, 30_000)
    assert len([name for name in rows.columns if name.startswith("column_")]) == bench_scoring.COLUMNS


@pytest.mark.parametrize(
    ("step", "alone", "apart"),
    [(bench_scoring.encode, bench_scoring.onnxruntime_alone, 1e-5), (bench_scoring.predict, bench_scoring.catboost_alone, 1e-9)],
)
def test_a_step_says_what_the_model_alone_says(folder: Path, step: Callable[..., tuple], alone: Callable[..., tuple], apart: float) -> None:
    (_, mine), (_, theirs) = step(folder), alone(folder)
    assert len(mine) == 3_000
    assert bench_scoring.farthest(mine, theirs) <= apart
    assert step(folder, "ten_times")[1][:2_500] == mine[:2_500]


def test_a_contender_in_a_process_of_its_own_tells_what_it_took(folder: Path) -> None:
    told = bench_scoring.measured(bench_scoring.ENCODE, folder)
    assert told["found"] == bench_scoring.encode(folder)[1]
    assert told["seconds"] > 0
    assert told["peak"] > 50


def test_a_contender_that_fails_ends_the_bench(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="onnxruntime alone, arrays in memory ended with status 1"):
        bench_scoring.measured(bench_scoring.ONNX, tmp_path)


def test_a_row_holds_the_best_of_each_figure() -> None:
    rounds = [{"seconds": 2.0, "peak": 1_500.0}, {"seconds": 2.5, "peak": 1_400.0}]
    assert bench_scoring.row("who", rounds, 1_000) == "| who | 1,000 | 2.00 | 500 | 1,400 |"
