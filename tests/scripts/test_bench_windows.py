"""The contenders of the bench of windows find the same values."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from scripts import bench_windows


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("theirs", [bench_windows.polars_rolling, bench_windows.pandas_rolling])
def test_polars_and_pandas_find_the_same_windows(
    real_data: Callable[[str], Path], tmp_path: Path, theirs: Callable[[Path], pl.DataFrame]
) -> None:
    frame = pl.read_parquet(real_data("fraud_handbook/transactions.parquet"))
    frame.filter(pl.col("CUSTOMER_ID") < 60).write_parquet(tmp_path / "some.parquet")
    mine, other = (made(tmp_path / "some.parquet").sort(bench_windows.KEY) for made in (bench_windows.ours, theirs))
    assert mine.width == 16
    assert set(mine.columns) == set(other.columns)
    assert bench_windows.farthest(mine, other) <= 1e-9


def test_a_value_that_is_missing_on_one_side_is_infinitely_far() -> None:
    whole = pl.DataFrame({bench_windows.KEY: [1, 2], "x": [4.0, None]})
    assert bench_windows.farthest(whole, whole.with_columns(x=pl.Series([5.0, None]))) == 0.25
    assert bench_windows.farthest(whole, whole.with_columns(x=pl.Series([4.0, 0.0]))) == float("inf")
