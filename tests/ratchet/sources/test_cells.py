"""What drivers hand over becomes columns of the five kinds, or an error that names the column."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import SchemaError
from ratchet.sources.cells import check_names, kind_of_values, table_of

EAST = timezone(timedelta(hours=9))


def column(values: list[object], kind: str | None = None) -> pl.Series:
    return table_of([(value,) for value in values], ["a"], {} if kind is None else {"a": kind}, "query")["a"]


@pytest.mark.parametrize(
    ("values", "dtype", "arrived"),
    [
        ([1, None, -(2**63), 2**63 - 1], pl.Int64, [1, None, -(2**63), 2**63 - 1]),
        ([1, 2.5, Decimal("0.1"), ""], pl.Float64, [1.0, 2.5, 0.1, None]),
        ([True, None], pl.Boolean, [True, None]),
        ([date(2024, 3, 1), datetime(2024, 3, 1, 1)], pl.Datetime("us"), [datetime(2024, 3, 1), datetime(2024, 3, 1, 1)]),
        ([datetime(2024, 3, 1, 9, tzinfo=EAST), datetime(2024, 3, 1, tzinfo=UTC)], pl.Datetime("us"), [datetime(2024, 3, 1)] * 2),
        ([UUID(int=1), time(10), "x", 5], pl.String, ["00000000-0000-0000-0000-000000000001", "10:00:00", "x", "5"]),
        (["1", "2"], pl.String, ["1", "2"]),
        ([True, 1], pl.String, ["True", "1"]),
        ([date(2024, 3, 1), "soon"], pl.String, ["2024-03-01", "soon"]),
        ([None, None], pl.Null, [None, None]),
    ],
)
def test_a_column_is_of_the_kind_that_its_values_agree_on(values, dtype, arrived):
    made = column(values)
    assert (made.dtype, made.to_list()) == (dtype, arrived)


@pytest.mark.parametrize(
    ("values", "kind", "arrived"),
    [
        ([None, None], "number", [None, None]),
        ([Decimal(3), None], "integer", [3, None]),
        ([Decimal("NaN"), Decimal("-Infinity"), Decimal("1e18")], "number", [float("nan"), float("-inf"), 1e18]),
        ([0, 1], "boolean", [False, True]),
        ([Decimal("12345678901234567890")], "string", ["12345678901234567890"]),
    ],
)
def test_a_declared_kind_holds_whatever_the_values_are(values, kind, arrived):
    made = column(values, kind)
    assert [str(value) for value in made] == [str(value) for value in arrived]
    assert made.dtype == {"number": pl.Float64, "integer": pl.Int64, "boolean": pl.Boolean, "string": pl.String}[kind]


@pytest.mark.parametrize("value", [b"x", memoryview(b"x"), [1], {"a": 1}, (1,), {1}, timedelta(1)])
def test_nested_and_binary_values_are_refused(value):
    with pytest.raises(SchemaError, match=f"column 'a' holds values of type {type(value).__name__}"):
        column([None, value])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2**63], None),
        ([-(2**63) - 1], "integer"),
        ([Decimal(2**64)], None),
        ([1, Decimal("1.5")], "integer"),
        ([2**64, 0.5], None),
        (["x"], "number"),
    ],
)
def test_what_would_lose_digits_names_the_value_and_the_remedy(values, kind):
    with pytest.raises(SchemaError, match=r"column 'a' is of kind .* and holds '.*' which does not fit|column 'a' .*CAST\(a AS VARCHAR"):
        column(values, kind)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "no column"),
        (["a", " "], "column 2 has no name"),
        (["a", "b", "a"], "two columns are called 'a'"),
        (["a", "*"], "no plain name"),
        (["^.*$"], "no plain name"),
        (["a" * 300], "no plain name"),
    ],
)
def test_columns_that_cannot_be_told_apart_are_refused(names, said):
    with pytest.raises(SchemaError, match=said):
        check_names(names, "query")


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1))
def test_whole_numbers_arrive_to_the_last_digit(values):
    assert column(values).to_list() == values


@given(st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dates(), st.decimals()), max_size=9))
def test_a_kind_does_not_hang_on_the_order_of_values(values):
    assert kind_of_values(values) == kind_of_values(values[::-1])
