"""The threshold of an autoencoder: the reconstruction error at or above which a row is an anomaly.

It lies halfway between two errors that were met, so that an error a hair away from a seen one (another processor, another batch) is decided
alike.
"""

import numpy as np
import numpy.typing as npt

from ratchet.errors import EmptySampleError, ParameterError
from ratchet.models.autoencoder.parameters import AutoencoderParameters

NORMAL, ANOMALY, UNLABELLED = 0.0, 1.0, -1.0  # labels
ROUNDING = 1e-9  # 0.29 × 100 is a hair below 29


def alarm_threshold(labels: np.ndarray, errors: np.ndarray, how: AutoencoderParameters) -> float:
    """Return the threshold that validation rows and parameters ask for.

    With labels of both classes "auto" takes the cheapest threshold where the two costs differ, and the best F-score where nobody has stated
    them. Else it takes the rate, of the rows labelled normal, or where there are none of those not known to be anomalies.

    Args:
        labels: shape (n,): 0 normal, 1 anomaly, -1 not known.
        errors: shape (n,), reconstruction errors, finite.
        how: ``threshold_by``, ``false_alarm_rate`` and the costs.

    Raises:
        EmptySampleError: there are no rows.
        ParameterError: labels of both classes are needed, and there are none.
    """
    normal, anomaly = labels == NORMAL, labels == ANOMALY
    known, both = normal | anomaly, bool(normal.any() and anomaly.any())
    by_labels = "f_score" if how.cost_false_negative == how.cost_false_positive else "cost"
    by = how.threshold_by if how.threshold_by != "auto" else by_labels if both else "rate"
    if by == "rate":
        rows = next((rows for rows in (normal, ~anomaly) if rows.any()), anomaly)
        return threshold_by_rate(errors[rows], how.false_alarm_rate)
    if not both:
        raise ParameterError(f"threshold_by is {by!r}, and the validation rows have no labels of both classes; give 'rate'")
    if by == "cost":
        return threshold_by_cost(labels[known], errors[known], how.cost_false_negative, how.cost_false_positive)
    return threshold_by_f_score(labels[known], errors[known])


def threshold_by_rate(errors: npt.ArrayLike, rate: float) -> float:
    """Return the lowest threshold at which no more than a share of normal rows is called an anomaly.

    Rows of one error are on one side, so the share can be smaller than asked; with fewer than 1 / rate rows it is none.

    Args:
        errors: shape (n,), reconstruction errors of normal rows, finite.
        rate: Wanted false-alarm rate, between 0 and 1.

    Returns:
        Halfway between two errors, or just above the highest one.

    Raises:
        EmptySampleError: there are no rows.
        ParameterError: the rate is no share.

    >>> threshold_by_rate([1.0, 2.0, 3.0, 4.0], 0.25)
    3.5
    >>> threshold_by_rate([1.0, 2.0, 4.0, 4.0], 0.5)
    3.0
    """
    if not 0 < rate < 1:
        raise ParameterError(f"false_alarm_rate is {rate!r}; give a share between 0 and 1")
    values, counts = np.unique(_errors(errors), return_counts=True)
    alarms = np.cumsum(counts[::-1])[::-1]  # rows at or above each value
    allowed = np.flatnonzero(alarms <= rate * alarms[0] + ROUNDING)
    return _cut(values, int(allowed[0]) if allowed.size else values.size)


def threshold_by_f_score(labels: npt.ArrayLike, errors: npt.ArrayLike, beta: float = 1.0) -> float:
    """Return the threshold with the highest F-score; of equally good ones the highest, which raises the fewest alarms.

    Args:
        labels: shape (n,), 1 for an anomaly, else 0.
        errors: shape (n,), reconstruction errors, finite.
        beta: Recall weighs this many times as much as precision.

    Returns:
        Halfway between two errors, or 0 when all rows are best called anomalies.

    Raises:
        EmptySampleError: there is no anomaly, so no threshold is better than another.
        ParameterError: beta is not above 0.

    Source:
        van Rijsbergen, "Information Retrieval", 2nd edition (1979), chapter 7.

    >>> threshold_by_f_score([0, 0, 1, 1], [0.1, 0.5, 0.7, 0.9])
    0.6
    >>> threshold_by_f_score([0, 1, 0, 1], [0.1, 0.25, 0.5, 0.75])
    0.175
    """
    if not 0 < beta < float("inf"):
        raise ParameterError(f"beta is {beta!r}; give a finite number above 0")
    values, hits, alarms = _cuts(labels, errors)
    if not hits[0]:
        raise EmptySampleError("no validation row is an anomaly, so none can be found; take a longer time, or threshold_by='rate'")
    score = (1 + beta**2) * hits / (alarms + beta**2 * hits[0])
    return _cut(values, int(np.flatnonzero(score >= score.max() * (1 - 1e-12))[-1]))


def threshold_by_cost(labels: npt.ArrayLike, errors: npt.ArrayLike, cost_false_negative: float, cost_false_positive: float) -> float:
    """Return the threshold at which mistakes cost least; of equally cheap ones the highest, which raises the fewest alarms.

    Args:
        labels: shape (n,), 1 for an anomaly, else 0.
        errors: shape (n,), reconstruction errors, finite.
        cost_false_negative: Cost of a missed anomaly.
        cost_false_positive: Cost of a false alarm.

    Returns:
        Halfway between two errors, 0 when it is cheapest to call all rows anomalies, or just above the highest error.

    Raises:
        EmptySampleError: there are no rows.

    >>> threshold_by_cost([0, 1, 0, 1], [0.1, 0.25, 0.5, 0.75], 1.0, 2.0)
    0.625
    >>> threshold_by_cost([0, 1, 0, 1], [0.1, 0.25, 0.5, 0.75], 3.0, 1.0)
    0.175
    """
    values, hits, alarms = (np.append(part, 0.0) for part in _cuts(labels, errors))
    cost = cost_false_negative * (hits[0] - hits) + cost_false_positive * (alarms - hits)
    cheapest = np.flatnonzero(cost <= cost.min() + 1e-12 * max(1.0, cost.max()))
    return _cut(values[:-1], int(cheapest[-1]))


def _cuts(labels: npt.ArrayLike, errors: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], ...]:
    """Return the errors met, in order, and for each how many anomalies and how many rows are at or above it."""
    truth, found = np.asarray(labels, dtype=np.float64), _errors(errors)
    values, place = np.unique(found, return_inverse=True)
    counted = [np.cumsum(np.bincount(place, weights=weights)[::-1])[::-1].astype(np.float64) for weights in (truth, np.ones_like(truth))]
    return values, *counted


def _errors(errors: npt.ArrayLike) -> npt.NDArray[np.float64]:
    found = np.asarray(errors, dtype=np.float64)
    if not found.size:
        raise EmptySampleError("a threshold needs validation rows, and there are none; give the validation split a share above 0")
    if not np.isfinite(found).all():  # NaN is above no threshold, so it would be taken for normal
        row = int(np.flatnonzero(~np.isfinite(found))[0])
        raise ParameterError(f"the error of row {row} is {found[row]}; a threshold needs finite errors: lower learning_rate")
    return found


def _cut(values: npt.NDArray[np.float64], place: int) -> float:
    """Return the threshold that is above the first ``place`` of these values, in order, and not above the next."""
    if place == 0:
        return 0.0  # no error is below it
    if place == values.size:
        return float(np.nextafter(values[-1], np.inf))
    below, above = values[place - 1], values[place]
    middle = below + (above - below) / 2
    return float(middle if middle > below else above)
