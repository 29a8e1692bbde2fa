"""The paired block bootstrap: how much of a difference between two models on the same rows is chance.

Both models are resampled with the same rows, so what both find hard cancels. Rows that belong together are drawn together: all of a
group (a customer), or stretches of neighbouring rows in time, because an interval that takes dependent rows for independent ones is too
narrow and releases on noise. A holdout of any size becomes at most 4,096 blocks, so the time taken does not grow with it.

Source:
    Künsch, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17 (1989); for blocks of
    length n^(1/3), Hall, Horowitz and Jing, "On blocking rules for the bootstrap with dependent data", Biometrika 82 (1995).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = NDArray[np.float32]
MOST_BLOCKS = 4_096


@dataclass(frozen=True)
class Blocks:
    """Which rows are drawn together.

    Attributes:
        index: shape (n,), the block of each row, 0 to count − 1.
        count: Number of blocks.
        told: What a block is, in words.
    """

    index: NDArray[np.int64]
    count: int
    told: str

    @classmethod
    def of(cls, rows: int, *, group: pl.Series | None = None, time: pl.Series | None = None) -> "Blocks":
        """Return blocks by group where there is one, else by time where there is one, else single rows.

        Args:
            rows: Number of rows, at least 1.
            group: shape (rows,), an entity.
            time: shape (rows,), a time or a number.

        >>> Blocks.of(3, group=pl.Series(["b", "a", "b"])).index.tolist()
        [1, 0, 1]
        """
        if group is not None:
            index, told = group.rank("dense").fill_null(0).cast(pl.Int64).to_numpy(), f"rows of one {group.name}"
            index = np.unique(index, return_inverse=True)[1]
        elif time is not None:
            length = math.ceil(rows ** (1 / 3))
            index = np.empty(rows, dtype=np.int64)
            index[np.asarray(time.arg_sort())] = np.arange(rows) // length
            told = f"{length} rows that follow one another"
        else:
            index, told = np.arange(rows), "single rows"
        count = int(index.max()) + 1
        if count > MOST_BLOCKS:
            index, count = index * MOST_BLOCKS // count, MOST_BLOCKS
        return cls(index.astype(np.int64), count, told)

    def sums(self, values: Array) -> Array:
        """Return the sum of a value by block, shape (count,)."""
        return np.bincount(self.index, weights=values, minlength=self.count).astype(np.float64)

    def draw(self, resamples: int, seed: int) -> Weights:
        """Return how often each block was drawn, shape (resamples, count); each row sums to count."""
        drawn = np.random.default_rng(seed).integers(self.count, size=(resamples, self.count))
        offset = np.arange(resamples)[:, None] * self.count
        return np.bincount((drawn + offset).ravel(), minlength=resamples * self.count).reshape(resamples, -1).astype(np.float32)

    def means(self, weights: Weights, values: Array, among: NDArray[np.bool_] | None = None) -> Array:
        """Return the mean of a value in each resample.

        Args:
            weights: From `draw`.
            values: shape (n,).
            among: shape (n,), rows that count; all by default.

        Returns:
            shape (resamples,); not a number where a resample has no such row.
        """
        counted = np.ones(len(values)) if among is None else among.astype(np.float64)
        with np.errstate(invalid="ignore"):
            return np.asarray((weights @ self.sums(values * counted)) / (weights @ self.sums(counted)))


@dataclass(frozen=True)
class Interval:
    """A difference and what chance leaves open about it.

    Attributes:
        difference: As measured.
        low: Lower end.
        high: Upper end.
    """

    difference: float
    low: float
    high: float


def interval(difference: float, resampled: Array, confidence: float) -> Interval:
    """Return the percentile interval of resampled differences; not a number where too many resamples have no answer.

    Source:
        Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979).

    >>> interval(2.0, np.array([1.0, 2.0, 3.0]), 0.5)
    Interval(difference=2.0, low=1.5, high=2.5)
    """
    answered = resampled[np.isfinite(resampled)]
    if len(answered) < 0.9 * len(resampled) or not math.isfinite(difference):
        return Interval(difference, math.nan, math.nan)
    low, high = np.quantile(answered, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(difference, float(low), float(high))


def wide_interval(difference: float, resampled: Array, confidence: float, comparisons: int) -> Interval:
    """Return an interval that holds for many comparisons at once (Bonferroni).

    So far out, a thousand resamples have no percentiles; the normal law with their standard deviation stands in.
    """
    reach = NormalDist().inv_cdf(1 - (1 - confidence) / 2 / max(comparisons, 1))
    answered = resampled[np.isfinite(resampled)]
    spread = float(np.std(answered)) if len(answered) >= 0.9 * len(resampled) else math.nan
    return Interval(difference, difference - reach * spread, difference + reach * spread)


def effective_size(differences: Array) -> float:
    """Return how many equal differences would weigh as much as these: (Σ|d|)² / Σd².

    It tells when an interval rests on a handful of rows, where no bootstrap can be trusted.

    Source:
        Kish, "Survey Sampling" (1965).

    >>> effective_size(np.array([0.0, 1.0, -1.0, 1.0]))
    3.0
    """
    squares = float(np.sum(differences**2))
    return float(np.sum(np.abs(differences)) ** 2 / squares) if squares else 0.0
