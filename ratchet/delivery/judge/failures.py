"""The error gate: does the challenger fail more often than the champion on the same requests?

A gain per request, [challenger failed] - [champion failed] - tolerance, is at most 0 on average under the null "given the requests before,
it fails at most as often, and the tolerance". A request that both fail (bad input, a broken feature store) speaks against neither. A
challenger that only fails is refuted within about a dozen requests at any usual alpha.
"""

import numpy as np
from numpy.typing import ArrayLike

from ratchet.delivery.judge.alpha import check_alpha
from ratchet.delivery.judge.betting import wealth_path
from ratchet.delivery.judge.gates import Gate, Test
from ratchet.errors import JudgeError


def judge_errors(champion_errors: ArrayLike, challenger_errors: ArrayLike, *, alpha: float, tolerance: float, minimum: int) -> Gate:
    """Judge how often a challenger fails.

    Args:
        champion_errors: shape (requests,), whether the champion failed, in order of time.
        challenger_errors: shape (requests,), of the same requests.
        alpha: Probability of an abort for a challenger that fails no more often.
        tolerance: Share of requests, in [0, 1), that may fail beyond the champion's.
        minimum: Requests before a pass.

    Returns:
        "abort", "pass" (nothing was found in so many requests) or "wait".

    Raises:
        JudgeError: lengths differ, values are no booleans, or a rule is none.

    >>> judge_errors([False] * 30, [True] * 30, alpha=0.01, tolerance=0.005, minimum=200).tests[0].rejected_at
    11
    """
    check_alpha(alpha)
    if not 0 <= tolerance < 1:
        raise JudgeError(f"error tolerance {tolerance!r}: give the share of requests that may fail beyond the champion's, e.g. 0.005")
    first, second = np.asarray(champion_errors), np.asarray(challenger_errors)
    if first.ndim != 1 or first.shape != second.shape or any(flags.dtype != bool and len(flags) for flags in (first, second)):
        raise JudgeError(f"errors of shape {first.shape} ({first.dtype}) and {second.shape} ({second.dtype}): give two booleans a request")
    path = wealth_path(second.astype(np.float64) - first - tolerance, largest_loss=1 + tolerance)
    facts = {"champion": first.mean(), "challenger": second.mean()} if len(first) else {}
    hypothesis = f"fails at most as often as the champion and {tolerance:.3g} of requests"
    test = Test.of("errors", hypothesis, alpha, path, np.arange(1, len(first) + 1), facts)
    told = f"{int(second.sum()):,} of {len(second):,} requests failed, {int(first.sum()):,} of the champion's"
    if test.rejected:
        refuted = f"'{hypothesis}' is refuted at {alpha:.3g} after {test.rejected_at:,} requests"
        return Gate("errors", "abort", f"{told}; {refuted}", (test,))
    if test.n < max(minimum, 1):
        return Gate("errors", "wait", f"{told}; at least {max(minimum, 1):,} requests are asked for", (test,))
    return Gate("errors", "pass", f"{told}; nothing speaks against it", (test,))
