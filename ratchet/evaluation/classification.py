"""Metrics of classifiers. Each is a line or two of numpy (why not scikit-learn's: see `ratchet.evaluation.ranking`).

A metric that the data cannot give (AUC with one class, precision with nothing flagged) is not a number, never a convenient zero.
"""

import numpy as np
from numpy.typing import NDArray

from ratchet.evaluation.calibration import calibration_error
from ratchet.evaluation.ranking import average_precision, roc_auc

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def binary_metrics(
    labels: Labels, scores: Array, threshold: float, *, cost_false_negative: float = 1.0, cost_false_positive: float = 1.0
) -> dict[str, float]:
    """Return the metrics of a binary classifier, ranking first, decisions next, probabilities last.

    Args:
        labels: shape (n,), 0 or 1.
        scores: shape (n,), probability of the positive class.
        threshold: A row is flagged when its score is at least this.
        cost_false_negative: Cost of a positive that is not flagged.
        cost_false_positive: Cost of a negative that is flagged, in the same unit.

    Returns:
        By name. `expected_cost` is the mean cost per row, in the unit of the costs; `log_loss` is in nats.

    >>> metrics = binary_metrics(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.35, 0.8]), 0.5, cost_false_negative=10)
    >>> metrics["accuracy"], metrics["recall"], metrics["expected_cost"]
    (0.5, 0.5, 2.75)
    """
    ((true_negative, false_positive), (false_negative, true_positive)) = confusion(
        labels, (scores >= threshold).astype(np.int64), 2
    ).tolist()
    rows = len(labels)
    return {
        "roc_auc": roc_auc(labels, scores),
        "average_precision": average_precision(labels, scores),
        "accuracy": _ratio(true_positive + true_negative, rows),
        "precision": _ratio(true_positive, true_positive + false_positive),
        "recall": _ratio(true_positive, true_positive + false_negative),
        "f1": _ratio(2 * true_positive, 2 * true_positive + false_positive + false_negative),
        "expected_cost": _ratio(cost_false_negative * false_negative + cost_false_positive * false_positive, rows),
        "log_loss": log_loss(labels, np.stack([1 - scores, scores], axis=1)),
        "brier": _ratio(float(np.sum((scores - labels) ** 2)), rows),
        "calibration_error": calibration_error(labels, scores),
    }


def multiclass_metrics(labels: Labels, probabilities: Array) -> dict[str, float]:
    """Return the metrics of a classifier of several classes.

    Args:
        labels: shape (n,), index of the class, or −1 for a class that the model does not know, which is always wrong.
        probabilities: shape (n, k).

    Returns:
        By name. `macro_f1` is the mean F1 over the classes that occur or are predicted. `brier` is halved, so that it lies in 0 to 1.
    """
    known = labels >= 0
    decided = np.argmax(probabilities, axis=1)
    matrix = confusion(labels[known], decided[known], probabilities.shape[1])
    wrong = np.bincount(decided[~known], minlength=len(matrix))
    found, flagged = np.diag(matrix), matrix.sum(axis=0) + wrong
    occurs = (matrix.sum(axis=1) + flagged) > 0
    f1 = 2 * found[occurs] / (matrix.sum(axis=1) + flagged)[occurs]
    return {
        "accuracy": _ratio(float(found.sum()), len(labels)),
        "macro_f1": float(f1.mean()) if len(f1) else float("nan"),
        "log_loss": log_loss(labels, probabilities),
        "brier": float(half_brier(labels, probabilities).mean()) if len(labels) else float("nan"),
    }


def confusion(labels: Labels, decided: Labels, classes: int) -> NDArray[np.int64]:
    """Return the confusion matrix.

    Args:
        labels: shape (n,), index of the true class.
        decided: shape (n,), index of the decided class.
        classes: Number of classes.

    Returns:
        shape (classes, classes); row is truth, column is decision.

    >>> confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    return np.bincount(labels * classes + decided, minlength=classes * classes).reshape(classes, classes)


def log_losses(labels: Labels, probabilities: Array, least: float = float(np.finfo(np.float64).eps)) -> Array:
    """Return −ln of the probability given to the true class, by row, in nats.

    Args:
        labels: shape (n,), index of the class, or −1 for one that the model does not know, which had no probability.
        probabilities: shape (n, k).
        least: Smallest probability; by default the smallest step of a float, as in scikit-learn, so that one row cannot be infinite.
    """
    given = np.where(labels >= 0, probabilities[np.arange(len(labels)), labels], 0.0)
    return np.asarray(-np.log(np.clip(given, least, 1.0)))


def log_loss(labels: Labels, probabilities: Array) -> float:
    """Return the mean of `log_losses`; equals ``sklearn.metrics.log_loss`` where every class is known.

    >>> round(log_loss(np.array([0, 1]), np.array([[0.9, 0.1], [0.5, 0.5]])), 4)
    0.3993
    """
    return float(log_losses(labels, probabilities).mean()) if len(labels) else float("nan")


def half_brier(labels: Labels, probabilities: Array) -> Array:
    """Return half the squared distance of the probabilities from the truth, by row; for two classes the usual Brier score.

    Args:
        labels: shape (n,), index of the class, or −1 for one that the model does not know.
        probabilities: shape (n, k), rows sum to 1.

    Returns:
        shape (n,), 0 to 1.

    Source:
        Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78 (1950).
    """
    given = np.where(labels >= 0, probabilities[np.arange(len(labels)), labels], 0.0)
    return np.asarray((np.sum(probabilities**2, axis=1) - 2 * given + 1) / 2)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
