"""The values that a request may bring: for each kind of column what is taken, one value at a time and a whole column at once.

A column of one plain type is known by the set of its values' types, and its range by its sum or its extremes; both are loops in C. What is
not so plain (a whole number among numbers, an empty text, a time) is looked at value by value, so the shortcut decides nothing by itself.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

REFUSED = object()
INT64 = 2**63
EXACT = 2**53  # a double beyond it is no longer one whole number: the client's integer was rounded on its way
MAX_TEXT = 65_536
Checker = Callable[[Any], Any]
NONE = type(None)
TAKES = {
    "integer": f"a whole number from {-INT64} to {INT64 - 1}",
    "number": "a finite number that a double can hold",
    "boolean": "true or false",
    "string": f"a text of at most {MAX_TEXT} characters",
    "datetime": 'a time like "2026-11-20T08:15:00" (ISO 8601; UTC where it names no zone)',
}


def check_column(values: Sequence[Any], kind: str) -> Sequence[Any] | None:
    """Return the values of a column in canonical Python types; None when one is not of its kind.

    Args:
        values: As parsed from JSON; a missing one is None.
        kind: Of the column: "integer", "number", "boolean", "string" or "datetime".

    >>> check_column([1, 2.5, None], "number")
    [1.0, 2.5, None]
    >>> check_column([1.0, True], "number") is None
    True
    """
    if kind in PLAIN and PLAIN[kind](values):
        return values
    checker = CHECKERS[kind]
    made = [None if value is None else checker(value) for value in values]
    return None if any(value is REFUSED for value in made) else made


def _plain_integers(values: Sequence[Any]) -> bool:
    return set(map(type, values)) == {int} and min(values) >= -INT64 and max(values) < INT64


def _plain_numbers(values: Sequence[Any]) -> bool:
    # Of numbers with one among them that is not finite, no sum is finite.
    return set(map(type, values)) <= {float, NONE} and math.isfinite(sum(filter(None, values)))


def _plain_booleans(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {bool, NONE}


def _plain_texts(values: Sequence[Any]) -> bool:
    return set(map(type, values)) == {str} and all(values) and max(map(len, values)) <= MAX_TEXT


def _integer(value: Any) -> Any:
    if type(value) is int:
        return value if -INT64 <= value < INT64 else REFUSED
    if type(value) is float and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    return REFUSED


def _number(value: Any) -> Any:
    if type(value) is float:
        return value if math.isfinite(value) else REFUSED
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return REFUSED
    return REFUSED


def _boolean(value: Any) -> Any:
    return value if type(value) is bool else REFUSED


def _string(value: Any) -> Any:
    if type(value) is not str or len(value) > MAX_TEXT:
        return REFUSED
    return value or None  # as in a table, where an empty text is a missing one


def _datetime(value: Any) -> Any:
    if type(value) is not str or not 10 <= len(value) <= 40:
        return REFUSED
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError):
        return REFUSED


CHECKERS: Mapping[str, Checker] = {"integer": _integer, "number": _number, "boolean": _boolean, "string": _string, "datetime": _datetime}
PLAIN: Mapping[str, Callable[[Sequence[Any]], bool]] = {
    "integer": _plain_integers,
    "number": _plain_numbers,
    "boolean": _plain_booleans,
    "string": _plain_texts,
}
