"""Columns are brought to the type of the schema where that loses nothing, and reported where it would."""

from datetime import datetime

import polars as pl
import pytest

from ratchet.data.conform import Misfits, conform, convert, fitted
from ratchet.data.schema import ColumnSchema, Schema

SCHEMA = Schema({"a": ColumnSchema("integer"), "b": ColumnSchema("string")})


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2], "number", [1.0, 2.0]),
        ([1.0, 2.5, float("nan"), 1e300], "integer", [1, None, None, None]),
        (["1", " 2 ", "x", None], "number", [1.0, 2.0, None, None]),
        (["true", "no"], "boolean", [True, None]),
        ([0, 1, 2], "boolean", [False, True, None]),
        ([True, False], "integer", [1, 0]),
        ([17, 4], "string", ["17", "4"]),
        ([1.5], "string", [None]),
        (["2024-03-01", "soon"], "datetime", [datetime(2024, 3, 1), None]),
        ([3, 4], "datetime", [None, None]),
        ([None, None], "datetime", [None, None]),
    ],
)
def test_a_value_converts_only_to_its_equal(values: list[object], kind: str, expected: list[object]) -> None:
    assert convert(pl.Series("c", values), kind).to_list() == expected


def test_columns_come_in_the_order_of_the_schema_and_strangers_stay_out() -> None:
    raw = pl.DataFrame({"new": [1], "b": ["x"], "a": ["5"]})
    schema, findings = fitted(raw.schema, SCHEMA, {})
    assert conform(raw, schema).frame.to_dicts() == [{"a": 5, "b": "x"}]
    assert [(finding.check, finding.level, finding.column) for finding in findings] == [("extra column", "note", "new")]
    assert schema == SCHEMA


def test_a_new_column_is_added_to_the_schema_when_asked() -> None:
    raw = pl.DataFrame({"a": [1], "b": ["x"], "new": [2.5]})
    schema, findings = fitted(raw.schema, SCHEMA, {"new": ColumnSchema("number")})
    assert conform(raw, schema).frame.columns == ["a", "b", "new"]
    assert schema.columns["new"].type == "number"
    assert "was added" in findings[0].message


def test_a_missing_and_a_retyped_column_are_named() -> None:
    raw = pl.DataFrame({"a": ["x", "y", "3"]})
    schema, findings = fitted(raw.schema, SCHEMA, {})
    misfits = Misfits()
    for piece in (raw[:2], raw[2:]):
        misfits.add(piece, conform(piece, schema).misfits)
    assert [finding.sentence() for finding in [*findings, *misfits.findings(schema)]] == [
        "column 'b' is missing; restore it upstream, or remove it from the schema",
        "column 'a' is of type string (e.g. 'x') where the schema says integer; restore the type upstream, or change it in the schema",
    ]
    assert conform(raw, schema).misfits["a"].to_list() == [True, True, False]
