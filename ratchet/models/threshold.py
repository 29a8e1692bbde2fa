"""The decision threshold of a two-class model: where mistakes on the validation split cost least."""

import numpy as np
import numpy.typing as npt

from ratchet.errors import EmptySampleError, ParameterError


def choose_threshold(
    labels: npt.ArrayLike, scores: npt.ArrayLike, cost_false_negative: float = 1.0, cost_false_positive: float = 1.0
) -> float:
    """Return the threshold at which decisions cost least; a row is called positive when its score is at or above it.

    Thresholds lie halfway between neighbouring scores, so that a score a hair away from a seen one is decided alike. Of equally cheap
    ones the middle of the longest run is taken, which is the least sensitive to a new sample.

    Args:
        labels: shape (n,), 0 or 1.
        scores: shape (n,), in [0, 1].
        cost_false_negative: Cost of a missed positive.
        cost_false_positive: Cost of a false alarm.

    Returns:
        A number in [0, 1], or just above 1 when it is cheapest to call nothing positive.

    Raises:
        EmptySampleError: there are no rows.
        ParameterError: a cost is not above 0.

    >>> choose_threshold([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9])
    0.4
    >>> choose_threshold([0, 1, 0, 1], [0.1, 0.3, 0.5, 0.9], cost_false_negative=20.0)
    0.2
    """
    for name, cost in {"cost_false_negative": cost_false_negative, "cost_false_positive": cost_false_positive}.items():
        if not 0 < cost < float("inf"):
            raise ParameterError(f"{name} is {cost!r}; give a finite cost above 0")
    truth, score = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if truth.size == 0:
        raise EmptySampleError("a threshold needs rows with labels, and the validation split has none; give it a share above 0")
    values, place = np.unique(score, return_inverse=True)
    missed = np.concatenate([[0.0], np.cumsum(np.bincount(place, weights=truth))])  # positives below cut i
    passed = np.concatenate([[0.0], np.cumsum(np.bincount(place, weights=1 - truth))])  # negatives below cut i
    cost = cost_false_negative * missed + cost_false_positive * (passed[-1] - passed)
    edges = np.concatenate([[0.0], (values[:-1] + values[1:]) / 2, [np.nextafter(1.0, 2.0)]])
    cheapest = np.flatnonzero(cost <= cost.min() + 1e-12 * max(1.0, abs(cost.min())))
    return float(edges[_middle_of_longest_run(cheapest)])


def _middle_of_longest_run(places: npt.NDArray[np.int64]) -> int:
    runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
    longest = max(runs, key=len)
    return int(longest[len(longest) // 2])
