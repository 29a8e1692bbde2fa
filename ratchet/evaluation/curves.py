"""What a classifier's predictions look like: confusion matrix, ROC curve, calibration, score distribution.

An error has no largest value and no calibration; where it tells anomalies, its distribution is over bins of equal ratio.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ratchet.evaluation.alarms import error_edges, error_shares
from ratchet.evaluation.calibration import CalibrationBin, calibration_bins
from ratchet.evaluation.classification import confusion
from ratchet.evaluation.ranking import RocCurve, roc_curve

SCORE_BINS = 40


@dataclass(frozen=True)
class Curves:
    """The curves that a task has; the others are empty.

    Attributes:
        categories: Class names, in the order of the confusion matrix.
        confusion: Row is truth, column is decision.
        roc: The ROC curve; None unless the task is "binary" or "anomaly".
        calibration: Observed against predicted, "binary" only.
        scores: Share of a class's rows by score ("binary") or error ("anomaly").
        edges: Of the bins of the scores, one more than bins: from 0 to 1, or evenly spaced on a log axis for errors.
    """

    categories: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    roc: RocCurve | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    edges: tuple[float, ...] = ()


def curves_of(
    task: str, labels: NDArray[np.generic], predictions: NDArray[np.float64], threshold: float, classes: tuple[str, ...]
) -> Curves:
    """Return the curves of a task.

    Args:
        task: "binary", "multiclass", "regression" or "anomaly".
        labels: shape (n,): 0 or 1; class indices, −1 for a class that the model does not know; or numbers.
        predictions: shape (n,) or (n, k), finite.
        threshold: A row is flagged when its probability or error is at least this.
        classes: Class names, by index.

    >>> curves_of("binary", np.array([0, 1]), np.array([0.2, 0.9]), 0.5, ("no", "yes")).confusion
    ((1, 0), (0, 1))
    """
    if task == "regression":
        return Curves()
    whole = np.asarray(labels, dtype=np.int64)
    if task == "multiclass":
        known = whole >= 0
        return Curves(classes, _nested(confusion(whole[known], np.argmax(predictions[known], axis=1), len(classes))))
    anomaly = task == "anomaly"
    edges = error_edges(predictions) if anomaly else np.linspace(0, 1, SCORE_BINS + 1)
    return Curves(
        classes,
        _nested(confusion(whole, (predictions >= threshold).astype(np.int64), 2)),
        roc_curve(whole, predictions),
        () if anomaly else calibration_bins(whole, predictions),
        error_shares(whole, predictions, edges, classes),
        tuple(edges.tolist()),
    )


def _nested(matrix: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(count) for count in row) for row in matrix)
