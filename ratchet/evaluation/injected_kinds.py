"""The kinds of anomalies that can be injected, each a function from some rows to the values that they get.

- spike: one number is set far off its column's mean, by one to two times the strength; downwards only where the column has negative values.
- swap: two numbers of a row trade places, or one category is what another row has. Each value alone is usual; together they are not.
- noise: gaussian noise, half the strength wide, on a third of the row's numbers, on two at least.
- drift: an offset of one number that grows over consecutive rows, from nearly nothing to the strength.

The strength counts in standard deviations of a column. A missing value stays missing, whatever the kind.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Edits = Iterator[tuple[str, Rows, pl.Series]]
LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Number:
    """A column of numbers.

    Attributes:
        name: Its name.
        values: shape (n,), not a number where missing.
        mean: Of the values.
        spread: Their standard deviation.
        whole: Whether all are whole numbers.
        positive: Whether none is negative.
        column: As stored.
    """

    name: str
    values: Array
    mean: float
    spread: float
    whole: bool
    positive: bool
    column: pl.Series

    @classmethod
    def of(cls, column: pl.Series) -> "Number":
        """Measure a column."""
        values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        present = values[np.isfinite(values)]
        largest = float(np.abs(present).max()) or 1.0
        scaled = present / largest  # so that squares of the largest floats stay finite
        mean, spread = float(scaled.mean()) * largest, float(scaled.std()) * largest
        whole = column.dtype.is_integer() or bool(np.all(present == np.rint(present)))
        return cls(column.name, values, mean, spread, whole, bool(present.min() >= 0), column)

    def written(self, values: Array) -> pl.Series:
        """Return new values as the column would hold them: whole where it is, within what its type can hold."""
        dtype, held = self.column.dtype, np.clip(np.rint(values) if self.whole else values, -LARGEST, LARGEST)
        if not dtype.is_integer():
            largest = float(np.finfo(np.float32).max) if dtype == pl.Float32 else LARGEST
            return pl.Series(self.name, np.clip(held, -largest, largest), dtype=pl.Float64).cast(dtype)
        low, high = int(self.column.lower_bound()[0]), int(self.column.upper_bound()[0])
        return pl.Series(self.name, [min(max(int(one), low), high) for one in held.tolist()], dtype=dtype)

    def moved(self, rows: Rows, by: Array) -> pl.Series:
        """Return the values of some rows, moved by so many standard deviations; a column that is never negative stays so."""
        with np.errstate(over="ignore"):
            values = self.values[rows] + by * self.spread
        return self.written(np.maximum(values, 0.0) if self.positive else values)


@dataclass(frozen=True)
class Category:
    """A column of texts or booleans, or of two numbers.

    Attributes:
        name: Its name.
        column: As stored.
        codes: shape (n,), the same for equal values; 0 where missing.
    """

    name: str
    column: pl.Series
    codes: Rows

    @classmethod
    def of(cls, column: pl.Series) -> "Category":
        """Note where a column has values."""
        there = column.is_not_null() & column.is_finite().fill_null(False) if column.dtype.is_float() else column.is_not_null()
        codes = column.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)
        return cls(column.name, column, np.where(there.to_numpy(), codes, 0))

    def other(self, rows: Rows, rng: np.random.Generator) -> tuple[Rows, pl.Series]:
        """Return those of the rows that have a value, and for each what some other row has instead, common values more often."""
        rows = rows[self.codes[rows] > 0]
        order = np.argsort(self.codes, kind="stable")
        order = order[self.codes[order] > 0]
        begin, end = (np.searchsorted(self.codes[order], self.codes[rows], side) for side in ("left", "right"))
        drawn = rng.integers(0, len(order) - (end - begin))
        return rows, self.column.gather(order[np.where(drawn >= begin, drawn + end - begin, drawn)])


def spike(numbers: Sequence[Number], _: Sequence[Category], runs: Sequence[Rows], strength: float, rng: np.random.Generator) -> Edits:
    """Set one number of each row far off its column's mean."""
    rows = np.concatenate(runs)
    chosen = _chosen(_values(numbers, rows), rng)
    far = strength * (1 + rng.random(len(rows)))
    down = rng.random(len(rows)) < 0.5
    for place, number in enumerate(numbers):
        mine = chosen == place
        sign = np.where(down[mine] & (not number.positive), -1.0, 1.0)
        with np.errstate(over="ignore"):
            yield number.name, rows[mine], number.written(number.mean + sign * far[mine] * number.spread)


