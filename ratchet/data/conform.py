"""Brings a table into the columns and types of its schema, without losing a row or hiding a value that does not fit.

A column that arrives in another type is converted where every value means the same in the wanted type ("12" and 12); a value that
does not convert is reported by row, and a column of which hardly anything converts is a retyped column.
"""

from dataclasses import dataclass, field

import polars as pl

from ratchet.data.findings import Finding
from ratchet.data.inference import infer_schema
from ratchet.data.kinds import DTYPES, kind_of
from ratchet.data.parsing import parse_booleans, parse_integers, parse_numbers, parse_times
from ratchet.data.schema import Schema

RETYPED = 0.5  # share of values that do not convert
PARSERS = {"integer": parse_integers, "number": parse_numbers, "boolean": parse_booleans, "datetime": parse_times}


@dataclass(frozen=True)
class Conformed:
    """A table in the columns and types of its schema.

    Attributes:
        frame: The schema's columns, in its order, as far as they are there; rows as they came.
        misfits: By column, which rows hold a value that does not convert; such a value is null in `frame`.
        schema: The schema, with new columns where they were accepted.
        findings: Missing, extra and retyped columns.
    """

    frame: pl.DataFrame
    misfits: dict[str, pl.Series] = field(default_factory=dict)
    schema: Schema = field(default_factory=lambda: Schema({}))
    findings: tuple[Finding, ...] = ()


def conform(raw: pl.DataFrame, schema: Schema, *, accept_new_columns: bool = False) -> Conformed:
    """Return a table in the columns and types of its schema.

    Args:
        raw: A canonical table.
        schema: What it must look like.
        accept_new_columns: Add columns that the schema does not know to it, instead of leaving them out.
    """
    findings = [
        Finding("missing column", "table", name, f"column {name!r} is missing", "restore it upstream, or remove it from the schema")
        for name in schema.columns
        if name not in raw.columns
    ]
    extra = [name for name in raw.columns if name not in schema.columns]
    if extra and accept_new_columns:
        new = infer_schema(raw.select(extra)).columns
        schema = Schema({**schema.columns, **new}, schema.key, schema.time, schema.target, schema.labels, schema.min_rows)
    findings += [_extra(name, accept_new_columns) for name in extra]
    columns, misfits = [], {}
    for name, wanted in schema.columns.items():
        if name not in raw.columns:
            continue
        column = convert(raw[name], wanted.type)
        bad = column.is_null() & raw[name].is_not_null() if column.dtype != raw[name].dtype else None
        if bad is not None and bad.any():
            misfits[name] = bad
            findings += _retyped(raw[name], bad, wanted.type)
        columns.append(column)
    return Conformed(pl.DataFrame(columns), misfits, schema, tuple(findings))


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


def _retyped(raw: pl.Series, bad: pl.Series, kind: str) -> list[Finding]:
    present = len(raw) - raw.null_count()
    share = bad.sum() / max(present, 1)
    if share <= RETYPED:
        return []
    example = raw.filter(bad)[0]
    message = f"column {raw.name!r} is of type {kind_of(raw.dtype)} (e.g. {example!r}) where the schema says {kind}"
    return [Finding("retyped column", "table", raw.name, message, "restore the type upstream, or change it in the schema", int(bad.sum()))]
