"""One column of one table in the form that its statistics are taken from: numbers, or the hashes of texts, in order.

Both are made from the column's batches as they are read, so that a table is never in memory: eight bytes a row, sorted where they lie.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from ratchet.drift.merged import Array
from ratchet.drift.tally import Hashes


@dataclass(frozen=True)
class Numbers:
    """A column of numbers or times.

    Attributes:
        dtype: As the table has it.
        rows: Number of rows, those without a value included.
        values: shape (n,), ascending, float64 or int64, no NaN; times as they are stored.
    """

    dtype: pl.DataType
    rows: int
    values: Array
    kind = "number"

    @classmethod
    def of(cls, batches: Iterable[pl.Series], rows: int, dtype: pl.DataType) -> "Numbers":
        """Return the sample of a column.

        Args:
            batches: The column's values in any order.
            rows: How many there are.
            dtype: Their type. Integers stay integers: beyond 2^53 a float would make different ones equal.

        >>> Numbers.of([pl.Series([3.0, None]), pl.Series([1.0, float("nan")])], 4, pl.Float64()).values.tolist()
        [1.0, 3.0]
        """
        whole = dtype.is_temporal() or (dtype.is_integer() and dtype not in (pl.UInt64, pl.Int128, pl.UInt128))
        values: Array = np.empty(rows, np.int64) if whole else np.empty(rows, np.float64)
        filled = 0
        for batch in batches:
            numbers = (batch.to_physical() if dtype.is_temporal() else batch).cast(pl.Int64 if whole else pl.Float64).drop_nulls()
            values[filled : filled + len(numbers)] = numbers.to_numpy()
            filled += len(numbers)
        values = values[:filled]
        values.sort()
        return cls(dtype, rows, values if whole else values[: np.searchsorted(values, np.nan)])  # numpy sorts NaN behind everything

    @property
    def present(self) -> int:
        """Number of rows with a value."""
        return len(self.values)

    def told(self, value: float) -> str:
        """Return a value of the column as a person reads it.

        >>> Numbers(pl.Date(), 0, np.array([])).told(19_000)
        '2022-01-08'
        """
        if self.dtype.is_temporal():
            return str(pl.Series([int(value)], dtype=pl.Int64).cast(pl.Int32 if self.dtype == pl.Date else pl.Int64).cast(self.dtype)[0])
        return f"{int(value):,}" if self.dtype.is_integer() else f"{value:.6g}"


@dataclass(frozen=True)
class Categories:
    """A column of anything else, each value as the text that it is shown as.

    Attributes:
        dtype: As the table has it.
        rows: Number of rows, those without a value included.
        hashes: shape (n,), ascending, a hash a value.
        batches: Reads the column again, to find the text of a hash.
    """

    dtype: pl.DataType
    rows: int
    hashes: Hashes
    batches: Callable[[], Iterable[pl.Series]]
    kind = "category"

    @classmethod
    def of(cls, batches: Callable[[], Iterable[pl.Series]], rows: int, dtype: pl.DataType) -> "Categories":
        """Return the sample of a column.

        Args:
            batches: Reads the column's values, in any order.
            rows: How many there are.
            dtype: Their type.

        >>> sample = Categories.of(lambda: [pl.Series(["a", "b", "a", None])], 4, pl.String())
        >>> sample.present, sample.text(int(sample.hashes[1])) in "ab"
        (3, True)
        """
        hashes = np.empty(rows, np.uint64)
        filled = 0
        for batch in batches():
            made = batch.cast(pl.String).drop_nulls().hash()
            hashes[filled : filled + len(made)] = made.to_numpy()
            filled += len(made)
        hashes = hashes[:filled]
        hashes.sort()
        return cls(dtype, rows, hashes, batches)

    @property
    def present(self) -> int:
        """Number of rows with a value."""
        return len(self.hashes)

    def text(self, wanted: int) -> str | None:
        """Return the text of a hash, or None where the column has none."""
        for batch in self.batches():
            texts = batch.cast(pl.String).drop_nulls()
            found = texts.filter(texts.hash() == wanted)
            if len(found):
                return str(found[0])
        return None


Sample = Numbers | Categories


def is_number(dtype: pl.DataType) -> bool:
    """Return whether a column of a type is compared by D: numbers and times are, booleans and texts are categories.

    >>> is_number(pl.Int8()), is_number(pl.Date()), is_number(pl.Boolean()), is_number(pl.String())
    (True, True, False, False)
    """
    return dtype.is_numeric() or dtype.is_temporal()


def sample_of(column: pl.Series) -> Sample:
    """Return the sample of a column that is in memory."""
    if is_number(column.dtype):
        return Numbers.of([column], len(column), column.dtype)
    return Categories.of(lambda: [column], len(column), column.dtype)
