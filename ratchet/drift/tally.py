"""Counts by category of two samples, in memory that does not grow with the number of categories.

A category is known by the 64-bit hash of its text, so a column of ten million different texts takes eight bytes a row like a column of
numbers, and is sorted and compared like one. (Two texts of ten million share a hash in three columns of a million; they then count as
one category.) Statistics do not ask which category it is, only how often both samples have it, so what is kept is how many categories
have the same two counts: for identifiers that never repeat, two rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratchet.drift.merged import distinct

Counts = NDArray[np.float64]
Hashes = NDArray[np.uint64]
Integers = NDArray[np.int64]
TOGETHER = 1 << 18  # values of each sample that are counted at a time


@dataclass(frozen=True)
class Tally:
    """How often two samples have their categories.

    Attributes:
        reference: shape (k,), a category's count in the reference.
        current: shape (k,), its count in the current sample. No two places have the same pair of counts.
        times: shape (k,), how many categories have the pair.
        farthest: Hash of the category whose share differs most; of two that differ alike, the one that grew.
    """

    reference: Counts
    current: Counts
    times: Counts
    farthest: int

    @classmethod
    def of(cls, reference: Hashes, current: Hashes) -> "Tally":
        """Count two samples.

        Args:
            reference: shape (n,), ascending, n at least 1.
            current: shape (m,), likewise.

        >>> tally = Tally.of(np.array([7, 7, 8, 9], dtype=np.uint64), np.array([7, 10], dtype=np.uint64))
        >>> tally.reference.tolist(), tally.current.tolist(), tally.times.tolist(), tally.farthest
        ([0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [1.0, 2.0, 1.0], 10)
        """
        n, m = len(reference), len(current)
        pairs, times, farthest = np.empty(0, np.int64), np.empty(0, np.int64), (-1, False, 0)
        for first, second in _stretches(reference, current):
            hashes, before, after = _joined(first, second)
            pairs, times = _added(pairs, times, before * (m + 1) + after)
            moves = after * n - before * m  # differences of shares, times n · m: whole, so that equal ones are equal
            for place in {int(np.argmax(moves)), int(np.argmin(moves))}:
                farthest = max(farthest, (abs(int(moves[place])), bool(moves[place] > 0), int(hashes[place])))
        before, after = np.divmod(pairs, m + 1)
        return cls(before.astype(np.float64), after.astype(np.float64), times.astype(np.float64), farthest[2])


def _stretches(reference: Hashes, current: Hashes) -> Iterator[tuple[Hashes, Hashes]]:
    """Cut both samples at the same hashes, into short pieces, never between equal values."""
    edges = distinct(np.concatenate([reference[TOGETHER::TOGETHER], current[TOGETHER::TOGETHER]]))
    first, second = (np.split(values, np.searchsorted(values, edges)) for values in (reference, current))
    return ((before, after) for before, after in zip(first, second, strict=True) if len(before) or len(after))


def _joined(first: Hashes, second: Hashes) -> tuple[Hashes, Integers, Integers]:
    """Return each hash of either sample once, and its two counts."""
    hashes = distinct(np.concatenate([_once(first), _once(second)]))
    before, after = (np.diff(np.searchsorted(values, hashes), append=len(values)) for values in (first, second))
    return hashes, before, after


def _once(values: Hashes) -> Hashes:
    """Return each of ascending values once, without the copies that a sort of a frequent value's many would need."""
    first = np.ones(len(values), bool)
    first[1:] = values[1:] != values[:-1]
    return np.asarray(values[first])


def _added(pairs: Integers, times: Integers, more: Integers) -> tuple[Integers, Integers]:
    """Add pairs to those that were counted before."""
    more = np.sort(more)
    new = distinct(more)
    both = distinct(np.concatenate([pairs, new]))
    total = np.zeros(len(both), np.int64)
    total[np.searchsorted(both, pairs)] = times
    total[np.searchsorted(both, new)] += np.diff(np.searchsorted(more, new), append=len(more))
    return both, total
