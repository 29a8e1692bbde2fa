"""The rows of a request: checked against what the champion takes before a model sees them, column by column.

`FeatureSpec.matrix` checks a table too, and refuses it as a whole. Here rows of many clients meet in one batch, so each client's rows are
checked alone, and a refusal names the client's own column, row and value. Rows are kept as columns, a list each, all the way: a column of
32 numbers is looked at in the time of two of its values. Only what is not plain is looked at value by value. How a column of a kind is
checked is in `ratchet.serving.values`, because a request has half a millisecond and pydantic would take it all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl
import pyarrow as pa

from ratchet.errors import RequestError, nearest
from ratchet.serving.details import NOTHING
from ratchet.serving.values import CHECKERS, REFUSED, TAKES, check_column
from ratchet.traffic.answers import ABSENT, Columns, row_of

Row = Mapping[str, Any]
ARROW: Mapping[str, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.large_string(),
    "datetime": pa.timestamp("us"),
}


@dataclass(slots=True)
class Rows:
    """The rows of one request, checked.

    Attributes:
        request_id: Of the request; row i of several is recorded as ``<request_id>#<i>``.
        time: When the request came, unix seconds.
        key: Sticky key: who the request is about; empty for the request id.
        inputs: n values by column: every input of the champion; what it does not read may be there for its companion, and is `ABSENT` in
            a row that did not bring it.
        version: The only version that may answer; empty for whichever the routing says.
        wants: Which `details` its client wants beside the predictions.
    """

    request_id: str
    time: float
    key: str
    inputs: Columns
    version: str = ""
    wants: frozenset[str] = NOTHING

    @property
    def n(self) -> int:
        """Number of rows."""
        return count_of(self.inputs)

    def value(self, place: int, column: str) -> Any:
        """Return a row's value of a column; None where it is missing or was not brought."""
        values = self.inputs.get(column)
        return None if values is None or values[place] is ABSENT else values[place]


