import math

import polars as pl
import pytest

from ratchet.errors import SchemaError
from ratchet.features.inputs import check_inputs


@pytest.mark.parametrize(
    ("frame", "kind", "message"),
    [
        ({"amuont": [1.0]}, "number", "'amount' is missing; did you mean 'amuont'"),
        ({"amount": ["12"]}, "number", r"'amount' is String \(first value '12'\) where the model takes a number"),
        ({"amount": [1.5]}, "string", "where the model takes a string"),
        ({"amount": [1]}, "boolean", "where the model takes a boolean"),
        ({"amount": [1]}, "datetime", "where the model takes a datetime"),
        ({"amount": [[1]]}, "number", "where the model takes a number"),
        ({"amount": [1.0, math.inf]}, "number", "'amount' is inf in row 1"),
        ({"amount": [1.0, 2.0, -math.inf]}, "integer", "'amount' is -inf in row 2"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_column_row_and_value(frame, kind, message):
    with pytest.raises(SchemaError, match=message):
        check_inputs(pl.DataFrame(frame), {"amount": kind})


def test_integers_and_numbers_stand_for_one_another_and_nothing_is_of_any_kind():
    assert check_inputs(pl.DataFrame({"x": [1]}), {"x": "number"})["x"].dtype == pl.Float64
    assert check_inputs(pl.DataFrame({"x": [1.0, None]}), {"x": "integer"})["x"].to_list() == [1, None]
    assert check_inputs(pl.DataFrame({"x": [1.5]}), {"x": "integer"})["x"].to_list() == [1.5]
    for kind, dtype in {"number": pl.Float64, "boolean": pl.Boolean, "datetime": pl.Datetime("us"), "string": pl.String}.items():
        assert check_inputs(pl.DataFrame({"x": [None, None]}), {"x": kind}).schema == {"x": dtype}


def test_nan_is_missing_and_other_columns_are_not_looked_at():
    rows = check_inputs(pl.DataFrame({"x": [math.nan, 1.0], "unused": [math.inf, 0.0]}), {"x": "number"})
    assert rows.to_dict(as_series=False) == {"x": [None, 1.0]}


def test_a_category_column_is_a_text():
    table = pl.DataFrame({"x": pl.Series(["a", "b"], dtype=pl.Categorical)})
    assert check_inputs(table, {"x": "string"})["x"].dtype == pl.String
