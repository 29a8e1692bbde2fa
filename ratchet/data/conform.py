"""Brings a table into the columns and types of its schema, without losing a row or hiding a value that does not fit.

A column that arrives in another type is converted where every value means the same in the wanted type ("12" and 12); a value that
does not convert is reported by row, and a column of which hardly anything converts is a retyped column.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from ratchet.data.findings import Finding
from ratchet.data.kinds import DTYPES, kind_of
from ratchet.data.parsing import parse_booleans, parse_integers, parse_numbers, parse_times
from ratchet.data.schema import ColumnSchema, Schema

RETYPED = 0.5  # share of values that do not convert
PARSERS = {"integer": parse_integers, "number": parse_numbers, "boolean": parse_booleans, "datetime": parse_times}


@dataclass(frozen=True)
class Conformed:
    """Rows in the columns and types of their schema.

    Attributes:
        frame: The schema's columns, in its order, as far as they are there; rows as they came.
        misfits: By column, which rows hold a value that does not convert; such a value is null in `frame`.
    """

    frame: pl.DataFrame
    misfits: dict[str, pl.Series] = field(default_factory=dict)


def fitted(there: pl.Schema, schema: Schema, new: Mapping[str, ColumnSchema]) -> tuple[Schema, list[Finding]]:
    """Return the schema to hold a table against, and which columns are missing or too many.

    Args:
        there: The table's columns.
        schema: What it must look like.
        new: Columns that the schema does not know and that are to be added to it.
    """
    findings = [
        Finding("missing column", "table", name, f"column {name!r} is missing", "restore it upstream, or remove it from the schema")
        for name in schema.columns
        if name not in there
    ]
    findings += [_extra(name, name in new) for name in there if name not in schema.columns]
    return replace(schema, columns={**schema.columns, **new}) if new else schema, findings


def conform(raw: pl.DataFrame, schema: Schema) -> Conformed:
    """Return rows in the columns and types of a schema.

    Args:
        raw: Canonical rows.
        schema: What they must look like.
    """
    columns, misfits = [], {}
    for name, wanted in schema.columns.items():
        if name not in raw.columns:
            continue
        column = convert(raw[name], wanted.type)
        if column.dtype != raw[name].dtype and column.null_count() > raw[name].null_count():
            misfits[name] = column.is_null() & raw[name].is_not_null()
        columns.append(column)
    return Conformed(pl.DataFrame(columns), misfits)


class Misfits:
    """How many values of each column did not convert, counted over all rows.

    >>> misfits = Misfits()
    >>> raw = pl.DataFrame({"a": ["x", "y", "3"]})
    >>> misfits.add(raw, {"a": pl.Series([True, True, False])})
    >>> [finding.message for finding in misfits.findings(Schema({"a": ColumnSchema("integer")}))]
    ["column 'a' is of type string (e.g. 'x') where the schema says integer"]
    """

    def __init__(self) -> None:
        """Begin with no rows."""
        self._bad: dict[str, int] = {}
        self._present: dict[str, int] = {}
        self._examples: dict[str, tuple[str, object]] = {}

    def add(self, raw: pl.DataFrame, misfits: Mapping[str, pl.Series]) -> None:
        """Count rows: as they came, and which of them hold a misfit."""
        for column in raw.iter_columns():
            self._present[column.name] = self._present.get(column.name, 0) + len(column) - column.null_count()
        for name, bad in misfits.items():
            self._bad[name] = self._bad.get(name, 0) + int(bad.sum())
            self._examples.setdefault(name, (kind_of(raw[name].dtype), raw[name].filter(bad)[0]))

    def findings(self, schema: Schema) -> list[Finding]:
        """Return the columns of which hardly anything converted."""
        found = []
        for name in filter(self._bad.get, schema.columns):
            bad, (kind, example) = self._bad[name], self._examples[name]
            if bad / max(self._present[name], 1) <= RETYPED:
                continue
            message = f"column {name!r} is of type {kind} (e.g. {example!r}) where the schema says {schema.columns[name].type}"
            remedy = "restore the type upstream, or change it in the schema"
            found.append(Finding("retyped column", "table", name, message, remedy, bad))
        return found


def convert(column: pl.Series, kind: str) -> pl.Series:
    """Return a column in another kind; null where a value has no equal there.

    >>> convert(pl.Series(["1", "x", "2"]), "integer").to_list()
    [1, None, 2]
    >>> convert(pl.Series([1.0, 2.5]), "integer").to_list()
    [1, None]
    >>> convert(pl.Series([7, 8]), "string").to_list()
    ['7', '8']
    """
    have, dtype = kind_of(column.dtype), DTYPES[kind]
    if have == kind or column.null_count() == len(column):
        return column.cast(dtype, strict=False)
    if have == "string":
        return PARSERS[kind](column.str.strip_chars())
    if kind == "string" and have in ("integer", "boolean"):
        return column.cast(dtype)
    if have == "number" and kind == "integer":
        return column.set(column.is_null() | (column != column.round()), None).cast(dtype, strict=False)
    if have == "integer" and kind == "boolean":
        return column.set(~column.is_in([0, 1]), None).cast(dtype)
    if have in ("integer", "boolean") and kind in ("integer", "number"):
        return column.cast(dtype)
    return pl.Series(column.name, [None], dtype).new_from_index(0, len(column))


def _extra(name: str, accepted: bool) -> Finding:
    if accepted:
        return Finding("extra column", "note", name, f"column {name!r} is new and was added to the schema", "review it there")
    remedy = "add it to the schema, or set accept_new_columns"
    return Finding("extra column", "note", name, f"column {name!r} is not in the schema and was left out", remedy)