class RowChecker:
    """Checks rows against a model's inputs.

    >>> RowChecker({"amount": "number", "shop": "string"}).check([{"shop": "a", "amount": 3}, {"shop": "", "amount": None}])
    {'amount': [3.0, None], 'shop': ['a', None]}
    >>> RowChecker({"amount": "number"}).check([{"amuont": 3}])
    Traceback (most recent call last):
    ...
    ratchet.errors.RequestError: row 0: no column 'amuont' in this model; did you mean 'amount'?
    """

    def __init__(self, inputs: Mapping[str, str], extra: Mapping[str, str] | None = None, *, max_rows: int = 4096) -> None:
        """Make the checker.

        Args:
            inputs: Kind of each column that a row must have.
            extra: Kind of each column that it may have besides.
            max_rows: Most rows of one request.
        """
        self.inputs = dict(inputs)
        self.extra = {name: kind for name, kind in (extra or {}).items() if name not in inputs}
        self.max_rows = max_rows

    def check(self, rows: Sequence[Any]) -> Columns:
        """Return the columns of rows of named values, in canonical Python types.

        Raises:
            RequestError: there is no row or too many, or a column is missing, unknown or of another kind; it names row, column and value.
        """
        self.check_count(len(rows))
        if not all(type(row) is dict for row in rows):
            raise self._refusal(rows)
        columns = {name: [row.get(name, ABSENT) for row in rows] for name in set().union(*rows)}
        return self._checked(columns, len(rows))

    def check_count(self, count: int) -> None:
        """Refuse a request of no rows or too many.

        Raises:
            RequestError: saying how many are taken.
        """
        if count < 1:
            raise RequestError("the request has 0 rows; send at least one", status=422)
        if count > self.max_rows:
            raise RequestError(f"the request has {count} rows; send at most {self.max_rows} at once", status=422)

    def check_columns(self, columns: Columns, count: int) -> Columns:
        """Return columns of ``count`` values each, in canonical Python types.

        Raises:
            RequestError: as `check` does.
        """
        self.check_count(count)
        return self._checked(columns, count)

    def _checked(self, columns: Columns, count: int) -> Columns:
        checked: dict[str, Sequence[Any]] = {}
        for name, kind in self.inputs.items():
            made = check_column(columns[name], kind) if name in columns else None
            if made is None:
                raise self._refusal(_rows_of(columns, count))
            checked[name] = made
        if len(columns) > len(checked):
            self._take_extra(columns, checked, count)
        return checked

    def _take_extra(self, columns: Columns, checked: dict[str, Sequence[Any]], count: int) -> None:
        for name, kind in self.extra.items():
            if name in columns:
                brought = [value for value in columns[name] if value is not ABSENT]
                made = check_column(brought, kind)
                if made is None:
                    raise self._refusal(_rows_of(columns, count))
                following = iter(made)
                checked[name] = made if len(made) == count else [value if value is ABSENT else next(following) for value in columns[name]]
        if len(columns) > len(checked):
            raise self._refusal(_rows_of(columns, count))

    def _refusal(self, rows: Sequence[Any]) -> RequestError:
        """Return what is wrong with the first row that something is wrong with."""
        for i, row in enumerate(rows):
            if type(row) is not dict:
                return RequestError(f"row {i} is {shown(row)}; send an object of named columns", status=422)
            for name, kind in (*self.inputs.items(), *((name, kind) for name, kind in self.extra.items() if name in row)):
                if name not in row or (row[name] is not None and CHECKERS[kind](row[name]) is REFUSED):
                    return self._refusal_of(row, name, i)
            for name in row:
                if name not in self.inputs and name not in self.extra:
                    return RequestError(f"row {i}: no column {shown(name)} in this model; {nearest(name[:200], self.inputs)}", status=422)
        raise AssertionError("these rows are as they should be")

    def _refusal_of(self, row: Row, name: str, i: int) -> RequestError:
        kind = self.inputs.get(name) or self.extra[name]
        if name not in row:
            unknown = [other for other in row if other not in self.inputs and other not in self.extra]
            hint = nearest(name, [other[:200] for other in unknown[:50]]) if unknown else f"send {TAKES[kind]}, or null for missing"
            if unknown and hint.startswith("did you mean"):
                meant = hint.removeprefix("did you mean ").rstrip("?")
                return RequestError(f"row {i}: no column {meant} in this model; did you mean {name!r}?", status=422)
            return RequestError(f"row {i}: column {name!r} is missing; send {TAKES[kind]}, or null where the value is missing", status=422)
        return RequestError(f"row {i}: column {name!r} is {shown(row[name])}; send {TAKES[kind]}, or null for missing", status=422)


def count_of(columns: Columns) -> int:
    """Return how many rows there are; 0 where there are no columns."""
    return next((len(values) for values in columns.values()), 0)


def frame_of(parts: Sequence[Columns], kinds: Mapping[str, str]) -> pl.DataFrame:
    """Return checked rows as one table.

    Args:
        parts: Columns as `RowChecker` gives them: of one request, or of each request of a batch.
        kinds: Kind of each column to take; one that a request does not have is missing in its rows.

    Returns:
        n rows of canonical types, in the order of ``kinds``.

    >>> frame_of([{"amount": [1.5]}, {"amount": [None, 2.0]}], {"amount": "number"})["amount"].to_list()
    [1.5, None, 2.0]
    """
    arrays = []
    for name, kind in kinds.items():
        values = list(chain.from_iterable([part[name] if name in part else [None] * count_of(part) for part in parts]))
        try:
            arrays.append(pa.array(values, ARROW[kind]))
        except pa.ArrowException:  # to look for what is absent in each batch would cost half of what the table does
            arrays.append(pa.array([None if value is ABSENT else value for value in values], ARROW[kind]))
    # By Arrow, because a polars Series for each column takes three times as long.
    return pl.DataFrame(pa.RecordBatch.from_arrays(arrays, names=list(kinds)))


def shown(value: Any, limit: int = 80) -> str:
    """Return a value as a message shows it: short, on one line, whatever a client sent.

    >>> shown("a" * 100, limit=10)
    "'aaaaaaaa…"
    """
    if isinstance(value, dict | list) and len(value) > 8:
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)} values"
    text = repr(value[: limit + 1] if isinstance(value, str) else value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _rows_of(columns: Columns, count: int) -> list[dict[str, Any]]:
    return [row_of(columns, place) for place in range(count)]
