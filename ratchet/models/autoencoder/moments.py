"""Mean and spread of a column that passes by in batches and is never held whole.

Sums of squares, which would be simpler, lose every digit of the spread where the mean is large (a time in seconds, a price in cents), so
each batch's own mean and squared distances are merged into what was seen before.
"""

import math
from dataclasses import dataclass

import numpy as np

LEAST = 1e-15  # of the largest magnitude, a few units in the last place: a spread below it is rounding, not variation


@dataclass
class Moments:
    """What is known of the values that were seen.

    Attributes:
        count: Number of values.
        mean: Their mean; 0 before there is any.
        squares: Sum of squared distances from the mean.
        low: The smallest.
        high: The largest.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def add(self, values: np.ndarray) -> None:
        """Merge a batch.

        Args:
            values: float64, shape (n,), finite.

        Source:
            Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", COMPSTAT (1982).
        """
        if not values.size:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # of squares beyond the largest double; `spread` then says something else
            mean = float(values.mean())
            squares = float(np.square(values - mean).sum())
        total = self.count + values.size
        with np.errstate(over="ignore", invalid="ignore"):
            apart = np.float64(mean) - self.mean
            self.squares += squares + float(np.square(apart)) * self.count * (values.size / total)
            self.mean += float(apart) * (values.size / total)
        self.count = total
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))

    @property
    def centre(self) -> float:
        """The mean, or the middle of the values where their sum is beyond the largest double; 0 where there is none."""
        if not self.count or self.low == self.high:
            return self.low if self.count else 0.0
        return min(max(self.mean, self.low), self.high) if math.isfinite(self.mean) else self.low / 2 + self.high / 2

    @property
    def spread(self) -> float:
        """The standard deviation, never 0: 1 where all values are one, so that a constant column is 0 and another value stands out.

        >>> moments = Moments()
        >>> moments.add(np.array([1.0, 2.0]))
        >>> moments.add(np.array([3.0, 6.0]))
        >>> moments.mean, round(moments.spread, 6)
        (3.0, 1.870829)
        """
        if not self.count or self.low == self.high:
            return 1.0
        deviation = math.sqrt(self.squares / self.count) if math.isfinite(self.squares) else math.inf
        if not 0 < deviation < math.inf:  # squares beyond the doubles' range on either side
            deviation = self.high / 2 - self.low / 2
        return max(deviation, LEAST * max(abs(self.low), abs(self.high)), math.ulp(0.0))
