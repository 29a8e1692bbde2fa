"""The bins that a PSI and the divergences are taken over.

Two are kept because they answer tenfold differently: deciles of the reference, which every credit scorecard uses, and the bins of
Evidently (Sturges' rule over both samples, single values where there are few), so that a number here is found again in its report.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ratchet.drift.statistics import shares

Array = NDArray[np.float64]
FEW_VALUES = 20


def decile_counts(reference: Array, current: Array) -> tuple[Array, Array]:
    """Return counts by decile of the reference; deciles that coincide, because one value is frequent, become one bin.

    Args:
        reference: shape (n,), ascending, no NaN.
        current: shape (m,), likewise.

    Returns:
        Two arrays of shape (k,), k ≤ 10.

    >>> first, second = decile_counts(np.arange(100.0), np.arange(50.0))
    >>> first.astype(int).tolist(), second.astype(int).tolist()
    ([10, 10, 10, 10, 10, 10, 10, 10, 10, 10], [10, 10, 10, 10, 10, 0, 0, 0, 0, 0])
    """
    places = np.ceil(np.arange(1, 10) / 10 * len(reference)).astype(int) - 1
    edges = np.unique(reference[places])
    return _counts(reference, edges), _counts(current, edges)


def sturges_counts(reference: Array, current: Array) -> tuple[Array, Array]:
    """Return counts as Evidently bins them: by value up to 20 values in the reference, else Sturges' bins over both samples.

    Args:
        reference: shape (n,), ascending, no NaN. Infinities, which no such bin can hold, are left out.
        current: shape (m,), likewise.

    Source:
        Sturges, "The choice of a class interval", JASA 21 (1926); evidently 0.7, ``stattests/utils.py``.
    """
    first, second = (side[np.isfinite(side)] for side in (reference, current))
    if not len(first) or not len(second):
        return np.zeros(1), np.zeros(1)
    if int(np.count_nonzero(np.diff(first))) < FEW_VALUES:
        edges = np.union1d(first, second)[:-1]
        return _counts(first, edges), _counts(second, edges)
    low, high = min(first[0], second[0]), max(first[-1], second[-1])
    bins = math.ceil(math.log2(len(first) + len(second)) + 1)
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.linspace(low, high, bins + 1)[1:-1]
    return _counts(first, edges, side="left"), _counts(second, edges, side="left")


def evidently_psi(reference: Array, current: Array) -> float:
    """Return the PSI of `sturges_counts` as Evidently computes it, with its own rule for empty bins.

    An empty bin gets the share 0.0001, or a millionth of the side's smallest share where that is at most 0.0001.

    Args:
        reference: shape (k,), counts by bin, not all 0.
        current: shape (k,), likewise.

    >>> round(evidently_psi(np.array([50.0, 50.0]), np.array([80.0, 20.0])), 4)
    0.4159
    """
    first, second = _filled(shares(reference)), _filled(shares(current))
    return float(np.sum((first - second) * np.log(first / second)))


def _filled(values: Array) -> Array:
    smallest = float(values[values > 0].min())
    return np.where(values == 0, smallest / 1e6 if smallest <= 1e-4 else 1e-4, values)


def _counts(values: Array, edges: Array, side: str = "right") -> Array:
    places = np.searchsorted(values, edges, side="right" if side == "right" else "left")
    return np.diff(places, prepend=0, append=len(values)).astype(np.float64)
