"""The check of what a model is given, row by row where it must be: a wrong table is refused here and never guessed at.

A model that has lost a column would go on predicting, worse; so a missing or retyped column is an error that names the nearest one.
"""

from collections.abc import Mapping

import numpy as np
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
    chosen = frame.select(list(inputs))
    # A gateway's rows are canonical already, and to make them so again would cost as much as their features do.
    rows = chosen if list(chosen.schema.values()) == [DTYPES[kind] for kind in inputs.values()] else canonical(chosen)
    return pl.DataFrame([_checked(rows.get_column(name), kind) for name, kind in inputs.items()])


def _checked(column: pl.Series, kind: str) -> pl.Series:
    if column.dtype == pl.Float64 and kind == "number" and not column.null_count() and np.isfinite(column.to_numpy()).all():
        return column  # as a rule; the steps below cost a gateway several times as much
    return _typed(_finite(_present(column)), kind)


def _present(column: pl.Series) -> pl.Series:
    """Make an empty text null and NaN null."""
    if column.dtype == pl.String:
        empty = column == ""
        return column.set(empty, None) if empty.any() else column
    return column.fill_nan(None) if column.dtype == pl.Float64 and column.is_nan().any() else column


def _finite(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Float64 and (infinite := column.is_infinite()).any():
        row = infinite.arg_max() or 0
        raise SchemaError(f"column {column.name!r} is {column[row]} in row {row}; repair it, or leave it missing")
    return column


def _typed(column: pl.Series, kind: str) -> pl.Series:
    if column.dtype == DTYPES[kind]:
        return column
    if column.dtype == pl.Float64 and kind == "integer":
        whole = column.drop_nulls()
        if not (whole.floor() == whole).all():
            return column
    return column.cast(DTYPES[kind], strict=False)


def _first(column: pl.Series) -> object:
    present = column.drop_nulls()
    return present[0] if present.len() else None
