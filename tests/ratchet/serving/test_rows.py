"""Rows: each kind takes what it is and nothing else, and a table of rows is what polars would have made."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import RequestError
from ratchet.serving.rows import RowChecker, frame_of, shown
from ratchet.traffic.answers import ABSENT

ONE = {"integer": 3, "number": 1.5, "boolean": True, "string": "a", "datetime": "2026-01-02T03:04:05"}


@pytest.mark.parametrize("kind", ONE)
@pytest.mark.parametrize("value", [3, 1.5, True, "a", "2026-01-02T03:04:05", [], {}])
def test_a_column_takes_its_own_kind_only(kind, value):
    fits = {
        "integer": type(value) is int,
        "number": type(value) in (int, float),
        "boolean": type(value) is bool,
        "string": type(value) is str,
        "datetime": value == ONE["datetime"],
    }[kind]
    checker = RowChecker({"x": kind})
    if fits:
        checker.check([{"x": value}])
    else:
        with pytest.raises(RequestError, match="column 'x'"):
            checker.check([{"x": value}])


def test_a_whole_number_that_a_double_has_rounded_is_no_integer():
    with pytest.raises(RequestError, match="column 'x'"):
        RowChecker({"x": "integer"}).check([{"x": float(-(2**63))}])
    assert RowChecker({"x": "integer"}).check([{"x": 4.0}]) == {"x": [4]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_what_no_double_holds_is_no_number(value):
    with pytest.raises(RequestError, match="column 'x'"):
        RowChecker({"x": "number"}).check([{"x": value}])


def test_a_zone_becomes_utc():
    checked = RowChecker({"at": "datetime"}).check([{"at": "2026-01-02T03:00:00+02:00"}])
    assert checked == {"at": [datetime(2026, 1, 2, 1)]}


def test_columns_that_only_the_companion_reads_may_be_there_and_are_checked():
    checker = RowChecker({"a": "number"}, {"b": "string"})
    assert checker.check([{"a": 1, "b": "x"}, {"a": 2}]) == {"a": [1.0, 2.0], "b": ["x", ABSENT]}
    with pytest.raises(RequestError, match="column 'b' is 7"):
        checker.check([{"a": 1, "b": 7}])


@given(st.lists(st.fixed_dictionaries({"a": st.none() | st.floats(allow_nan=False), "b": st.none() | st.text()}), max_size=5))
def test_a_table_holds_the_rows(rows):
    parts = [{name: [row[name] for row in part] for name in ("a", "b")} for part in (rows[:2], rows[2:])]
    frame = frame_of(parts, {"b": "string", "a": "number"})
    assert frame.columns == ["b", "a"]
    assert frame.select("a", "b").to_dicts() == rows


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=30))
def test_a_shown_value_is_short(value):
    assert len(shown(value)) <= 80


def test_an_extra_column_that_is_null_is_brought_nevertheless():
    checker = RowChecker({"amount": "number"}, {"risk": "number"})
    assert checker.check([{"amount": 1.0, "risk": None}, {"amount": 2.0}]) == {"amount": [1.0, 2.0], "risk": [None, ABSENT]}
