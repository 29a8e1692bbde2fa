"""How well scores rank positives above negatives: the ROC curve, the area under it, average precision.

scikit-learn has these, but importing ``sklearn.metrics`` costs every step 3.1 s (its base classes bring in pandas and scipy), and
`compare` needs them a thousand times over reweighted rows, which it does not offer. They are a few cumulative sums; the tests hold
each to scikit-learn's answer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
LEVELS = 512


@dataclass(frozen=True)
class RocCurve:
    """Points of a ROC curve, from (0, 0) to (1, 1).

    Attributes:
        false_positive_rate: shape (k,), ascending.
        true_positive_rate: shape (k,), ascending.
        thresholds: shape (k,), descending and finite, because KFP cannot carry scikit-learn's first threshold, infinity. Rows that
            score at or above it count as positive.
    """

    false_positive_rate: Array
    true_positive_rate: Array
    thresholds: Array

    def thinned(self, points: int = 100) -> "RocCurve":
        """Return about this many of the points, evenly along the curve, both ends kept."""
        length = np.concatenate([[0.0], np.cumsum(np.diff(self.false_positive_rate) + np.diff(self.true_positive_rate))])
        places = np.unique(np.searchsorted(length, np.linspace(0, length[-1], points)).clip(0, len(length) - 1))
        places[0], places[-1] = 0, len(length) - 1
        return RocCurve(self.false_positive_rate[places], self.true_positive_rate[places], self.thresholds[places])


def roc_curve(labels: Labels, scores: Array) -> RocCurve | None:
    """Return the ROC curve, or None where one class is absent and a rate has no meaning.

    Args:
        labels: shape (n,), 0 or 1.
        scores: shape (n,), finite, larger for positives.

    >>> roc_curve(np.array([0, 1, 1]), np.array([0.2, 0.1, 0.9])).true_positive_rate.tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    positives, negatives, levels = _by_level(labels, scores)
    if not positives.sum() or not negatives.sum():
        return None
    rates = [np.concatenate([[0.0], np.cumsum(side) / side.sum()]) for side in (negatives, positives)]
    return RocCurve(rates[0], rates[1], np.concatenate([[np.nextafter(levels[0], np.inf)], levels]))


def roc_auc(labels: Labels, scores: Array) -> float:
    """Return the chance that a positive scores above a negative, ties counting half.

    Args:
        labels: shape (n,), 0 or 1.
        scores: shape (n,), finite, larger for positives.

    Returns:
        0 to 1; not a number where one class is absent. Equals ``sklearn.metrics.roc_auc_score``.

    Source:
        Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 143 (1982).

    >>> roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    positives, negatives, _ = _by_level(labels, scores)
    return float(_area(positives[None, ::-1], negatives[None, ::-1])[0])


def average_precision(labels: Labels, scores: Array) -> float:
    """Return the mean of the precision over the positives, each at its own score: the area under precision against recall, as steps.

    Args:
        labels: shape (n,), 0 or 1.
        scores: shape (n,), finite, larger for positives.

    Returns:
        0 to 1; not a number without positives. Equals ``sklearn.metrics.average_precision_score``.

    Source:
        Su, Yuan and Zhu, "A relationship between the average precision and the area under the ROC curve", ICTIR (2015).

    >>> round(average_precision(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
    0.8333
    """
    positives, negatives, _ = _by_level(labels, scores)
    return float(_precision(positives[None, ::-1], negatives[None, ::-1])[0])


def resampled(name: str, labels: Labels, scores: Array, block: NDArray[np.int64], weights: NDArray[np.float32]) -> Array:
    """Return a ranking metric of every resample of a block bootstrap.

    Scores are first put on at most 2 · 512 + 1 levels, cut at quantiles of the positives' scores: exact up to 512 different scores of
    positives, and near enough beyond for an interval. So the work does not grow with the rows.

    Args:
        name: "roc_auc" or "average_precision".
        labels: shape (n,), 0 or 1.
        scores: shape (n,), finite.
        block: shape (n,), the block of each row.
        weights: shape (resamples, blocks), how often each block was drawn.

    Returns:
        shape (resamples,); not a number where a resample lacks a class.
    """
    cuts = np.unique(scores[labels == 1])
    if len(cuts) > LEVELS:
        cuts = np.unique(np.quantile(scores[labels == 1], np.linspace(0, 1, LEVELS), method="inverted_cdf"))
    level = np.searchsorted(cuts, scores, "left") + np.searchsorted(cuts, scores, "right")  # odd at a cut, even between two
    width = 2 * len(cuts) + 1
    sides = []
    for wanted in (1, 0):
        rows = labels == wanted
        table = np.bincount(block[rows] * width + level[rows], minlength=weights.shape[1] * width)
        sides.append((weights @ table.reshape(-1, width).astype(np.float32)).astype(np.float64))
    return _area(*sides) if name == "roc_auc" else _precision(*sides)


def _by_level(labels: Labels, scores: Array) -> tuple[Array, Array, Array]:
    """Return positives, negatives and score by distinct score, the highest first."""
    levels, place = np.unique(scores, return_inverse=True)
    positives = np.bincount(place, weights=labels, minlength=len(levels)).astype(np.float64)
    everything = np.bincount(place, minlength=len(levels)).astype(np.float64)
    return positives[::-1], (everything - positives)[::-1], levels[::-1]


def _area(positives: Array, negatives: Array) -> Array:
    """Return AUC by row of counts over ascending levels."""
    below = np.cumsum(negatives, axis=1) - negatives / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((positives * below).sum(axis=1) / (positives.sum(axis=1) * negatives.sum(axis=1)))


def _precision(positives: Array, negatives: Array) -> Array:
    """Return average precision by row of counts over ascending levels."""
    hits = np.cumsum(positives[:, ::-1], axis=1)
    flagged = hits + np.cumsum(negatives[:, ::-1], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(flagged > 0, hits / flagged, 0.0)
        return np.asarray((precision * positives[:, ::-1]).sum(axis=1) / hits[:, -1])
