"""The one metric that a model is named by, per task, and its spread under resampling.

Average precision for two classes, because the area under the ROC curve hardly moves where positives are rare; accuracy for several;
RMSE for numbers. For anomalies it is average precision again; F1, at the model's own threshold, is the one that looks at decisions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratchet.errors import ParameterError, nearest
from ratchet.evaluation import ranking
from ratchet.evaluation.bootstrap import Blocks, Weights
from ratchet.evaluation.classification import half_brier, log_losses

Array = NDArray[np.float64]
Labels = NDArray[np.generic]
Rows = Callable[[Labels, Array], Array]


def _log_losses(labels: Labels, predictions: Array) -> Array:
    pairs = np.stack([1 - predictions, predictions], axis=1) if predictions.ndim == 1 else predictions
    return log_losses(np.asarray(labels, dtype=np.int64), pairs)


def _briers(labels: Labels, predictions: Array) -> Array:
    pairs = np.stack([1 - predictions, predictions], axis=1) if predictions.ndim == 1 else predictions
    return half_brier(np.asarray(labels, dtype=np.int64), pairs)


def _right(labels: Labels, predictions: Array) -> Array:
    return np.asarray(np.argmax(predictions, axis=1) == labels, dtype=np.float64)


def _squares(labels: Labels, predictions: Array) -> Array:
    return np.asarray((predictions - np.asarray(labels, dtype=np.float64)) ** 2)


def _distances(labels: Labels, predictions: Array) -> Array:
    return np.asarray(np.abs(predictions - np.asarray(labels, dtype=np.float64)))


def _hits_and_errors(labels: Labels, predictions: Array, threshold: float) -> tuple[Array, Array]:
    """Return by row whether it is a positive that was found, and whether it was decided wrongly."""
    flagged, positive = predictions >= threshold, np.asarray(labels) == 1
    return (flagged & positive).astype(np.float64), (flagged != positive).astype(np.float64)


def _f1(hits: Array, errors: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray(2 * hits / (2 * hits + errors))


MEANS: dict[str, Rows] = {"log_loss": _log_losses, "brier": _briers, "accuracy": _right, "rmse": _squares, "mae": _distances}
HIGHER_IS_BETTER = ("average_precision", "roc_auc", "accuracy", "f1")
BY_TASK = {
    "binary": ("average_precision", "roc_auc", "log_loss", "brier"),
    "multiclass": ("accuracy", "log_loss", "brier"),
    "regression": ("rmse", "mae"),
    "anomaly": ("average_precision", "roc_auc", "f1"),
}


@dataclass(frozen=True)
class PrimaryMetric:
    """A metric by name.

    Attributes:
        name: As in the metrics of `evaluate`.
    """

    name: str

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is a better model."""
        return self.name in HIGHER_IS_BETTER

    def value(self, labels: Labels, predictions: Array, threshold: float = 0.5) -> float:
        """Return the metric; not a number where the rows cannot give it. Only "f1" looks at the threshold."""
        if self.name == "f1":
            return float(_f1(*(side.sum() for side in _hits_and_errors(labels, predictions, threshold))))
        if self.name not in MEANS:
            measure = ranking.roc_auc if self.name == "roc_auc" else ranking.average_precision
            return measure(np.asarray(labels, dtype=np.int64), predictions)
        rows = MEANS[self.name](labels, predictions)
        mean = float(rows.mean()) if len(rows) else float("nan")
        return float(np.sqrt(mean)) if self.name == "rmse" else mean

    def resampled(self, labels: Labels, predictions: Array, blocks: Blocks, weights: Weights, threshold: float = 0.5) -> Array:
        """Return the metric in each resample, shape (resamples,)."""
        if self.name == "f1":
            return _f1(*(weights @ blocks.sums(side) for side in _hits_and_errors(labels, predictions, threshold)))
        if self.name not in MEANS:
            return ranking.resampled(self.name, np.asarray(labels, dtype=np.int64), predictions, blocks.index, weights)
        means = blocks.means(weights, MEANS[self.name](labels, predictions))
        return np.sqrt(means) if self.name == "rmse" else means


def choose_primary(task: str, name: str = "") -> PrimaryMetric:
    """Return the primary metric of a task.

    Args:
        task: "binary", "multiclass", "regression" or "anomaly".
        name: One of the task's metrics; empty for its first.

    Raises:
        ParameterError: the task has no such metric.

    >>> choose_primary("binary").name
    'average_precision'
    """
    known = BY_TASK[task]
    if name and name not in known:
        raise ParameterError(f"primary metric {name!r} does not fit the task {task!r}; {nearest(name, known)}")
    return PrimaryMetric(name or known[0])
