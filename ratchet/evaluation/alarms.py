"""What a model that knows only how unlike usual rows a row is finds, misses and raises for nothing, and what its alarms are about."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ratchet.evaluation.classification import confusion
from ratchet.evaluation.ranking import average_precision, roc_auc

if TYPE_CHECKING:
    from ratchet.evaluation.injection import Injected
    from ratchet.models.package import ModelPackage

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
BINS = 40
MOST_EXPLAINED = 10_000
DECADES = 6


def anomaly_metrics(
    labels: Labels, errors: Array, threshold: float, *, cost_false_negative: float = 1.0, cost_false_positive: float = 1.0
) -> dict[str, float]:
    """Return the metrics of a model that finds anomalies: ranking first, then its decisions.

    Args:
        labels: shape (n,), 1 for an anomaly, else 0.
        errors: shape (n,), the error of each row, larger where it is less usual.
        threshold: A row is flagged when its error is at least this.
        cost_false_negative: Cost of a missed anomaly.
        cost_false_positive: Cost of a false alarm, in the same unit.

    Returns:
        By name. `false_alarm_rate` is the share of normal rows that are flagged, `alarm_rate` that of all rows, `balanced_accuracy` the
        mean of recall and of the share of normal rows left alone; `expected_cost` is per row, in the unit of the costs.

    >>> found = anomaly_metrics(np.array([0, 0, 0, 0, 1, 1]), np.array([0.1, 0.2, 0.2, 3.0, 0.3, 9.0]), 1.0)
    >>> found["recall"], found["precision"], found["false_alarm_rate"], found["balanced_accuracy"]
    (0.5, 0.5, 0.25, 0.625)
    """
    ((quiet, false), (missed, found)) = confusion(labels, (errors >= threshold).astype(np.int64), 2).tolist()
    recall, false_alarm_rate = _ratio(found, found + missed), _ratio(false, false + quiet)
    rows = len(labels)
    return {
        "roc_auc": roc_auc(labels, errors),
        "average_precision": average_precision(labels, errors),
        "precision": _ratio(found, found + false),
        "recall": recall,
        "f1": _ratio(2 * found, 2 * found + false + missed),
        "false_alarm_rate": false_alarm_rate,
        "alarm_rate": _ratio(found + false, rows),
        "balanced_accuracy": (recall + 1 - false_alarm_rate) / 2,
        "accuracy": _ratio(found + quiet, rows),
        "expected_cost": _ratio(cost_false_negative * missed + cost_false_positive * false, rows),
    }


def recall_by_kind(injected: "Injected", errors: Array, threshold: float) -> dict[str, float]:
    """Return the share that a model flags of each kind of injected anomaly, by kind."""
    return {kind: float(np.mean(errors[injected.kinds == kind] >= threshold)) for kind in injected.counts}


def error_edges(errors: Array) -> Array:
    """Return the edges of bins for errors, evenly spaced on a log axis.

    They reach down six decades from the largest error, or to the smallest above 0 where that is more; what is below, like a row
    reproduced exactly, counts in the first bin.

    Args:
        errors: shape (n,), 0 or above.

    Returns:
        shape (41,), ascending, above 0.

    >>> edges = error_edges(np.array([0.0, 1.0, 100.0]))
    >>> len(edges), float(edges[0]), float(edges[-1])
    (41, 1.0, 100.0)
    """
    present = errors[errors > 0]
    high = float(present.max()) if len(present) else 1.0
    low = max(float(present.min()) if len(present) else 0.1, high / 10**DECADES)
    low, high = (low, high) if low < high else (high / 2, high * 2)
    return np.geomspace(low, high, BINS + 1)


def error_shares(labels: Labels, errors: Array, edges: Array, classes: tuple[str, ...]) -> Mapping[str, tuple[float, ...]]:
    """Return the share of each class's rows by bin of its error.

    Args:
        labels: shape (n,), place in ``classes``.
        errors: shape (n,).
        edges: From `error_edges`.
        classes: Class names.
    """
    inside = np.clip(errors, edges[0], edges[-1])
    counts = {name: np.histogram(inside[labels == place], edges)[0] for place, name in enumerate(classes)}
    return {name: tuple(float(share) for share in side / max(int(side.sum()), 1)) for name, side in counts.items()}


def flagged_columns(model: "ModelPackage", frame: pl.DataFrame, errors: Array, threshold: float) -> dict[str, float]:
    """Return what alarms are about: each column's mean share of the error of the rows that are flagged, the largest first.

    Args:
        model: An autoencoder.
        frame: The rows.
        errors: shape (n,), its error of each.
        threshold: A row is flagged when its error is at least this.

    Returns:
        Share by feature, summing to 1; empty where no row is flagged. Of many flagged rows the first 10,000 are asked about.
    """
    flagged = frame.filter(pl.Series(errors >= threshold, dtype=pl.Boolean)).head(MOST_EXPLAINED)
    if flagged.is_empty():
        return {}
    shares = model.encode(flagged, shares=True).shares
    assert shares is not None, "asked for"
    means = dict(zip(model.encoder.preparation.columns, shares.mean(axis=0).tolist(), strict=True))
    return dict(sorted(means.items(), key=lambda item: -item[1]))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
