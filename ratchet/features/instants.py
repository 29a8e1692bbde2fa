"""A time column as numbers that can be compared, whether it holds datetimes or, as in some old data sets, numbers.

The one place that reads a boundary like ``2018-08-08`` or ``0.8`` and says what is wrong with it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.data.kinds import canonical
from ratchet.errors import ParameterError, SchemaError, nearest
from ratchet.features.durations import parse_duration

MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Instants:
    """The times of a table.

    Attributes:
        values: shape (rows,), microseconds since 1970 (int64) where the column holds datetimes, else its numbers.
        is_number: Whether the column holds numbers.
        column: Its name.
    """

    values: npt.NDArray[np.int64] | npt.NDArray[np.float64]
    is_number: bool
    column: str

    @classmethod
    def of(cls, frame: pl.DataFrame, column: str) -> "Instants":
        """Return the times of a column.

        Raises:
            SchemaError: it is not there, is neither a datetime nor a number, or has no value in some row.
        """
        if column not in frame.columns:
            raise SchemaError(f"no time column {column!r}; {nearest(column, frame.columns)}")
        times = canonical(frame.select(column))[column]
        if times.dtype not in (pl.Datetime("us"), pl.Int64, pl.Float64):
            first = times.drop_nulls()[0] if times.null_count() < times.len() else None
            raise SchemaError(
                f"time column {column!r} is {times.dtype} (first value {first!r}), which is no time; "
                f"write times like 2024-05-01 12:00:00, so that ingest reads them as such"
            )
        missing = times.is_null() | (times.is_nan() if times.dtype == pl.Float64 else False)
        if missing.any():
            raise SchemaError(f"time column {column!r} has no value in row {missing.arg_max()}; repair or remove such rows")
        return cls(times.to_physical().to_numpy(), times.dtype != pl.Datetime("us"), column)

    def parse(self, text: str, where: str) -> int | float:
        """Return a boundary in the unit of `values`.

        Raises:
            ParameterError: it is not written like the column's times.
        """
        try:
            if self.is_number:
                return float(text)
            moment = datetime.fromisoformat(text)
        except ValueError:
            example = "a number" if self.is_number else "a time like 2024-05-01 or 2024-05-01T12:00:00"
            raise ParameterError(f"{where} is {text!r}; time column {self.column!r} needs {example}") from None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return (moment - _EPOCH) // MICROSECOND

    def span(self, text: str, where: str) -> int | float:
        """Return a span of time in the unit of `values`; 0 for an empty text.

        Raises:
            ParameterError: the column holds numbers and the span is none.
            ExpressionError: the span is not written like 7d.
        """
        if not self.is_number:
            return parse_duration(text, where) // MICROSECOND
        try:
            return float(text or 0)
        except ValueError:
            raise ParameterError(f"{where} is {text!r}; time column {self.column!r} holds numbers, so give a number") from None

    def text(self, value: int | float) -> str:
        """Return an instant as text that `parse` reads back.

        >>> Instants.of(pl.DataFrame({"at": [datetime(2024, 5, 1, 12)]}), "at").text(1714564800000000)
        '2024-05-01T12:00:00'
        """
        return repr(float(value)) if self.is_number else (_EPOCH + int(value) * MICROSECOND).replace(tzinfo=None).isoformat()
