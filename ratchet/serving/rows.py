"""The rows of a request: checked against what the champion takes before a model sees them, column by column.

`FeatureSpec.matrix` checks a table too, and refuses it as a whole. Here rows of many clients meet in one batch, so each client's rows are
checked alone, and a refusal names the client's own column, row and value. A checker per column is made once per model, because a
request has half a millisecond and pydantic would take it all.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from ratchet.data.kinds import DTYPES
from ratchet.errors import RequestError, nearest
from ratchet.serving.details import NOTHING

MISSING = object()
INT64 = 2**63
EXACT = 2**53  # a double beyond it is no longer one whole number: the client's integer was rounded on its way
MAX_TEXT = 65_536
Row = Mapping[str, Any]
Checker = Callable[[Any], Any]
TAKES = {
    "integer": f"a whole number from {-INT64} to {INT64 - 1}",
    "number": "a finite number that a double can hold",
    "boolean": "true or false",
    "string": f"a text of at most {MAX_TEXT} characters",
    "datetime": 'a time like "2026-11-20T08:15:00" (ISO 8601; UTC where it names no zone)',
}


@dataclass(slots=True)
class Rows:
    """The rows of one request, checked.

    Attributes:
        request_id: Of the request; row i of several is recorded as ``<request_id>#<i>``.
        time: When the request came, unix seconds.
        key: Sticky key: who the request is about; empty for the request id.
        inputs: One mapping a row, every input of the champion in it; what the champion does not read may be there for its companion.
        version: The only version that may answer; empty for whichever the routing says.
        wants: Which `details` its client wants beside the predictions.
    """

    request_id: str
    time: float
    key: str
    inputs: Sequence[Row]
    version: str = ""
    wants: frozenset[str] = NOTHING

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.inputs)


class RowChecker:
    """Checks rows against a model's inputs.

    >>> RowChecker({"amount": "number", "shop": "string"}).check([{"shop": "a", "amount": 3}])
    [{'amount': 3.0, 'shop': 'a'}]
    >>> RowChecker({"amount": "number"}).check([{"amuont": 3}])
    Traceback (most recent call last):
    ...
    ratchet.errors.RequestError: row 0: no column 'amuont' in this model; did you mean 'amount'?
    """

    def __init__(self, inputs: Mapping[str, str], extra: Mapping[str, str] | None = None, *, max_rows: int = 4096) -> None:
        """Make the checkers.

        Args:
            inputs: Kind of each column that a row must have.
            extra: Kind of each column that it may have besides.
            max_rows: Most rows of one request.
        """
        self.inputs = dict(inputs)
        self.extra = {name: kind for name, kind in (extra or {}).items() if name not in inputs}
        self.max_rows = max_rows
        self._required = [(name, CHECKERS[kind]) for name, kind in self.inputs.items()]
        self._optional = [(name, CHECKERS[kind]) for name, kind in self.extra.items()]
        self._width = len(self.inputs)

    def check(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Return rows of named values in canonical Python types.

        Raises:
            RequestError: there is no row or too many, or a column is missing, unknown or of another kind; it names row, column and value.
        """
        self.check_count(len(rows))
        return [self._row(row, i) for i, row in enumerate(rows)]

    def check_count(self, count: int) -> None:
        """Refuse a request of no rows or too many.

        Raises:
            RequestError: saying how many are taken.
        """
        if count < 1:
            raise RequestError("the request has 0 rows; send at least one", status=422)
        if count > self.max_rows:
            raise RequestError(f"the request has {count} rows; send at most {self.max_rows} at once", status=422)

    def check_columns(self, columns: Mapping[str, Sequence[Any]], count: int) -> list[dict[str, Any]]:
        """Return the rows of named columns, each of ``count`` values.

        Raises:
            RequestError: as `check` does.
        """
        self.check_count(count)
        if count == 1:
            return [self._row({name: values[0] for name, values in columns.items()}, 0)]
        names = list(columns)
        return [self._row(dict(zip(names, values, strict=True)), i) for i, values in enumerate(zip(*columns.values(), strict=True))]

    def _row(self, row: Any, i: int) -> dict[str, Any]:
        if type(row) is not dict:
            raise RequestError(f"row {i} is {shown(row)}; send an object of named columns", status=422)
        checked: dict[str, Any] = {}
        for name, checker in self._required:
            value = row.get(name, MISSING)
            if value is not None:
                value = checker(value)
                if value is MISSING:
                    raise self._refusal(row, name, i)
            checked[name] = value
        if len(row) > self._width:
            self._take_extra(row, checked, i)
        return checked

    def _take_extra(self, row: Row, checked: dict[str, Any], i: int) -> None:
        for name, checker in self._optional:
            if name not in row:
                continue
            value = row[name]
            if value is not None:
                value = checker(value)
                if value is MISSING:
                    raise self._refusal(row, name, i)
            checked[name] = value
        for name in row:
            if name not in self.inputs and name not in self.extra:
                raise RequestError(f"row {i}: no column {shown(name)} in this model; {nearest(name[:200], self.inputs)}", status=422)

    def _refusal(self, row: Row, name: str, i: int) -> RequestError:
        kind = self.inputs.get(name) or self.extra[name]
        if name not in row:
            unknown = [other for other in row if other not in self.inputs and other not in self.extra]
            hint = nearest(name, [other[:200] for other in unknown[:50]]) if unknown else f"send {TAKES[kind]}, or null for missing"
            if unknown and hint.startswith("did you mean"):
                meant = hint.removeprefix("did you mean ").rstrip("?")
                return RequestError(f"row {i}: no column {meant} in this model; did you mean {name!r}?", status=422)
            return RequestError(f"row {i}: column {name!r} is missing; send {TAKES[kind]}, or null where the value is missing", status=422)
        return RequestError(f"row {i}: column {name!r} is {shown(row[name])}; send {TAKES[kind]}, or null for missing", status=422)


