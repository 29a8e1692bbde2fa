"""The ratio gate: did the split of units between the models go as it was set?

A split that is off by more than chance (a bot that the router treats alike, requests lost on one side, a bug in the bucket) makes the two
groups incomparable, so nothing measured on them may promote: a hold, for a person to look.

The bet is on the odds. Were the true odds of the challenger θ times those that were set, a unit at share p would go to it with
probability p·θ / (1 - p + p·θ); the wealth is the likelihood ratio of that against p, mixed over odds ratios θ on both sides of 1. It is a
fair bet at every unit, whatever p was in force then, so one test spans all the steps of a rollout.

Source:
    Lindon and Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022), which mixes over a Dirichlet prior; a grid of
    odds ratios serves shares that change. Fabijan and others, "Diagnosing sample ratio mismatch in online controlled experiments" (KDD
    2019).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratchet.delivery.judge.alpha import check_alpha
from ratchet.delivery.judge.gates import Gate, Test
from ratchet.errors import JudgeError

Array = NDArray[np.float64]
STEPS = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2])  # natural logarithms of odds ratios
LOG_ODDS = np.concatenate([-STEPS, STEPS])
IMPOSSIBLE = 1e6  # logarithm of the wealth when a unit is where the split sends none; finite, for JSON


def judge_ratio(assigned_to_challenger: ArrayLike, percent: ArrayLike, *, alpha: float) -> Gate:
    """Judge whether units were split as set.

    Args:
        assigned_to_challenger: shape (units,), booleans (or 0 and 1): where each sticky unit went, in the order of first appearance. One
            entry a unit: a unit that returns is no new evidence.
        percent: The challenger's percent, 0 to 100; or shape (units,), in force at each unit's entry.
        alpha: Probability of a hold for a split that is right.

    Returns:
        "hold" when the split is refuted, "wait" without units, else "pass".

    Raises:
        JudgeError: lengths differ, or a percent is outside [0, 100].

    >>> judge_ratio([True, False] * 500, 50, alpha=0.01).verdict
    'pass'
    >>> judge_ratio([True, False] * 500, 25, alpha=0.01).verdict
    'hold'
    """
    check_alpha(alpha)
    went = np.asarray(assigned_to_challenger)
    if went.ndim != 1 or not np.isin(went, (0, 1)).all():
        raise JudgeError(f"assignments of shape {went.shape}: give one boolean for each unit")
    went = went.astype(bool)
    given = np.asarray(percent, np.float64)
    if given.shape not in ((), went.shape) or not ((given >= 0) & (given <= 100)).all():
        raise JudgeError(f"percent {percent!r}: give one number from 0 to 100, or one for each of {len(went):,} units")
    share = np.broadcast_to(given / 100, went.shape)
    hypothesis = "each unit goes to the challenger with the percent that was set"
    facts = {"set": share.mean(), "found": went.mean()} if len(went) else {}
    test = Test.of("split", hypothesis, alpha, _path(went, share), np.arange(1, len(went) + 1), facts)
    if not len(went):
        return Gate("ratio", "wait", "no unit was split yet", (test,))
    told = f"{went.mean():.2%} of {len(went):,} units went to the challenger, {share.mean():.2%} were to"
    if test.rejected:
        why = f"the split is not what was set (refuted at {alpha:.3g} after {test.rejected_at:,} units): find the cause before comparing"
        return Gate("ratio", "hold", f"{told}; {why}", (test,))
    return Gate("ratio", "pass", f"{told}; that is chance", (test,))


def _path(went: NDArray[np.bool_], share: Array) -> Array:
    total = np.full(len(went), -np.inf)
    for log_odds in LOG_ODDS:
        steps = went * log_odds - np.log1p(share * np.expm1(log_odds))
        total = np.logaddexp(total, np.cumsum(steps))
    broken = np.maximum.accumulate((went & (share == 0)) | (~went & (share == 1))) if len(went) else np.empty(0, bool)
    return np.asarray(np.where(broken, IMPOSSIBLE, total - np.log(len(LOG_ODDS))))
