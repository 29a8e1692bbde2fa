"""Rows as a database's driver hands them over, made columns of the five kinds.

polars can make a table of rows too, but it settles types on what the first rows hold, and nests what it does not know. Here a column is
of the kind that the database declares, or of the one that all its values agree on, and what no kind can hold is an error that names the
column and what to write in the query.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any

import polars as pl

from ratchet.data.kinds import DTYPES
from ratchet.errors import SchemaError

BEYOND = 2.0**63
LONGEST_NAME = 255
_AGREEING: dict[str, set[type]] = {"boolean": {bool}, "integer": {int}, "number": {int, float, Decimal}, "datetime": {date, datetime}}
_AS_IT_IS: dict[str, set[type]] = {  # what polars takes without a look at each value
    "boolean": {bool},
    "integer": {int},
    "number": {float},
    "datetime": {datetime},
    "string": {str},
}
_NESTED = (bytes, bytearray, memoryview, list, dict, tuple, set, frozenset, timedelta)
_NESTED_NAMES = ("Range", "Multirange")  # a driver's own


def check_names(names: Sequence[str], where: str) -> None:
    """Refuse a result whose columns cannot be told apart.

    Raises:
        SchemaError: there is no column, or one has no name, another's, or one that is taken for a pattern of names or is too long.
    """
    if not names:
        raise SchemaError(f"{where} gives no column; select at least one")
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise SchemaError(f"{where}: column {number} has no name; give it one with AS")
        if name in names[: number - 1]:
            raise SchemaError(f"{where}: two columns are called {name!r}; rename one with AS")
        if (
            name == "*" or (name.startswith("^") and name.endswith("$")) or len(name) > LONGEST_NAME
        ):  # polars would take more columns for it
            raise SchemaError(f"{where}: column {number} is called {name[:60]!r}, which is no plain name; rename it with AS")


def table_of(rows: Sequence[Sequence[Any]], names: Sequence[str], declared: Mapping[str, str], where: str) -> pl.DataFrame:
    """Return rows as a table.

    Args:
        rows: At least one.
        names: Of the columns, all different.
        declared: Column to its kind, as far as the database says it; the others are of the kind of their values, or Null where
            there is none.
        where: What to call the source in an error.

    Raises:
        SchemaError: a value is nested, binary or a duration, or a number whose digits would be lost.

    >>> table_of([(1, None, Decimal("1.50")), (2, None, None)], ["a", "b", "c"], {}, "query").dtypes
    [Int64, Null, Float64]
    """
    columns = zip(*rows, strict=True)
    return pl.DataFrame([_column(name, values, declared.get(name), where) for name, values in zip(names, columns, strict=True)])


def kind_of_values(values: Sequence[object]) -> str:
    """Return the kind that all values agree on; empty where all are missing. An empty text is missing where no other is a text.

    >>> kind_of_values([1, None, 2.5, ""]), kind_of_values([1, "a"]), kind_of_values([True, 1]), kind_of_values([None])
    ('number', 'string', 'string', '')
    """
    found = set(map(type, values)) - {NoneType}
    if found == {str} or not found:
        return "string" if found else ""
    if str in found and not any(value for value in values if isinstance(value, str)):
        found.remove(str)
    return next((kind for kind, types in _AGREEING.items() if found <= types), "string")


def _column(name: str, values: Sequence[Any], kind: str | None, where: str) -> pl.Series:
    found = set(map(type, values)) - {NoneType}
    for kept in found:
        if issubclass(kept, _NESTED) or kept.__name__ in _NESTED_NAMES:
            raise SchemaError(
                f"{where}: column {name!r} holds values of type {kept.__name__}, which no model here takes; leave it out, "
                f"or select numbers or texts that are made of it"
            )
    kind = kind_of_values(values) if kind is None else kind
    if not kind:
        return pl.Series(name, values, dtype=pl.Null)
    try:
        if not found <= _AS_IT_IS[kind] or (kind == "datetime" and any(value.tzinfo for value in values if value is not None)):
            values = [None if value is None or value == "" else _MADE[kind](value) for value in values]
        return pl.Series(name, values, dtype=DTYPES[kind])
    except (ArithmeticError, TypeError, ValueError) as error:
        raise SchemaError(
            f"{where}: column {name!r} is of kind {kind} and holds {_misfit(values, kind)}, which does not fit (whole "
            f"numbers have 64 bits); select it as a text to keep it as it is, e.g. CAST({name} AS VARCHAR(100))"
        ) from error


def _misfit(values: Sequence[Any], kind: str) -> str:
    for value in values:
        try:
            pl.Series([None if value is None or value == "" else _MADE[kind](value)], dtype=DTYPES[kind])
        except (ArithmeticError, TypeError, ValueError):
            return repr(str(value)[:60])
    return "a value"


def _integer(value: Any) -> int:
    whole = int(value)
    if whole != value:
        raise ValueError
    return whole


def _number(value: Any) -> float:
    number = float(value)
    if not isinstance(value, float) and math.isfinite(number) and abs(number) >= BEYOND:
        raise OverflowError
    return number


def _boolean(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError
    return bool(value)


def _moment(value: Any) -> datetime:
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def _text(value: Any) -> str:
    return str(value.isoformat()) if isinstance(value, date) else str(value)


_MADE: dict[str, Callable[[Any], Any]] = {"boolean": _boolean, "integer": _integer, "number": _number, "datetime": _moment, "string": _text}
