"""A window takes what lies in it, batch by batch as from one table, and says what is wrong with all of it."""

import itertools
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import ParameterError, SchemaError, SourceError
from ratchet.sources.window import TimeWindow

START = datetime(2024, 3, 1)
DAYS = pl.DataFrame({"id": range(10), "time": [START + timedelta(days=day) for day in range(10)]})


def taken(frame: pl.DataFrame, window: TimeWindow, size: int = 3) -> pl.DataFrame:
    return pl.concat(window.applied(frame.iter_slices(size), "days.csv"))


@given(st.integers(0, 10), st.integers(1, 10), st.integers(1, 11))
def test_windows_that_follow_each_other_share_no_row_and_lose_none(first: int, length: int, size: int) -> None:
    cuts = [None, START + timedelta(days=first), START + timedelta(days=first + length), None]
    found = []
    for since, until in itertools.pairwise(cuts):
        try:
            found += taken(DAYS, TimeWindow("time", since, until), size)["id"].to_list()
        except SourceError:
            continue
    assert found == list(range(10))


def test_rows_without_a_time_are_kept() -> None:
    gaps = DAYS.with_columns(pl.when(pl.col("id") != 4).then("time").alias("time"))
    assert taken(gaps, TimeWindow("time", START + timedelta(days=8), None))["id"].to_list() == [4, 8, 9]


def test_a_window_without_rows_says_from_when_to_when_there_are_some() -> None:
    with pytest.raises(SourceError, match=r"no row has 'time' in \[2030.*runs from 2024-03-01 00:00:00 to 2024-03-10 00:00:00; widen"):
        taken(DAYS, TimeWindow("time", datetime(2030, 1, 1), None))


def test_all_values_that_are_no_dates_are_counted_across_batches() -> None:
    texts = DAYS.with_columns(pl.col("time").dt.to_string("%Y-%m-%d"))
    assert taken(texts, TimeWindow("time"))["time"].to_list() == DAYS["time"].to_list()
    bad = texts.with_columns(pl.when(pl.col("id") % 4 == 1).then(pl.lit("soon")).otherwise("time").alias("time"))
    with pytest.raises(SchemaError, match=r"row 2 of time column 'time' holds 'soon', which is not a date \(and 2 more rows\)"):
        taken(bad, TimeWindow("time"))


def test_a_column_that_is_not_there_or_no_time_is_named() -> None:
    with pytest.raises(SchemaError, match="no time column 'tiem'; did you mean 'time'"):
        taken(DAYS, TimeWindow("tiem"))
    with pytest.raises(SchemaError, match="holds true and false"):
        taken(DAYS.with_columns(pl.col("id") > 3), TimeWindow("id"))
    with pytest.raises(ParameterError, match="holds numbers, the window bound is 2024-03-01"):
        taken(DAYS, TimeWindow("id", START, None))
    with pytest.raises(ParameterError, match="holds dates"):
        taken(DAYS, TimeWindow("time", 5.0, None))


def test_without_a_column_every_row_passes() -> None:
    assert taken(DAYS, TimeWindow()).equals(DAYS)
