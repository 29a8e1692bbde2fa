"""What is counted of a table while it passes by piece by piece, so that it can be judged as a whole without being held."""

from collections import Counter
from datetime import datetime
from typing import Any

import polars as pl

from ratchet.data.conform import convert
from ratchet.data.kinds import kind_of
from ratchet.data.pieces import Pieces
from ratchet.data.row_checks import Span
from ratchet.data.schema import Schema
from ratchet.data.time_order import TimeSample, time_order


class Tally:
    """Counts over all rows of a table that conform to a schema.

    Attributes:
        rows: All rows.
        kept: Rows that passed the checks.
        missing: By column, rows without a value.
        labels: By label of the target, rows.
        targets: At most two different values of the target in rows that passed.
        newest: The latest time; None without one.
    """

    def __init__(self, pieces: Pieces, schema: Schema, times: pl.Series | None) -> None:
        """Prepare to count.

        Args:
            pieces: The table as it came.
            schema: What it is held against.
            times: From `times_of`.
        """
        self._schema = schema
        self.rows = self.kept = 0
        self.missing = dict.fromkeys((name for name in schema.columns if name in pieces.schema), 0)
        self.labels: Counter[str] = Counter()
        self.targets: list[Any] = []
        self.newest: Any = None
        self._time = schema.time if schema.time in self.missing else ""
        sampled = [name for name in self.missing if schema.columns[name].scale is not None or name == self._time]
        self._sample = TimeSample(pieces.height, None if times is None else time_order(times, nulls_last=True), sampled)

    def add(self, frame: pl.DataFrame, kept: pl.DataFrame) -> None:
        """Count rows.

        Args:
            frame: In the columns and types of the schema.
            kept: Those of them that passed.
        """
        for name in self.missing:
            self.missing[name] += frame[name].null_count()
        self._sample.add(frame)
        self.rows += frame.height
        self.kept += kept.height
        target = self._schema.target
        if target in self.missing:
            if self._schema.labels:
                counts = frame[target].drop_nulls().cast(pl.String).value_counts(name="\0rows")
                self.labels.update({label: rows for label, rows in counts.iter_rows() if label in self._schema.labels})
            if len(self.targets) < 2 and kept.height:
                self.targets = pl.Series([*self.targets, *kept[target].unique().head(2)]).unique(maintain_order=True).to_list()[:2]
        ends = [end for end in (self.newest, frame[self._time].max() if self._time else None) if end is not None]
        self.newest = max(ends, default=None)

    def sample(self) -> pl.DataFrame:
        """Return about 20,000 rows in the order of time: the columns with a scale, and the times."""
        return self._sample.rows()


def times_of(pieces: Pieces, schema: Schema) -> pl.Series | None:
    """Return a table's column of times as the schema wants it; None where there is none."""
    if schema.time not in pieces.schema or schema.time not in schema.columns:
        return None
    return convert(next(iter(pieces.columns([schema.time]))), schema.columns[schema.time].type)


def time_span(times: pl.Series | None) -> Span | None:
    """Return the 1st and the 99th percentile of times; None where there are none, or the column is one of numbers.

    >>> time_span(pl.Series([datetime(2024, 1, day) for day in range(1, 31)]))
    (datetime.datetime(2024, 1, 1, 0, 0), datetime.datetime(2024, 1, 30, 0, 0))
    """
    if times is None or kind_of(times.dtype) != "datetime":
        return None
    low, high = times.quantile(0.01, "nearest"), times.quantile(0.99, "nearest")
    return (low, high) if isinstance(low, datetime) and isinstance(high, datetime) else None  # type: ignore[unreachable]  # polars declares a quantile as a float


def repeated_keys(pieces: Pieces, schema: Schema) -> pl.Series | None:
    """Return in which rows a key is met again; None where in none.

    Keys are compared by a hash of eight bytes a row, and then, where two hashes are equal, by their values.

    Args:
        pieces: The table as it came.
        schema: With the columns of the key.

    >>> from ratchet.data.pieces import FramePieces
    >>> from ratchet.data.schema import ColumnSchema
    >>> repeats = repeated_keys(FramePieces(pl.DataFrame({"a": [1, 2, 1, None, None]})), Schema({"a": ColumnSchema("integer")}, key=("a",)))
    >>> repeats.to_list() if repeats is not None else None
    [False, False, True, False, False]
    """
    if not schema.key or not all(name in pieces.schema for name in schema.key):
        return None
    keys = pl.DataFrame([convert(column, schema.columns[column.name].type) for column in pieces.columns(schema.key)])
    hashes = keys.hash_rows()
    ordered = hashes.sort()
    twice = ordered.filter(ordered == ordered.shift(1))
    if twice.is_empty():
        return None
    suspects = hashes.is_in(twice.unique().implode())
    among = keys.filter(suspects)
    whole = pl.struct(schema.key) if len(schema.key) > 1 else pl.col(schema.key[0])
    again = among.select(~whole.is_first_distinct() & whole.is_not_null()).to_series()
    places = suspects.arg_true().filter(again)
    return pl.zeros(pieces.height, pl.Boolean, eager=True).scatter(places, True) if len(places) else None
