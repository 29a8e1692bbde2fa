"""The five kinds of column that Ratchet knows, and how a table of any polars types becomes one of these.

A file format has dozens of types, a model and a schema that people review need five. Everything that is stored is first made
canonical, so that a table read from CSV and the same table read from Parquet are the same table.
"""

import polars as pl

from ratchet.errors import SchemaError

DTYPES: dict[str, pl.DataType] = {
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "string": pl.String(),
    "datetime": pl.Datetime("us"),
}


def kind_of(dtype: pl.DataType) -> str:
    """Return the kind of a polars type, or an empty text where there is none (nested and binary types, durations).

    >>> kind_of(pl.Int8()), kind_of(pl.Decimal(9, 2)), kind_of(pl.Date()), kind_of(pl.List(pl.Int64()))
    ('integer', 'number', 'datetime', '')
    """
    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    if isinstance(dtype, pl.Date | pl.Datetime):
        return "datetime"
    return "string" if isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Time | pl.Null) else ""


def canonical(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with every column as one of the five kinds.

    Times with a zone become UTC without one; dates become midnight; an empty text becomes null, because a CSV file cannot tell
    the two apart.

    Args:
        frame: Any table.

    Returns:
        The same rows and names, typed Int64, Float64, Boolean, String or Datetime("us").

    Raises:
        SchemaError: a column is nested, binary or a duration, or holds integers beyond 64 bits.
    """
    return frame.with_columns([_canonical(name, dtype) for name, dtype in frame.schema.items()]) if frame.width else frame


def check_kinds(schema: pl.Schema, where: str) -> None:
    """Refuse a table with a column of no known kind.

    Raises:
        SchemaError: naming the first such column, its type, and the remedy.
    """
    for name, dtype in schema.items():
        if not kind_of(dtype):
            raise SchemaError(f"{where}: column {name!r} is of type {dtype}, which no model here takes; flatten it, or drop it")


def _canonical(name: str, dtype: pl.DataType) -> pl.Expr:
    kind = kind_of(dtype)
    if not kind:
        check_kinds(pl.Schema({name: dtype}), "table")
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    column = column.cast(DTYPES[kind])
    return pl.when(column != "").then(column).alias(name) if kind == "string" else column
