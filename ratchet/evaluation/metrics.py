"""Every metric of a model on labelled rows, whichever its task."""

import numpy as np
from numpy.typing import NDArray

from ratchet.evaluation.alarms import anomaly_metrics
from ratchet.evaluation.classification import binary_metrics, multiclass_metrics
from ratchet.evaluation.losses import Loss
from ratchet.evaluation.regression import regression_metrics


def metrics_of(task: str, labels: NDArray[np.generic], predictions: NDArray[np.float64], threshold: float, loss: Loss) -> dict[str, float]:
    """Return the metrics of a task, the mean loss first.

    Args:
        task: "binary", "multiclass", "regression" or "anomaly".
        labels: shape (n,), at least one: 0 or 1; class indices; or numbers.
        predictions: shape (n,) or (n, k), finite.
        threshold: A row is flagged when its probability or error is at least this.
        loss: The loss that models are compared by.

    >>> list(metrics_of("regression", np.array([1.0, 2.0]), np.array([1.0, 3.0]), 0.5, Loss("absolute", scale=4.0)).items())[:2]
    [('loss', 0.125), ('rmse', 0.7071067811865476)]
    """
    mean = {"loss": float(loss.per_row(labels, predictions, threshold).mean())}
    if task == "regression":
        return mean | regression_metrics(np.asarray(labels, dtype=np.float64), predictions)
    whole = np.asarray(labels, dtype=np.int64)
    if task == "multiclass":
        return mean | multiclass_metrics(whole, predictions)
    costs = {"cost_false_negative": loss.cost_false_negative, "cost_false_positive": loss.cost_false_positive}
    measure = anomaly_metrics if task == "anomaly" else binary_metrics
    return mean | measure(whole, predictions, threshold, **costs)
