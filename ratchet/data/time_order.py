"""Rows in the order of their times, without sorting the table: where each would lie, and a sample that lies evenly spaced there."""

import polars as pl

SAMPLE = 20_000  # rows; quartiles of so many are exact to about one per cent


def time_order(times: pl.Series, *, nulls_last: bool = False) -> pl.Series | None:
    """Return the places of rows in the order of their times, or None where they lie in it already.

    Args:
        times: By row.
        nulls_last: Where rows without a time come.

    >>> order = time_order(pl.Series([3, 1, 2]))
    >>> order.to_list() if order is not None else None
    [1, 2, 0]
    """
    return None if times.is_sorted(nulls_last=nulls_last) else times.arg_sort(nulls_last=nulls_last)


class TimeSample:
    """About 20,000 rows of a table that passes by, evenly spaced in the order of time.

    >>> sample = TimeSample(3, pl.Series([1, 2, 0], dtype=pl.UInt32), ["a"])
    >>> for piece in (pl.DataFrame({"a": [30, 10]}), pl.DataFrame({"a": [20]})):
    ...     sample.add(piece)
    >>> sample.rows()["a"].to_list()
    [10, 20, 30]
    """

    def __init__(self, height: int, order: pl.Series | None, names: list[str]) -> None:
        """Choose the rows.

        Args:
            height: Rows of the table.
            order: From `time_order`; None where the rows are in order.
            names: Columns to keep of them.
        """
        step = max(1, height // SAMPLE)
        places = pl.Series(range(0, height, step), dtype=pl.Int64) if order is None else order.gather_every(step).cast(pl.Int64)
        self._places, self._ranks = places.sort(), places.arg_sort().arg_sort()
        self._names, self._passed = names, 0
        self._parts: list[pl.DataFrame] = []

    def add(self, piece: pl.DataFrame) -> None:
        """Take the chosen ones of the next rows."""
        begin, self._passed = self._passed, self._passed + piece.height
        if self._names:
            inside = self._places.filter(self._places.is_between(begin, self._passed, closed="left"))
            self._parts.append(piece.select(pl.col(self._names).gather(inside - begin)))

    def rows(self) -> pl.DataFrame:
        """Return the chosen rows in the order of time."""
        return pl.concat(self._parts).select(pl.all().gather(self._ranks)) if self._parts else pl.DataFrame()
