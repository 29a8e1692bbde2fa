from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from ratchet.errors import SchemaError
from ratchet.evaluation.slices import slice_rows


def test_quantiles_of_a_column_of_numbers_cover_every_row_once() -> None:
    values = np.random.default_rng(0).normal(size=1_000)
    slices = slice_rows(pl.DataFrame({"amount": values}), ["amount"])
    assert len(slices) == 4
    assert (np.sum(list(slices.values()), axis=0) == 1).all()


def test_missing_values_are_a_slice_of_their_own() -> None:
    frame = pl.DataFrame({"age": [None] * 150 + list(range(400))})
    assert slice_rows(frame, ["age"])["age is missing"].sum() == 150


def test_a_slice_with_few_rows_is_left_out() -> None:
    frame = pl.DataFrame({"country": ["de"] * 500 + ["li"] * 20})
    assert list(slice_rows(frame, ["country"])) == ["country = de"]


def test_times_are_cut_and_named_as_dates() -> None:
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(100)]
    names = list(slice_rows(pl.DataFrame({"day": days}), ["day"], minimum_rows=10))
    assert names[0] == "day from 2024-01-01 to 2024-01-25"


def test_a_constant_column_is_one_slice() -> None:
    assert list(slice_rows(pl.DataFrame({"x": [7.5] * 200}), ["x"])) == ["x = 7.5"]


def test_a_column_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SchemaError, match="did you mean 'country'"):
        slice_rows(pl.DataFrame({"country": ["de"]}), ["contry"])
