"""Two sorted samples merged into one walk along the axis, from which the exact D and the exact area both follow.

Merging two sorted runs is linear (numpy's stable sort finds the runs), so after sorting each side once every statistic of the pair is
a few passes over memory: about 90 ms for a million numbers a side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratchet.errors import EmptySampleError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Merged:
    """The walk: every value of both samples in order, and the gap between the distribution functions after each.

    Attributes:
        values: shape (n + m,), ascending.
        gaps: shape (n + m,), (F_reference − F_current) · n · m after each value, in whole numbers so that no rounding adds up. Among
            equal values only the last one's gap is that of the distribution functions.
        scale: n · m.
    """

    values: Array
    gaps: NDArray[np.int64]
    scale: int

    @classmethod
    def of(cls, reference: Array, current: Array) -> "Merged":
        """Merge two samples.

        Args:
            reference: shape (n,), ascending, no NaN.
            current: shape (m,), likewise.

        Raises:
            EmptySampleError: n or m is 0.
        """
        n, m = len(reference), len(current)
        if not n or not m:
            raise EmptySampleError(f"a distance was asked of samples of {n} and {m} values; both need at least one that is not missing")
        pooled = np.concatenate([reference, current]).astype(np.float64, copy=False)
        order = np.argsort(pooled, kind="stable")
        return cls(pooled[order], np.cumsum(np.where(order < n, m, -n)), n * m)

    def largest_gap(self) -> tuple[float, float]:
        """Return D and the value at which the two distribution functions are that far apart (shares at or below it)."""
        gaps = np.abs(self.gaps)
        gaps[:-1][self.values[1:] == self.values[:-1]] = 0
        place = int(np.argmax(gaps))
        return int(gaps[place]) / self.scale, float(self.values[place])

    def area(self) -> float:
        """Return the area between the two distribution functions, infinite when mass lies at different infinities."""
        low, high = (int(place) for place in np.searchsorted(self.values, [-np.finfo(np.float64).max, np.inf]))
        if (low and self.gaps[low - 1]) or (high and self.gaps[high - 1]):
            return float("inf")
        if high - low < 2:
            return 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.dot(np.abs(self.gaps[low : high - 1]), np.diff(self.values[low:high]))) / self.scale
