"""The check of what a model is given, row by row where it must be: a wrong table is refused here and never guessed at.

A model that has lost a column would go on predicting, worse; so a missing or retyped column is an error that names the nearest one.
"""

from collections.abc import Mapping

import polars as pl

from ratchet.data.kinds import DTYPES, canonical, kind_of
from ratchet.errors import SchemaError, nearest

_TAKES = {"integer": ("integer", "number"), "number": ("integer", "number")}


def check_inputs(frame: pl.DataFrame, inputs: Mapping[str, str]) -> pl.DataFrame:
    """Return the named columns in canonical types.

    Args:
        frame: Rows with at least these columns.
        inputs: Kind of each column by its name. Integers and numbers stand for one another; a column of nothing but nulls is of any kind.

    Returns:
        Those columns, in the order of ``inputs``; NaN is null. An integer column that holds fractions stays Float64.

    Raises:
        SchemaError: a column is missing, doubled or of another kind, or holds an infinity.

    >>> check_inputs(pl.DataFrame({"amount": [1, None], "x": ["a", "b"]}), {"amount": "number"})["amount"].to_list()
    [1.0, None]
    """
    for name, kind in inputs.items():
        if name not in frame.columns:
            raise SchemaError(f"column {name!r} is missing; {nearest(name, frame.columns)}")
        dtype = frame.schema[name]
        if dtype != pl.Null and kind_of(dtype) not in _TAKES.get(kind, (kind,)):
            first = _first(frame[name])
            raise SchemaError(f"column {name!r} is {dtype} (first value {first!r}) where the model takes a {kind}; convert it")
    rows = canonical(frame.select(list(inputs)))
    for name, dtype in rows.schema.items():
        if dtype == pl.Float64 and rows[name].is_infinite().any():
            row = rows[name].is_infinite().arg_max() or 0
            raise SchemaError(f"column {name!r} is {rows[name][row]} in row {row}; repair it, or leave it missing")
    return rows.with_columns([_typed(rows[name], kind) for name, kind in inputs.items()])


def _typed(column: pl.Series, kind: str) -> pl.Series:
    if column.dtype == pl.Float64:
        column = column.fill_nan(None)
        whole = column.drop_nulls()
        if kind == "integer" and not (whole.floor() == whole).all():
            return column
    return column if column.dtype == DTYPES[kind] else column.cast(DTYPES[kind], strict=False)


def _first(column: pl.Series) -> object:
    present = column.drop_nulls()
    return present[0] if present.len() else None
