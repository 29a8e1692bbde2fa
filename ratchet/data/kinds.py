"""The five kinds of column that Ratchet knows, and how a table of any polars types becomes one of these.

A file format has dozens of types, a model and a schema that people review need five. Everything that is stored is first made
canonical, so that a table read from CSV and the same table read from Parquet are the same table. What would lose digits or leave the
calendar on the way is an error that names the column and the value.
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
CALENDAR = (-62_135_596_800_000_000, 253_402_300_799_999_999)  # microseconds from 1970 to the ends of the years 1 and 9999
UNITS = {"ms": 1_000, "us": 1, "ns": 0.001}  # microseconds
YEAR = 31_556_952_000_000
EXACT = 2.0**53  # up to here a Float64 tells whole numbers apart
SAFE_DIGITS = 15  # before the point, of decimals that are all below EXACT


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


def canonical(frame: pl.DataFrame, where: str = "table") -> pl.DataFrame:
    """Return the table with every column as one of the five kinds.

    Times with a zone become UTC without one; dates become midnight; an empty text becomes null, because a CSV file cannot tell
    the two apart.

    Args:
        frame: Any table.
        where: What to call it in errors.

    Returns:
        The same rows and names, typed Int64, Float64, Boolean, String or Datetime("us").

    Raises:
        SchemaError: a column is nested, binary or a duration, holds whole numbers whose digits would be lost, or a time outside the years
            1 to 9999.
    """
    if not frame.width:
        return frame
    check_kinds(frame.schema, where)
    for column in frame.iter_columns():
        _refuse_loss(column, where)
    return frame.with_columns([_canonical(name, dtype) for name, dtype in frame.schema.items()])


def check_kinds(schema: pl.Schema, where: str) -> None:
    """Refuse a table with a column of no known kind.

    Raises:
        SchemaError: naming the first such column, its type, and the remedy.
    """
    for name, dtype in schema.items():
        if not kind_of(dtype):
            raise SchemaError(f"{where}: column {name!r} is of type {dtype}, which no model here takes; flatten it, or drop it")


def _is_canonical(column: pl.Series) -> bool:
    """Most tables have been here before, and to look is cheaper than to write them anew."""
    return column.dtype in DTYPES.values() and not (column.dtype == pl.String and (column == "").any())


def _canonical(name: str, dtype: pl.DataType) -> pl.Expr:
    kind = kind_of(dtype)
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    column = column.cast(DTYPES[kind])
    return pl.when(column != "").then(column).alias(name) if kind == "string" else column


def _refuse_loss(column: pl.Series, where: str) -> None:
    """Refuse values that would not be themselves as one of the five kinds."""
    dtype = column.dtype
    if isinstance(dtype, pl.Decimal) and (dtype.precision or 38) - dtype.scale > SAFE_DIGITS:
        numbers = column.cast(pl.Float64)
        large = numbers.abs() >= EXACT
        if large.any():
            _refuse_digits(column.filter(large & numbers.cast(dtype, strict=False).ne_missing(column)), where)
    elif isinstance(dtype, pl.UInt64 | pl.Int128 | pl.UInt128):
        _refuse_digits(column.filter(column.cast(pl.Int64, strict=False).is_null() & column.is_not_null()), where)
    elif isinstance(dtype, pl.Date | pl.Datetime):
        _refuse_outside_calendar(column, 86_400_000_000 if isinstance(dtype, pl.Date) else UNITS[dtype.time_unit], where)


def _refuse_digits(lost: pl.Series, where: str) -> None:
    if len(lost):
        remedy = "write it as text if it is a code, as a float if it is a quantity"
        raise SchemaError(f"{where}: column {lost.name!r} holds {lost[0]}, whose digits no number of 64 bits can hold; {remedy}")


def _refuse_outside_calendar(column: pl.Series, unit: float, where: str) -> None:
    moments = column.to_physical()
    for moment in (moments.min(), moments.max()):
        if isinstance(moment, int) and not CALENDAR[0] <= moment * unit <= CALENDAR[1]:
            held = f"column {column.name!r} holds a time of about the year {1970 + round(moment * unit / YEAR):,}"
            raise SchemaError(f"{where}: {held}, outside the calendar (years 1 to 9999); correct it, or leave unknown times empty")
