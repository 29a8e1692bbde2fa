"""Whether a probability means what it says: of the rows given 0.2, two in ten should be positive."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of similar score.

    Attributes:
        rows: How many.
        predicted: Their mean score.
        observed: Share of positives among them.
    """

    rows: int
    predicted: float
    observed: float


def calibration_bins(labels: NDArray[np.int64], scores: NDArray[np.float64], bins: int = 10) -> tuple[CalibrationBin, ...]:
    """Return bins of equal numbers of rows, because with rare positives bins of equal width would hold almost all rows in one.

    Args:
        labels: shape (n,), 0 or 1.
        scores: shape (n,), probability of the positive class. Equal scores are never parted.
        bins: At most this many.

    >>> [(b.rows, b.observed) for b in calibration_bins(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), bins=2)]
    [(2, 0.0), (2, 1.0)]
    """
    if not len(scores):
        return ()
    edges = np.unique(np.quantile(scores, np.arange(1, bins) / bins, method="inverted_cdf"))
    place = np.searchsorted(edges, scores, side="left")
    rows, positives, total = (np.bincount(place, weights=w, minlength=len(edges) + 1) for w in (None, labels, scores))
    return tuple(CalibrationBin(int(n), float(s / n), float(p / n)) for n, p, s in zip(rows, positives, total, strict=True) if n)


def calibration_error(labels: NDArray[np.int64], scores: NDArray[np.float64], bins: int = 10) -> float:
    """Return the expected calibration error: the mean distance of observed from predicted over `calibration_bins`, weighted by rows.

    Source:
        Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI (2015), with the bins of
        Nguyen and O'Connor, "Posterior calibration and exploratory analysis", EMNLP (2015).

    >>> round(calibration_error(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), bins=2), 4)
    0.15
    """
    found = calibration_bins(labels, scores, bins)
    return sum(b.rows * abs(b.observed - b.predicted) for b in found) / len(scores) if found else float("nan")