def frame_of(inputs: Sequence[Row], kinds: Mapping[str, str]) -> pl.DataFrame:
    """Return checked rows as one table.

    Args:
        inputs: Rows as `RowChecker` gives them, of one request or of all requests of a batch.
        kinds: Kind of each column to take; one that a row does not have is missing there.

    Returns:
        n rows of canonical types, in the order of ``kinds``.

    >>> frame_of([{"amount": 1.5}, {"amount": None}], {"amount": "number"})["amount"].to_list()
    [1.5, None]
    """
    # A fifth of what a Series for each column takes.
    return pl.from_dicts(inputs, schema={name: DTYPES[kind] for name, kind in kinds.items()})


def shown(value: Any, limit: int = 80) -> str:
    """Return a value as a message shows it: short, on one line, whatever a client sent.

    >>> shown("a" * 100, limit=10)
    "'aaaaaaaa…"
    """
    if isinstance(value, dict | list) and len(value) > 8:
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)} values"
    text = repr(value[: limit + 1] if isinstance(value, str) else value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _integer(value: Any) -> Any:
    if type(value) is int:
        return value if -INT64 <= value < INT64 else MISSING
    if type(value) is float and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    return MISSING


def _number(value: Any) -> Any:
    if type(value) is float:
        return value if math.isfinite(value) else MISSING
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return MISSING
    return MISSING


def _boolean(value: Any) -> Any:
    return value if type(value) is bool else MISSING


def _string(value: Any) -> Any:
    if type(value) is not str or len(value) > MAX_TEXT:
        return MISSING
    return value or None  # as in a table, where an empty text is a missing one


def _datetime(value: Any) -> Any:
    if type(value) is not str or not 10 <= len(value) <= 40:
        return MISSING
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError):
        return MISSING


CHECKERS: Mapping[str, Checker] = {"integer": _integer, "number": _number, "boolean": _boolean, "string": _string, "datetime": _datetime}
