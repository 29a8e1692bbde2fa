"""The latency gate: is the challenger beyond the champion's slow end more often than the champion itself?

Why not compare two estimated quantiles, or the challenger with a quantile estimated once: an estimate has an error of its own, and a busy
hour makes everybody slow, so that either raises false alarms. Both models answer each request, so the champion's own exceedances are the
measure: with a threshold t,

    gain of a request = [challenger slower than t] - (1 + tolerance) · [champion slower than t]

is at most 0 on average for every t when the challenger is not slower. So the threshold needs to be no true quantile. It is the champion's
P90 (P95) over its requests so far, taken anew whenever their number has doubled, hence fixed before the requests that it is applied to:
nothing about it is ever a reason for a false alarm, only for some lost power.

Null hypothesis: given the requests before, the challenger exceeds the threshold at most (1 + tolerance) times as often as the champion. The
two latencies of one request may depend on each other in any way. It is no proof that the challenger is as fast: a gate that passes says
that nothing was found in so many requests, and `make judge` prints how soon a slowdown is.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratchet.delivery.judge.alpha import check_alpha
from ratchet.delivery.judge.betting import wealth_path
from ratchet.delivery.judge.gates import Gate, Test
from ratchet.errors import JudgeError

Array = NDArray[np.float64]
LEVELS = (0.90, 0.95)
FIRST = 20


def judge_latency(champion_ms: ArrayLike, challenger_ms: ArrayLike, *, alpha: float, tolerance: float, minimum: int) -> Gate:
    """Judge the latency of a challenger by how often it exceeds the champion's P90 and P95.

    Args:
        champion_ms: shape (requests,), milliseconds, at least 0, in order of time. Not finite: the request does not count.
        challenger_ms: shape (requests,), of the same requests. Not finite (a timeout, an error): slower than anything.
        alpha: Probability of an abort for a challenger that is not slower; half for each level.
        tolerance: Share by which more requests than the champion's own may exceed, e.g. 0.25.
        minimum: Requests before a pass.

    Returns:
        "abort", "pass" (nothing was found in so many requests) or "wait".

    Raises:
        JudgeError: lengths differ, a latency is negative, or a rule is none.

    >>> fast = np.tile([10.0, 11.0, 12.0, 13.0, 20.0], 100)
    >>> judge_latency(fast, fast, alpha=0.01, tolerance=0.25, minimum=200).verdict
    'pass'
    >>> judge_latency(fast, fast * 2, alpha=0.01, tolerance=0.25, minimum=200).verdict
    'abort'
    """
    check_alpha(alpha)
    if not 0 <= tolerance < np.inf:
        raise JudgeError(f"latency tolerance {tolerance!r}: give the share by which more may exceed, e.g. 0.25")
    first, second = np.asarray(champion_ms, np.float64), np.asarray(challenger_ms, np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise JudgeError(f"latencies of shape {first.shape} and {second.shape}: give both of each request")
    below = np.concatenate([first[first < 0], second[second < 0]])
    if len(below):
        raise JudgeError(f"latency {below[0]:g} ms is below 0; measure with a monotonic clock")
    kept = np.isfinite(first)
    first, second = first[kept], np.where(np.isfinite(second[kept]), second[kept], np.inf)
    tests = tuple(_exceedance(first, second, level, alpha / len(LEVELS), tolerance) for level in LEVELS)
    worst = max(tests, key=lambda test: (test.rejected, test.wealth[-1] if test.wealth else 0.0))
    told = _told(worst, len(first))
    if worst.rejected:
        refuted = f"'{worst.hypothesis}' is refuted at {worst.alpha:.3g} after {worst.rejected_at:,} requests"
        return Gate("latency", "abort", f"{told}; {refuted}", tests)
    if len(first) < max(minimum, FIRST + 1):
        return Gate("latency", "wait", f"{told}; at least {max(minimum, FIRST + 1):,} requests are asked for", tests)
    return Gate("latency", "pass", f"{told}; nothing speaks against it", tests)


def thresholds(champion_ms: Array, level: float) -> Array:
    """Return the threshold of each request: the champion's quantile over the first 20, 40, 80, … requests before it.

    Args:
        champion_ms: shape (requests,), finite.
        level: In (0, 1).

    Returns:
        shape (requests,), infinite for the first 20, which nothing can exceed.

    >>> thresholds(np.arange(42.0), 0.9)[[19, 20, 39, 40, 41]].tolist()
    [inf, 18.0, 18.0, 36.0, 36.0]
    """
    found = np.full(len(champion_ms), np.inf)
    seen = FIRST
    while seen < len(champion_ms):
        found[seen : 2 * seen] = np.quantile(champion_ms[:seen], level, method="higher")
        seen *= 2
    return found


def _exceedance(champion: Array, challenger: Array, level: float, alpha: float, tolerance: float) -> Test:
    limit = thresholds(champion, level)[FIRST:]
    over, above = champion[FIRST:] > limit, challenger[FIRST:] > limit
    path = wealth_path(above - (1 + tolerance) * over, largest_loss=1 + tolerance)
    facts = {} if not len(limit) else {"champion": over.mean(), "challenger": above.mean(), "threshold_ms": limit[-1]}
    name = f"P{100 * level:.0f}"
    hypothesis = f"slower than the champion's {name} at most {1 + tolerance:g} times as often as the champion"
    return Test.of(name, hypothesis, alpha, path, np.arange(len(limit)) + FIRST + 1, facts)


def _told(test: Test, requests: int) -> str:
    if not test.facts:
        return f"{requests:,} requests"
    over, above = test.facts["champion"], test.facts["challenger"]
    return (
        f"over {requests:,} requests {above:.1%} were slower than the champion's {test.name} "
        f"(now {test.facts['threshold_ms']:.4g} ms), {over:.1%} of its own"
    )
