"""The gate of a business metric: a value per unit (revenue of a user, a return of goods), measured on two separate arms.

A unit has one model, so there is no pair by nature. The k-th unit of one arm is paired with the k-th of the other, and the bet is the loss
gate's. Valid where pairs are exchangeable in time, as in an even split: at 5% the k-th challenger unit comes much later than the k-th
of the champion, and a metric that drifts in between would look like a difference. Pass units matched in time, or use a split of 50%.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratchet.delivery.judge.alpha import check_alpha
from ratchet.delivery.judge.betting import wealth_path
from ratchet.delivery.judge.gates import Gate, Test
from ratchet.errors import JudgeError

Array = NDArray[np.float64]


def judge_metric(
    name: str,
    champion_units: ArrayLike,
    challenger_units: ArrayLike,
    *,
    low: float,
    high: float,
    higher_is_better: bool,
    margin: float,
    alpha: float,
    minimum: int,
    abort_alpha: float | None = None,
) -> Gate:
    """Judge a business metric.

    Args:
        name: Of the metric, and of the gate.
        champion_units: shape (n,), value of each of the champion's units that is complete, in order. Not finite: the pair does not count.
        challenger_units: shape (m,), of the challenger's. Not finite: counts as the worst. What one arm has beyond the other waits.
        low: Values below count as this.
        high: Values above count as this.
        higher_is_better: False for a cost.
        margin: How much worse it may be, in the metric's unit, at least 0.
        alpha: Probability of a pass for a challenger that is worse by the margin.
        minimum: Pairs of units before a pass.
        abort_alpha: Probability of an abort for one that is not worse; as alpha by default.

    Returns:
        "abort", "pass" or "wait", as `ratchet.delivery.judge.loss.judge_loss`.

    Raises:
        JudgeError: the range is empty, or a rule is none.

    >>> rules = {"low": 0.0, "high": 10.0, "higher_is_better": True, "margin": 0.5, "alpha": 0.05, "minimum": 10}
    >>> judge_metric("basket", [4.0] * 300, [5.0] * 310, **rules).verdict
    'pass'
    >>> judge_metric("basket", [4.0] * 300, [2.0] * 300, **rules).verdict
    'abort'
    """
    abort_alpha = alpha if abort_alpha is None else abort_alpha
    check_alpha(alpha, abort_alpha)
    if not (np.isfinite(low) and np.isfinite(high) and low < high and 0 <= margin < high - low):
        raise JudgeError(
            f"metric {name!r}: low {low!r}, high {high!r}, margin {margin!r}: give low < high and a margin from 0 to below high - low"
        )
    first, second = np.asarray(champion_units, np.float64), np.asarray(challenger_units, np.float64)
    if first.ndim != 1 or second.ndim != 1:
        raise JudgeError(f"metric {name!r}: values of shape {first.shape} and {second.shape}; give one for each unit")
    first, second = first[: len(second)], second[: len(first)]
    kept = np.isfinite(first)
    first, second = first[kept], second[kept]
    worst = low if higher_is_better else high
    first, second = np.clip(first, low, high), np.clip(np.where(np.isfinite(second), second, worst), low, high)
    worse_by = (first - second if higher_is_better else second - first) / (high - low)
    tests = _tests(worse_by, margin / (high - low), f"{margin:g}", alpha, abort_alpha, first, second)
    return _gate(name, tests, len(kept) - len(first), minimum)


def _tests(worse_by: Array, scaled: float, margin: str, alpha: float, abort_alpha: float, first: Array, second: Array) -> tuple[Test, Test]:
    counts = np.arange(1, len(worse_by) + 1)
    facts = {"champion": first.mean(), "challenger": second.mean()} if len(first) else {}
    within = wealth_path(scaled - worse_by, largest_loss=1 - scaled)
    return (
        Test.of("worse by the margin", f"the challenger is worse by {margin} or more", alpha, within, counts, facts),
        Test.of("not worse", "the challenger is not worse than the champion", abort_alpha, wealth_path(worse_by), counts, facts),
    )


def _gate(name: str, tests: tuple[Test, Test], dropped: int, minimum: int) -> Gate:
    within, worse = tests
    told = f"over {within.n:,} pairs of units"
    if within.facts:
        told += f" the mean is {within.facts['challenger']:.4g} against {within.facts['champion']:.4g}"
    if dropped:
        told += f" [{dropped:,} without a finite value of the champion do not count]"
    if worse.rejected:
        return Gate(name, "abort", f"{told}; 'not worse' is refuted at {worse.alpha:.3g} after {worse.rejected_at:,} pairs", tests)
    if not within.rejected:
        return Gate(name, "wait", f"{told}; 'worse by the margin' is not ruled out yet", tests)
    if within.n < minimum:
        return Gate(name, "wait", f"{told}; at least {minimum:,} are asked for", tests)
    return Gate(name, "pass", f"{told}; 'worse by the margin' is ruled out at {within.alpha:.3g} after {within.rejected_at:,} pairs", tests)
