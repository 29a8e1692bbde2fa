"""Aggregates over time that know only what was known: a customer's last 7 days, a terminal's frauds a week ago.

A row sees the rows of the same entity whose time is in ``[t - delay - over, t - delay)``, so never itself, never a row of the same
instant, and with a delay only rows whose label has arrived by ``t``. SQL window functions and rolling means take the row itself in, and
one of them would have to be written again for each engine; this is one sort, two binary searches and a sum by doubling.

A sum over a range is not taken as the difference of two running sums, which loses the small sums of a long table to cancellation
(polars' rolling sum slides: of four times 0.1 it makes 0.425 where -10^15, 0.1 and 10^15 have passed before): sums of 1, 2, 4, …
neighbours are made once, and each range is put together from the binary digits of its length, by additions only.
Counts and whole numbers, of which running sums lose nothing, are the exception.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.errors import ExpressionError, SchemaError, nearest
from ratchet.features.durations import parse_duration

AGGREGATES = ("count", "sum", "mean", "min", "max")
OUTERMOST = {"min": (np.minimum, np.inf), "max": (np.maximum, -np.inf)}  # how the outermost of two is found, and what leaves every value
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """One declared aggregate.

    Attributes:
        name: Of the feature.
        by: Column of the entity whose rows are aggregated, e.g. a customer.
        aggregate: One of `AGGREGATES`.
        column: What is aggregated; empty only for "count", which then counts rows, else values that are not missing.
        over: How far back, e.g. "7d".
        delay: How long ago the youngest row must be, e.g. the delay of labels.
    """

    name: str
    by: str
    aggregate: str
    column: str = ""
    over: str = "7d"
    delay: str = ""

    def __post_init__(self) -> None:
        """Refuse a window that cannot be computed."""
        for part in fields(self):
            if not isinstance(getattr(self, part.name), str):
                raise ExpressionError(f"window {self.name!r}: {part.name} is {getattr(self, part.name)!r}; write a text")
        if not self.name or not self.by:
            raise ExpressionError(
                f"window {self.name or self!r} lacks {'by' if self.name else 'a name'}; write name, by, aggregate, column, over"
            )
        if self.aggregate not in AGGREGATES:
            raise ExpressionError(f"window {self.name!r}: no aggregate {self.aggregate!r}; {nearest(self.aggregate, AGGREGATES)}")
        if not self.column and self.aggregate != "count":
            raise ExpressionError(f"window {self.name!r}: {self.aggregate} of what? name a column of numbers")
        if self.span <= timedelta(0):
            raise ExpressionError(f"window {self.name!r}: over is {self.over!r}, which no row is in; write a span like 7d")
        _ = self.lag

    @property
    def span(self) -> timedelta:
        """``over`` as a span of time."""
        return parse_duration(self.over, f"window {self.name!r}: over")

    @property
    def lag(self) -> timedelta:
        """``delay`` as a span of time."""
        return parse_duration(self.delay, f"window {self.name!r}: delay")

    @property
    def definition(self) -> dict[str, str]:
        """The window as a mapping of texts, for a file."""
        return asdict(self)


def parse_windows(declared: Iterable[Mapping[str, Any]]) -> tuple[Window, ...]:
    """Return windows from mappings, as a pipeline's parameter gives them.

    Raises:
        ExpressionError: a mapping has an unknown or missing part, or two windows share a name.

    >>> parse_windows([{"name": "n_7d", "by": "customer", "aggregate": "count", "over": "7d"}])[0].span.days
    7
    """
    known = [part.name for part in fields(Window)]
    windows: list[Window] = []
    for number, mapping in enumerate(declared, start=1):
        if not isinstance(mapping, Mapping):
            raise ExpressionError(f"window {number} is {mapping!r}; write a mapping like {{name: n_7d, by: customer, aggregate: count}}")
        for part in mapping:
            if part not in known:
                raise ExpressionError(f"window {number}: unknown part {part!r}; {nearest(str(part), known)}")
        for part in ("name", "by", "aggregate"):
            if part not in mapping:
                raise ExpressionError(f"window {mapping.get('name', number)!r} lacks {part!r}; write name, by, aggregate, column, over")
        windows.append(Window(**mapping))
    names = [window.name for window in windows]
    for name in names:
        if names.count(name) > 1:
            raise ExpressionError(f"two windows are named {name!r}; give each a name of its own")
    return tuple(windows)


def compute_windows(frame: pl.DataFrame, windows: Sequence[Window], time_column: str) -> pl.DataFrame:
    """Return a table with one column a window, in the order of the table's rows.

    A count of nothing is 0; any other aggregate of nothing, and everything of a row without entity, is missing.

    Args:
        frame: Rows with the time column and every window's ``by`` and ``column``.
        windows: What to compute.
        time_column: A datetime or date column without missing values.

    Raises:
        ExpressionError: there is no time column, or a window aggregates something that is not a number.
        SchemaError: a column is not there, or a time is missing.

    >>> from datetime import datetime
    >>> days = [datetime(2024, 5, day) for day in (1, 2, 2, 9)]
    >>> rows = pl.DataFrame({"who": ["a", "a", "b", "a"], "at": days, "paid": [5.0, 7.0, 1.0, 2.0]})
    >>> paid = [Window("n", "who", "count", over="7d"), Window("mean", "who", "mean", "paid", over="8d")]
    >>> compute_windows(rows, paid, "at").rows()
    [(0, None), (1, 5.0), (0, None), (1, 6.0)]
    """
    if not windows:
        return pl.DataFrame()
    times = _times(frame, windows, time_column)
    results: dict[str, pl.Series] = {}
    for by in dict.fromkeys(window.by for window in windows):
        entity = _Entities(frame, by, times)
        for window in windows:
            if window.by == by:
                results[window.name] = entity.aggregate(window)
    return pl.DataFrame([results[window.name] for window in windows])


def _times(frame: pl.DataFrame, windows: Sequence[Window], time_column: str) -> Integers:
    if not time_column:
        raise ExpressionError(f"window {windows[0].name!r} needs to know when a row happened; set time_column")
    times = _column(frame, time_column, "time_column")
    if not isinstance(times.dtype, pl.Date | pl.Datetime):
        raise ExpressionError(
            f"window {windows[0].name!r}: time column {time_column!r} is {times.dtype}, not a datetime; "
            f"write times like 2024-05-01T12:00:00, so that ingest reads them as such"
        )
    if times.null_count():
        raise SchemaError(f"time column {time_column!r} is missing in row {times.is_null().arg_max()}; remove or repair such rows")
    micros = times.dt.replace_time_zone(None) if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone else times
    return np.asarray(micros.cast(pl.Datetime("us")).to_physical().to_numpy())


def _column(frame: pl.DataFrame, name: str, where: str) -> pl.Series:
    if name not in frame.columns:
        raise SchemaError(f"{where}: no column {name!r}; {nearest(name, frame.columns)}")
    return frame[name]


class _Entities:
    """The rows sorted by entity and time, and where the rows of any age begin among them."""

    def __init__(self, frame: pl.DataFrame, name: str, times: Integers) -> None:
        by = _column(frame, name, f"window {name!r}")
        codes = by.rank("dense").fill_null(0).to_numpy().astype(np.int64)
        self.known = by.is_not_null().to_numpy()
        self.order = np.lexsort((times, codes))
        self.instants, ranks = np.unique(times, return_inverse=True)
        # Entity and rank of the time in one integer: rows² stays below 2^63 where microseconds × entities would not.
        self.width = len(self.instants) + 1
        self.base = (codes * self.width)[self.order]
        self.ranks = ranks[self.order]
        self.keys = self.base + self.ranks
        self.begin = cache(self._begin)
        self.values: dict[str, Floats] = {}
        self.frame = frame

    def _begin(self, age: timedelta) -> Integers:
        """Return, for each row in sorted order, the place of its entity's first row at or after its own time less an age."""
        shifted = np.searchsorted(self.instants, self.instants - age // timedelta(microseconds=1))
        return np.searchsorted(self.keys, self.base + shifted[self.ranks])

    def aggregate(self, window: Window) -> pl.Series:
        """Return one window's values in the order of the table."""
        low, high = self.begin(window.lag + window.span), self.begin(window.lag)
        if not window.column:
            return self._in_table_order(window.name, (high - low).astype(np.float64), self.known, pl.Int64)
        if window.column not in self.values:
            self.values[window.column] = _numbers(self.frame, window)[self.order]
        values = self.values[window.column]
        present = ~np.isnan(values)
        counts = _range_sum(present.astype(np.float64), low, high)
        if window.aggregate == "count":
            return self._in_table_order(window.name, counts, self.known, pl.Int64)
        if window.aggregate in OUTERMOST:
            fold, neutral = OUTERMOST[window.aggregate]
            folded = _range_fold(np.where(present, values, neutral), low, high, fold, neutral)
        else:
            folded = _range_sum(np.where(present, values, 0.0), low, high)
        if window.aggregate == "mean":
            folded = folded / np.maximum(counts, 1)
        some = np.empty(len(counts), bool)
        some[self.order] = counts > 0
        return self._in_table_order(window.name, folded, self.known & some, pl.Float64)

    def _in_table_order(self, name: str, values: Floats, valid: npt.NDArray[np.bool_], dtype: type[pl.DataType]) -> pl.Series:
        placed = np.empty(len(values), np.float64)
        placed[self.order] = values
        column = pl.DataFrame({name: placed, "valid": valid})
        return column.select(pl.when(pl.col("valid")).then(pl.col(name)).cast(dtype, strict=False).alias(name))[name]


def _numbers(frame: pl.DataFrame, window: Window) -> Floats:
    column = _column(frame, window.column, f"window {window.name!r}")
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise ExpressionError(
            f"window {window.name!r}: column {window.column!r} is {column.dtype}, not a number; "
            f"aggregate a number, or count rows with no column"
        )
    return np.asarray(column.cast(pl.Float64).fill_null(float("nan")).to_numpy())


def _range_sum(values: Floats, low: Integers, high: Integers) -> Floats:
    """Return the sum of ``values[low[i]:high[i]]`` for each i."""
    if np.abs(values).sum() < 2.0**53 and np.array_equal(values, np.rint(values)):
        running = np.concatenate([[0.0], np.cumsum(values)])
        return np.asarray(running[high] - running[low])
    return _range_fold(values, low, high, np.add, 0.0)


def _range_fold(values: Floats, low: Integers, high: Integers, fold: Callable[[Floats, Floats], Floats], neutral: float) -> Floats:
    """Return ``fold`` of ``values[low[i]:high[i]]`` for each i, in a number of passes that is the logarithm of the longest range."""
    lengths = high - low
    result = np.full(len(low), neutral)
    at = low.copy()
    block = values
    for bit in range(int(lengths.max(initial=0)).bit_length()):
        chosen = np.flatnonzero(lengths >> bit & 1)
        result[chosen] = fold(result[chosen], block[at[chosen]])
        at[chosen] += 1 << bit
        block = fold(block[: -(1 << bit)], block[1 << bit :]) if len(block) > 1 << bit else block
    return result
