"""Texts become what they are, or stay texts."""

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.data.parsing import parse_column, parse_times


@pytest.mark.parametrize(
    ("texts", "dtype"),
    [
        (["1", "-2", None, " 3 "], pl.Int64),
        (["1", "2.5", "1e-3"], pl.Float64),
        (["1.5", "nan", "inf"], pl.Float64),
        (["1", "NA", "null"], pl.Int64),
        (["true", "False", None], pl.Boolean),
        (["2024-03-01", None], pl.Datetime("us")),
        (["2024-03-01 12:30:00", "2024-03-01T12:30:00.5"], pl.Datetime("us")),
        (["007", "8"], pl.String),
        (["0.5", "0"], pl.Float64),
        (["12345678901234567890", "1"], pl.String),
        (["1", "x"], pl.String),
        (["1,5", "2"], pl.String),
        (["yes", "no"], pl.String),
        (["NA", "NA"], pl.String),
        (["31.12.2024"], pl.String),
        (["2024-02-30"], pl.String),
        ([None, None], pl.String),
    ],
)
def test_a_column_is_typed_only_where_every_value_agrees(texts: list[str | None], dtype: pl.DataType) -> None:
    assert parse_column(pl.Series("c", texts, dtype=pl.String)).dtype == dtype


def test_a_single_text_after_a_thousand_numbers_keeps_them_all_texts() -> None:
    column = pl.Series("c", [str(number) for number in range(3_000)] + ["oops"])
    assert parse_column(column).equals(column)


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), min_size=1))
def test_numbers_survive_their_own_text(numbers: list[float | None]) -> None:
    texts = pl.Series("c", [None if number is None else repr(number) for number in numbers], dtype=pl.String)
    if texts.null_count() < len(texts):
        assert parse_column(texts).to_list() == numbers


@given(st.lists(st.datetimes(min_value=datetime(1, 1, 1)), min_size=1))
def test_times_survive_their_own_text(times: list[datetime]) -> None:
    assert parse_times(pl.Series("t", [moment.isoformat(" ") for moment in times])).to_list() == times


def test_offsets_are_taken_to_utc() -> None:
    texts = pl.Series(["2024-03-01T12:00:00Z", "2024-03-01 12:00:00-05:00", "2024-03-01T12:00+0100", "2024-03-01"])
    assert [moment.hour for moment in parse_times(texts)] == [12, 17, 11, 0]
