"""Two sorted samples on one axis, from which the exact D and the exact area between their distribution functions both follow.

To merge all values would give both, but costs more than the two sorts before it, in time and in memory. Most of the axis needs no merge:
every 256th value of either sample is an edge, and between two edges the gap between the distribution functions moves by little. Where it
cannot change its sign, the area is a difference of two sums; where it cannot reach the largest gap at an edge, D is not there. Only what
is left is merged, a few thousand values at a time. Gaps are whole numbers, so that no rounding adds up.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ratchet.errors import EmptySampleError

Array = NDArray[np.float64] | NDArray[np.int64]
Integers = NDArray[np.int64]
STRIDE = 256  # values of a sample from one edge to the next
TOGETHER = 32  # stretches that are looked at as one; with the stride 64 KiB of values, which malloc keeps and the cache holds
PIECE = 1 << 13  # values that are summed at a time, likewise
SMALLER = 2.0**20
SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


@dataclass(frozen=True)
class Merged:
    """Two samples and the edges between which they are compared.

    A gap is (F_reference − F_current) · n · m, F being the share of a sample at or below a value. A stretch is what lies between an edge
    and the next, without either.

    Attributes:
        reference: shape (n,), ascending.
        current: shape (m,), ascending, of the same dtype.
        edges: shape (k,), ascending, each value once; the outermost finite values of both samples are edges, and so are infinities.
    """

    reference: Array
    current: Array
    edges: Array

    @classmethod
    def of(cls, reference: Array, current: Array, *, stride: int = STRIDE) -> "Merged":
        """Lay two samples on one axis.

        Args:
            reference: shape (n,), ascending, no NaN.
            current: shape (m,), likewise.
            stride: How many values of a sample lie from one edge to the next; the answers are the same with any.

        Raises:
            EmptySampleError: n or m is 0.
        """
        n, m = len(reference), len(current)
        if not n or not m:
            raise EmptySampleError(f"a distance was asked of samples of {n} and {m} values; both need at least one that is not missing")
        if reference.dtype != current.dtype:
            reference, current = reference.astype(np.float64, copy=False), current.astype(np.float64, copy=False)
        return cls(reference, current, distinct(np.concatenate([_picked(reference, stride), _picked(current, stride)])))

    def largest_gap(self) -> tuple[float, Any]:
        """Return D, and the smallest value at which the two distribution functions are that far apart (shares at or below it)."""
        gaps = np.abs(self._after)
        place = int(np.argmax(gaps))
        best, value = int(gaps[place]), self.edges[place]
        low, high = self._bounds
        reach = np.where(self._held, np.maximum(high, -low), -1)
        groups = _groups(0, len(reach))
        for start, reached in zip(groups, np.maximum.reduceat(reach, groups) if len(groups) else (), strict=True):
            if reached < best:
                continue
            values, gaps = self._walk(start, min(start + TOGETHER, len(reach)))
            gaps = np.abs(gaps)
            place = int(np.argmax(gaps))
            if gaps[place] > best or (gaps[place] == best and values[place] < value):
                best, value = int(gaps[place]), values[place]
        return best / (len(self.reference) * len(self.current)), value

    def area(self) -> float:
        """Return the area between the two distribution functions, infinite when mass lies at different infinities."""
        finite = np.flatnonzero(np.isfinite(self.edges))
        if (np.isneginf(self.edges[0]) and self._after[0]) or (np.isposinf(self.edges[-1]) and self._before[-1]):
            return float("inf")
        if len(finite) < 2:
            return 0.0
        last = int(finite[-1])
        width = float(self.edges[last]) - float(self.edges[finite[0]])
        if width > (1e300 if self.edges.dtype == np.float64 else 1 << 62):  # sums of such differences may not fit their type
            return SMALLER * Merged.of(self.reference / SMALLER, self.current / SMALLER).area()
        groups = _groups(int(finite[0]), last)
        low, high = (bound[:last] for bound in self._bounds)
        one_sign = (np.minimum.reduceat(low, groups) >= 0) | (np.maximum.reduceat(high, groups) <= 0)
        summed = one_sign & np.logical_or.reduceat(self._held[:last], groups)
        with np.errstate(over="ignore"):
            return sum(
                (self._summed_area if by_sums else self._walked_area)(start, min(start + TOGETHER, last))
                for start, by_sums in zip(groups, summed, strict=True)
            )

    @cached_property
    def _places(self) -> tuple[Integers, Integers, Integers, Integers]:
        """Where each edge's own values begin and end in the reference, then in the current sample."""
        samples = (self.reference, self.current)
        begin, end, begin_current, end_current = (np.searchsorted(values, self.edges, side) for values in samples for side in SIDES)
        return begin, end, begin_current, end_current

    @cached_property
    def _before(self) -> Integers:
        """The gap just below each edge."""
        return self._places[0] * len(self.current) - self._places[2] * len(self.reference)

    @cached_property
    def _after(self) -> Integers:
        """The gap at each edge."""
        return self._places[1] * len(self.current) - self._places[3] * len(self.reference)

    @cached_property
    def _held(self) -> NDArray[np.bool_]:
        """Which stretches hold any value."""
        begin, end, begin_current, end_current = self._places
        return (begin[1:] > end[:-1]) | (begin_current[1:] > end_current[:-1])

    @cached_property
    def _bounds(self) -> tuple[Integers, Integers]:
        """The least and the largest that the gap can come to within each stretch: each value of a sample moves it one way."""
        begin, end, begin_current, end_current = self._places
        up = (begin[1:] - end[:-1]) * len(self.current)
        down = (begin_current[1:] - end_current[:-1]) * len(self.reference)
        low = np.maximum(self._after[:-1] - down, self._before[1:] - up)
        return low, np.minimum(self._after[:-1] + up, self._before[1:] + down)

    def _walk(self, start: int, stop: int) -> tuple[Array, Integers]:
        """Return every different value above one edge, up to and with another, and the gap at each."""
        begin, end, begin_current, end_current = self._places
        inner = range(start, stop)
        first = np.concatenate([self.reference[end[k] : begin[k + 1]] for k in inner])
        second = np.concatenate([self.current[end_current[k] : begin_current[k + 1]] for k in inner])
        jumps = (self._after - self._before)[start + 1 : stop + 1]
        moves = np.concatenate([np.full(len(first), len(self.current)), np.full(len(second), -len(self.reference)), jumps])
        values = np.concatenate([first, second, self.edges[start + 1 : stop + 1]])
        order = np.argsort(values, kind="stable")  # of sorted runs it is a merge
        values, gaps = values[order], self._after[start] + np.cumsum(moves[order])
        last = np.append(values[1:] != values[:-1], True)
        return values[last], gaps[last]

    def _walked_area(self, start: int, stop: int) -> float:
        values, gaps = self._walk(start, stop)
        widths = np.diff(values, prepend=self.edges[start]).astype(np.float64, copy=False)
        heights = np.abs(np.append(self._after[start], gaps[:-1])) / (len(self.reference) * len(self.current))
        return float(np.dot(heights, widths))

    def _summed_area(self, start: int, stop: int) -> float:
        """Return the area from one edge to another between which the gap has one sign: each value adds what is right of it."""
        begin, end = self.edges[start], self.edges[stop]
        parts = [float(self._after[start]) / (len(self.reference) * len(self.current)) * float(end - begin)]
        for values, places, sign in ((self.reference, self._places[1], 1), (self.current, self._places[3], -1)):
            for at in range(places[start], places[stop], PIECE):
                piece = values[at : min(at + PIECE, places[stop])]
                parts.append(sign * float(np.sum(end - piece, dtype=np.float64)) / len(values))
        return abs(math.fsum(parts))


def distinct(values: Any) -> Any:
    """Return an array's values, each once, ascending; numpy's ``unique`` takes a hash table, which costs four times the sort.

    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    values = np.sort(values)
    return values[np.append(True, values[1:] != values[:-1])[: len(values)]]


def _groups(start: int, stop: int) -> Integers:
    return np.arange(start, stop, TOGETHER)


def _picked(values: Array, stride: int) -> Array:
    """Return every so manieth value, and the outermost and the outermost finite ones."""
    low, high = np.searchsorted(values, [-np.finfo(np.float64).max, np.inf]) if values.dtype == np.float64 else (0, len(values))
    places = {0, len(values) - 1, min(low, len(values) - 1), max(high - 1, 0)}
    return np.concatenate([values[::stride], values[sorted(places)]])
