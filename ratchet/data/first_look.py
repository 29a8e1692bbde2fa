"""What one reading of a table shows of its columns: their ends, their gaps, whether they ever fall, and their values where these are few.

The table passes by in pieces, so that looking at ten million rows takes no more memory than looking at one. Only where rows do not lie in
the order of time, and where whole numbers may be names of rows, is a column read whole, by itself.
"""

import math
from collections import Counter
from typing import Any

import numpy as np
import polars as pl

from ratchet.data.kinds import kind_of
from ratchet.data.pieces import Pieces
from ratchet.data.time_order import TimeSample, time_order

MAX_CATEGORIES = 50
MAX_LABELS = 20
MIN_GROWING = 10  # values; fewer may be in order by chance
MIN_NAMED = 50  # rows


class ColumnLook:
    """What was seen of one column.

    Attributes:
        kind: Of its values.
        rows: All rows.
        missing: Rows without a value.
        low: The smallest finite value; None where there is none.
        high: The largest.
        rises: Whether it never falls in the order in which the rows came, and has ten values or more.
        early: How often each value is there in the earlier half of time; None where there are too many for a list.
        late: Likewise in the later half.
    """

    def __init__(self, dtype: pl.DataType) -> None:
        """Begin with no rows."""
        self.kind = kind_of(dtype)
        self.rows = self.missing = 0
        self.low: Any = None
        self.high: Any = None
        self.early: Counter[Any] | None = Counter()
        self.late: Counter[Any] | None = Counter()
        self._in_order = self.kind in ("integer", "number")
        self._last: pl.Series | None = None
        self._few: set[Any] = set()

    @property
    def rises(self) -> bool:
        """See the class."""
        return self._in_order and len(self._few) >= MIN_GROWING

    def add(self, column: pl.Series, early: pl.Series | int, low: Any = None, high: Any = None) -> None:
        """Look at the next rows.

        Args:
            column: Their values.
            early: Which of them lie in the earlier half of time; a number says so many of the first.
            low: The smallest number, infinities included and NaN not.
            high: The largest.
        """
        self.rows += len(column)
        self.missing += column.null_count()
        if self.kind in ("integer", "number"):
            self._add_ends(column, low, high)
            if self._in_order:
                self._add_order(column.drop_nulls())
        elif self.kind in ("string", "boolean"):
            parts = (column[:early], column[early:]) if isinstance(early, int) else (column.filter(early), column.filter(~early))
            self.early, self.late = _counted(self.early, parts[0]), _counted(self.late, parts[1])

    def _add_ends(self, column: pl.Series, low: Any, high: Any) -> None:
        if low is not None and not (math.isfinite(low) and math.isfinite(high)):
            finite = column.filter(column.is_finite())
            low, high = finite.min(), finite.max()
        if low is not None:
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)

    def _add_order(self, present: pl.Series) -> None:
        if present.is_empty():
            return
        joins = self._last is None or pl.concat([self._last, present[:1]]).is_sorted()
        self._in_order = joins and present.is_sorted()
        self._last = present[-1:]
        if self._in_order and len(self._few) < MIN_GROWING:
            self._few.update(present.unique().head(MIN_GROWING).to_list())


class FirstLook:
    """What was seen of a table.

    Attributes:
        columns: By name.
        sample: About 20,000 rows in the order of time: the columns of numbers.
    """

    def __init__(self, pieces: Pieces, time: str = "") -> None:
        """Read a table.

        Args:
            pieces: The table.
            time: Its column of times; empty where the rows are in order as they come.
        """
        self._pieces = pieces
        self._order = time_order(next(iter(pieces.columns([time])))) if time else None
        self.columns = {name: ColumnLook(dtype) for name, dtype in pieces.schema.items()}
        numbers = [name for name, look in self.columns.items() if look.kind in ("integer", "number")]
        sample = TimeSample(pieces.height, self._order, numbers)
        half, passed = pieces.height // 2, 0
        first = None
        if self._order is not None:
            first = pl.zeros(pieces.height, pl.Boolean, eager=True).scatter(self._order[:half], True)
        for piece in pieces.pieces():
            early = max(0, half - passed) if first is None else first.slice(passed, piece.rows.height)
            ends = piece.rows.select(pl.col(numbers).min().name.prefix("low "), pl.col(numbers).max().name.prefix("high "))
            known = ends.row(0, named=True) if numbers else {}
            for column in piece.rows.iter_columns():
                name = column.name
                self.columns[name].add(column, early, known.get(f"low {name}"), known.get(f"high {name}"))
            sample.add(piece.rows)
            passed += piece.rows.height
        self.sample = sample.rows()

    def names_or_counts(self) -> set[str]:
        """Return the columns of numbers that never fall in the order of time, and of whole numbers that differ in every row."""
        if self._order is None:
            found = {name for name, look in self.columns.items() if look.rises}
        else:
            found = set()
            for column in self._pieces.columns(self.sample.columns):
                present = column.gather(self._order).drop_nulls()
                if present.is_sorted() and present.n_unique() >= MIN_GROWING:
                    found.add(column.name)
        suspects = [name for name, look in self.columns.items() if name not in found and _may_name_rows(look)]
        return found | {column.name for column in self._pieces.columns(suspects) if _all_differ(column)}


def _may_name_rows(look: ColumnLook) -> bool:
    return look.kind == "integer" and look.rows >= MIN_NAMED and not look.missing and look.high - look.low >= look.rows - 1


def _all_differ(column: pl.Series) -> bool:
    values = np.sort(column.to_numpy())  # a set of ten million would take four times the memory
    return not bool((values[1:] == values[:-1]).any())


def _counted(known: Counter[Any] | None, column: pl.Series) -> Counter[Any] | None:
    """Add how often each value is there, as long as they are few."""
    if known is None or column[: MAX_CATEGORIES * 20].n_unique() > MAX_CATEGORIES + 1:
        return None
    counts = column.drop_nulls().value_counts(name="\0rows")
    if counts.height > MAX_CATEGORIES:
        return None
    known.update(dict(counts.iter_rows()))
    return known if len(known) <= MAX_CATEGORIES else None
