"""A sample of a table that passes by is the sample that a sorted table would give."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.data import time_order as module
from ratchet.data.time_order import TimeSample, time_order


@given(st.lists(st.one_of(st.none(), st.integers(0, 99)), max_size=60), st.booleans())
def test_rows_taken_by_their_order_are_sorted(times: list[int | None], nulls_last: bool) -> None:
    column = pl.Series("t", times, dtype=pl.Int64)
    order = time_order(column, nulls_last=nulls_last)
    assert (column if order is None else column.gather(order)).equals(column.sort(nulls_last=nulls_last), null_equal=True)


@pytest.mark.parametrize("size", [1, 7, 500])
@pytest.mark.parametrize("shuffled", [False, True])
def test_the_sample_is_evenly_spaced_whatever_the_pieces(size: int, shuffled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 50)
    table = pl.DataFrame({"t": range(500), "x": range(500, 1_000)}).sample(fraction=1.0, shuffle=shuffled, seed=3)
    sample = TimeSample(table.height, time_order(table["t"]), ["x"])
    for piece in table.iter_slices(size):
        sample.add(piece)
    assert sample.rows().equals(table.sort("t").gather_every(10).select("x"))


def test_without_columns_there_is_nothing_to_keep() -> None:
    sample = TimeSample(3, None, [])
    sample.add(pl.DataFrame({"x": [1, 2, 3]}))
    assert sample.rows().is_empty()