def swap(
    numbers: Sequence[Number], categories: Sequence[Category], runs: Sequence[Rows], strength: float, rng: np.random.Generator
) -> Edits:
    """Let two numbers of a row trade places, or give it a category of another row."""
    rows = np.concatenate(runs)
    pairs = numbers if len(numbers) > 1 else ()
    taken = categories if pairs else [*categories, *(Category.of(number.column) for number in numbers)]
    choice = rng.integers(0, len(pairs) + len(taken), len(rows))
    for place, category in enumerate(taken, start=len(pairs)):
        yield category.name, *category.other(rows[choice == place], rng)
    trading = rows[choice < len(pairs)]
    if not len(trading):
        return
    values = _values(pairs, trading)
    at = np.arange(len(trading))
    first = _chosen(values, rng)
    second = _chosen(np.where(values == values[at, first][:, None], np.nan, values), rng)
    both = (first >= 0) & (second >= 0)
    for mine, others in ((first, second), (second, first)):
        for place, number in enumerate(pairs):
            here = both & (mine == place)
            yield number.name, trading[here], number.written(values[at[here], others[here]])


def noise(numbers: Sequence[Number], _: Sequence[Category], runs: Sequence[Rows], strength: float, rng: np.random.Generator) -> Edits:
    """Add gaussian noise to several numbers of each row."""
    rows = np.concatenate(runs)
    several = min(max(2, -(-len(numbers) // 3)), len(numbers))
    ranks = np.argsort(np.argsort(_lots(_values(numbers, rows), rng), axis=1), axis=1)
    for place, number in enumerate(numbers):
        mine = rows[(ranks[:, place] >= len(numbers) - several) & np.isfinite(number.values[rows])]
        yield number.name, mine, number.moved(mine, strength / 2 * rng.standard_normal(len(mine)))


def drift(numbers: Sequence[Number], _: Sequence[Category], runs: Sequence[Rows], strength: float, rng: np.random.Generator) -> Edits:
    """Add to one number of consecutive rows an offset that grows."""
    for run in runs:
        number = numbers[int(rng.integers(0, len(numbers)))]
        sign = 1.0 if number.positive or rng.random() < 0.5 else -1.0
        offset = sign * strength * np.arange(1, len(run) + 1) / len(run)
        there = np.isfinite(number.values[run])
        yield number.name, run[there], number.moved(run[there], offset[there])


KINDS: Mapping[str, Callable[[Sequence[Number], Sequence[Category], Sequence[Rows], float, np.random.Generator], Edits]] = {
    "spike": spike,
    "swap": swap,
    "noise": noise,
    "drift": drift,
}


def _values(numbers: Sequence[Number], rows: Rows) -> Array:
    """Return the numbers of some rows, shape (rows, numbers)."""
    return np.stack([number.values[rows] for number in numbers], axis=1)


def _lots(values: Array, rng: np.random.Generator) -> Array:
    """Return a random number for each value, -1 where it is missing."""
    return np.where(np.isfinite(values), rng.random(values.shape), -1.0)


def _chosen(values: Array, rng: np.random.Generator) -> Rows:
    """Return the place of one present value of each row; -1 where a row has none."""
    lots = _lots(values, rng)
    return np.where(lots.max(axis=1) >= 0, lots.argmax(axis=1), -1)
