"""The part of a source that a run is to take: the rows whose time lies in a window, so that a recurring run takes only what is new.

The window is half open, [since, until), so that windows which follow each other neither share a row nor lose one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from ratchet.data.kinds import kind_of
from ratchet.data.parsing import parse_times
from ratchet.errors import ParameterError, RatchetError, SchemaError, SourceError, nearest

Bound = datetime | float


@dataclass(frozen=True)
class TimeWindow:
    """A window of time, and the column whose times are held against it.

    Attributes:
        column: Column of times (ISO 8601, taken as UTC) or of numbers that grow with time; empty takes every row.
        since: Rows from here on are in; None for no bound.
        until: Rows from here on are out; None for no bound.
    """

    column: str = ""
    since: Bound | None = None
    until: Bound | None = None

    @classmethod
    def parse(cls, column: str, since: str, until: str) -> "TimeWindow":
        """Return the window that three parameters of a pipeline describe.

        Raises:
            ParameterError: there is a bound and no column, a bound is neither time nor number, or nothing lies between the two.

        >>> TimeWindow.parse("time", "2024-03-01", "").since
        datetime.datetime(2024, 3, 1, 0, 0)
        """
        if (since or until) and not column:
            raise ParameterError(f"a window [{since or '…'}, {until or '…'}) needs parameter 'time_column'; name the column of times")
        low, high = _bound("since", since), _bound("until", until)
        if low is not None and high is not None:
            if type(low) is not type(high):
                raise ParameterError(f"since {since!r} and until {until!r} are not of one kind; give two dates or two numbers")
            if low >= high:  # type: ignore[operator]
                raise ParameterError(f"since {since!r} is not before until {until!r}, so the window is empty; swap or widen them")
        return cls(column, low, high)

    def applied(self, batches: Iterator[pl.DataFrame], where: str) -> Iterator[pl.DataFrame]:
        """Yield the rows in the window, batch by batch, with the column of times as times.

        Rows without a time are kept, for `validate` to set aside where they can be seen. What is wrong is said when every batch was seen:
        then it is known how many rows are concerned.

        Args:
            batches: Tables of one schema.
            where: What to call the source in errors.

        Raises:
            SchemaError: there is no such column, or a value in it is no time.
            ParameterError: the bounds are of another kind than the column.
            SourceError: no row is in the window.
        """
        if not self.column:
            yield from batches
            return
        seen = _Seen(self, where)
        for batch in batches:
            kept = seen.take(batch)
            if kept is not None:
                yield kept
        seen.conclude()


@dataclass
class _Seen:
    """What was met so far of a source that is held against a window."""

    window: TimeWindow
    where: str
    rows: int = 0
    kept: int = 0
    ends: list[Any] = field(default_factory=list)
    fault: RatchetError | None = None
    misfit: tuple[int, str] | None = None
    misfits: int = 0

    def take(self, batch: pl.DataFrame) -> pl.DataFrame | None:
        name = self.window.column
        if self.fault is None:
            self.fault = self._fault(batch)
        if self.fault is not None:
            return None
        times = batch[name]
        if kind_of(times.dtype) == "string":
            times = self._parsed(times)
        self.rows += batch.height
        if self.misfits:
            return None
        batch = batch.with_columns(times) if times.dtype != batch.schema[name] else batch
        return self._inside(batch)

    def conclude(self) -> None:
        name = self.window.column
        if self.fault is not None:
            raise self.fault
        if self.misfit is not None:
            row, value = self.misfit
            more = f" (and {self.misfits - 1:,} more rows)" if self.misfits > 1 else ""
            raise SchemaError(
                f"{self.where}: row {row + 1:,} of time column {name!r} holds {value!r}, which is not a date{more}; "
                "write times as 2024-03-31 or 2024-03-31T18:05:00"
            )
        if not self.kept and (self.window.since is not None or self.window.until is not None):
            since, until = ("…" if bound is None else bound for bound in (self.window.since, self.window.until))
            raise SourceError(
                f"{self.where}: no row has {name!r} in [{since}, {until}); "
                f"the source runs from {_shown(min, self.ends)} to {_shown(max, self.ends)}; widen the window, or wait for new rows"
            )

    def _fault(self, batch: pl.DataFrame) -> RatchetError | None:
        name = self.window.column
        if name not in batch.columns:
            return SchemaError(f"source {self.where!r} has no time column {name!r}; {nearest(name, batch.columns)}")
        kind = kind_of(batch.schema[name])
        if kind == "boolean":
            return SchemaError(f"time column {name!r} of {self.where!r} holds true and false; name a column of times or numbers")
        is_moment = kind in ("datetime", "string")  # texts are read as times, or refused
        for bound in (self.window.since, self.window.until):
            if bound is not None and isinstance(bound, datetime) != is_moment:
                expected = "dates" if is_moment else "numbers"
                message = f"time column {name!r} holds {expected}, the window bound is {bound}; give {expected} for since and until"
                return ParameterError(message)
        return None

    def _parsed(self, texts: pl.Series) -> pl.Series:
        times = parse_times(texts.str.strip_chars())
        bad = (times.is_null() & texts.is_not_null()).arg_true()
        if len(bad) and self.misfit is None:
            self.misfit = (self.rows + int(bad[0]), texts[int(bad[0])])
        self.misfits += len(bad)
        return times

    def _inside(self, batch: pl.DataFrame) -> pl.DataFrame:
        since, until = self.window.since, self.window.until
        if since is None and until is None:
            return batch
        name = self.window.column
        column, inside = pl.col(name), pl.lit(True)
        if since is not None:
            inside &= column >= since
        if until is not None:
            inside &= column < until
        kept = batch.filter(inside | column.is_null())
        self.kept += kept.height - kept[name].null_count()
        self.ends += [end for end in (batch[name].min(), batch[name].max()) if end is not None]
        self.ends = [min(self.ends), max(self.ends)] if self.ends else []
        return kept


def _shown(which: Any, ends: list[Any]) -> str:
    return str(which(ends)) if ends else "nowhere"


def _bound(name: str, text: str) -> Bound | None:
    if not text.strip():
        return None
    moment = parse_times(pl.Series(name, [text.strip()]))[0]
    if isinstance(moment, datetime):
        return moment
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ParameterError(f"parameter {name!r} is {text!r}; write a date such as 2024-03-31 or 2024-03-31T18:05:00, or a number")
    return number
