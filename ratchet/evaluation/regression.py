"""Metrics of models that predict a number."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def regression_metrics(labels: Array, predictions: Array) -> dict[str, float]:
    """Return RMSE, MAE, R² and MAPE.

    Args:
        labels: shape (n,).
        predictions: shape (n,).

    Returns:
        By name. `rmse` and `mae` are in the target's unit. `r2` is not a number where the target is constant. `mape` is a share (0.1
        is 10%) over the rows whose target is not zero, where a relative error has a meaning; `mape_rows_left_out` counts the others.

    >>> metrics = regression_metrics(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 5.0]))
    >>> round(metrics["mae"], 4), metrics["r2"], metrics["mape"], metrics["mape_rows_left_out"]
    (0.6667, 0.75, 0.125, 1.0)
    """
    error = predictions - labels
    spread = float(np.sum((labels - labels.mean()) ** 2)) if len(labels) else 0.0
    nonzero = labels != 0
    relative = np.abs(error[nonzero] / labels[nonzero])
    return {
        "rmse": float(np.sqrt(np.mean(error**2))) if len(error) else float("nan"),
        "mae": float(np.mean(np.abs(error))) if len(error) else float("nan"),
        "r2": 1 - float(np.sum(error**2)) / spread if spread else float("nan"),
        "mape": float(relative.mean()) if len(relative) else float("nan"),
        "mape_rows_left_out": float(np.sum(~nonzero)),
    }
