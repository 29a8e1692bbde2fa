"""The bins that a PSI and the divergences are taken over.

Two are kept because they answer tenfold differently: deciles of the reference, which every credit scorecard uses, and the bins of
Evidently (Sturges' rule over both samples, single values where there are few), so that a number here is found again in its report.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ratchet.drift.merged import Array, distinct
from ratchet.drift.statistics import shares

Counts = NDArray[np.float64]
FEW_VALUES = 20


def decile_counts(reference: Array, current: Array) -> tuple[Counts, Counts]:
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
    edges = distinct(reference[places])
    return _counts(reference, edges), _counts(current, edges)


def sturges_counts(reference: Array, current: Array, *, whole: bool = False) -> tuple[Counts, Counts]:
    """Return counts as Evidently bins them: by value up to 20 values in the reference, else Sturges' bins over both samples.

    Args:
        reference: shape (n,), ascending, no NaN. Infinities, which no such bin can hold, are left out.
        current: shape (m,), likewise.
        whole: The numbers are integers in pandas, too (none is missing): numpy makes no bin of integers narrower than 1.

    Source:
        Sturges, "The choice of a class interval", JASA 21 (1926); evidently 0.7, ``stattests/utils.py``; numpy's
        ``histogram_bin_edges``.
    """
    first, second = _finite(reference), _finite(current)
    if not len(first) or not len(second):
        return np.zeros(1), np.zeros(1)
    few, others = _few(first), _few(second)
    if few is not None:
        edges = distinct(np.concatenate([few, second if others is None else others]))[:-1]
        return _counts(first, edges), _counts(second, edges)
    low, high = float(min(first[0], second[0])), float(max(first[-1], second[-1]))
    width = (high - low) / (math.log2(len(first) + len(second)) + 1)
    bins = math.ceil((high - low) / (max(width, 1.0) if whole else width))
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.linspace(low, high, bins + 1)[1:-1]
    return _counts(first, edges, below=True), _counts(second, edges, below=True)


def evidently_psi(reference: Counts, current: Counts) -> float:
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


def _filled(values: Counts) -> Counts:
    smallest = float(values[values > 0].min())
    return np.where(values == 0, smallest / 1e6 if smallest <= 1e-4 else 1e-4, values)


def _finite(values: Array) -> Array:
    if values.dtype != np.float64:
        return values
    low, high = np.searchsorted(values, [-np.finfo(np.float64).max, np.inf])
    return values[low:high]


def _few(values: Array) -> Array | None:
    """Return the different values where there are few; a search from each to the next, because to compare all neighbours costs a pass."""
    places = [0]
    while len(places) <= FEW_VALUES:
        places.append(int(np.searchsorted(values, values[places[-1]], side="right")))
        if places[-1] == len(values):
            return values[places[:-1]]
    return None


def _counts(values: Array, edges: Array, *, below: bool = False) -> Counts:
    """Return counts between edges; a value that is an edge counts to the left of it, or with ``below`` to the right."""
    if values.dtype != edges.dtype:  # numpy would turn all values into floats to find a few edges among them
        edges = np.clip(np.ceil(edges) if below else np.floor(edges), -(2.0**63), 2.0**63 - 1024).astype(np.int64)
    places = np.searchsorted(values, edges, side="left" if below else "right")
    return np.diff(places, prepend=0, append=len(values)).astype(np.float64)
