"""Guard rails: what a challenger must not break, however much better it is on average.

A guard rail can only reject. Each says what it measured, in words, so that the reason of a rejection is the measurement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratchet.evaluation.bootstrap import Blocks, Interval, Weights, effective_size, wide_interval
from ratchet.evaluation.primary import PrimaryMetric

Array = NDArray[np.float64]
FEWEST_DIFFERENCES = 10
MOST_TIMES_WANTED = 5.0  # a month or two of ordinary drift doubles a rate of false alarms; what is beyond this is no detector any more


@dataclass(frozen=True)
class Guard:
    """One guard rail.

    Attributes:
        name: What it watches.
        broken: Whether the challenger broke it.
        told: What was measured, in words.
    """

    name: str
    broken: bool
    told: str


@dataclass(frozen=True)
class SliceComparison:
    """Both models on one slice of the rows.

    Attributes:
        name: The condition that the rows meet.
        rows: How many do.
        loss_challenger: Mean loss there.
        loss_champion: Likewise.
        interval: Of the difference in loss, wide enough for all slices at once.
        worse: Worse by more than the tolerance, beyond chance.
    """

    name: str
    rows: int
    loss_challenger: float
    loss_champion: float
    interval: Interval
    worse: bool


def primary_guard(metric: PrimaryMetric, challenger: float, champion: float, difference: Interval) -> Guard:
    """Return whether the primary metric is worse beyond chance, or cannot be known.

    Args:
        metric: Which one.
        challenger: Its value.
        champion: Likewise.
        difference: Challenger minus champion.

    >>> from ratchet.evaluation.primary import choose_primary
    >>> primary_guard(choose_primary("binary"), 0.61, 0.70, Interval(-0.09, -0.12, -0.06)).broken
    True
    """
    name = metric.name.replace("_", " ")
    told = f"{name} {challenger:.4g} against {champion:.4g} (difference {difference.low:+.4g} to {difference.high:+.4g})"
    if not np.isfinite([difference.low, difference.high]).all():
        return Guard(name, True, f"{name} cannot be known on these rows (is a class missing?)")
    return Guard(name, difference.high < 0 if metric.higher_is_better else difference.low > 0, told)


def compare_slices(
    slices: dict[str, NDArray[np.bool_]],
    losses: tuple[Array, Array],
    blocks: Blocks,
    weights: Weights,
    *,
    confidence: float,
    tolerance: float,
) -> tuple[SliceComparison, ...]:
    """Return both models on every slice.

    Args:
        slices: Rows by name, shape (n,) each.
        losses: Of the challenger and of the champion, shape (n,) each.
        blocks: Which rows are drawn together.
        weights: The resamples.
        confidence: That all intervals together hold.
        tolerance: A slice may be worse by this share of the champion's loss on all rows.
    """
    found, allowed = [], tolerance * float(losses[1].mean())
    for name, rows in slices.items():
        first, second = (float(side[rows].mean()) for side in losses)
        change = np.where(rows, losses[0] - losses[1], 0.0)
        span = wide_interval(first - second, blocks.means(weights, change, rows), confidence, len(slices))
        enough = effective_size(blocks.sums(change)) >= FEWEST_DIFFERENCES
        found.append(SliceComparison(name, int(rows.sum()), first, second, span, enough and span.low > allowed))
    return tuple(found)


def slice_guard(slices: Sequence[SliceComparison]) -> Guard:
    """Return whether any slice is worse."""
    worse = sorted((item for item in slices if item.worse), key=lambda item: -item.interval.low)
    if not worse:
        return Guard("slices", False, f"none of {len(slices)} slices is worse beyond chance")
    named = "; ".join(
        f"{item.name} (loss {item.loss_challenger:.4g} against {item.loss_champion:.4g}, {item.rows:,} rows)" for item in worse[:3]
    )
    return Guard("slices", True, f"worse for {named}" + (f" and {len(worse) - 3} more slices" if len(worse) > 3 else ""))


def latency_guard(challenger: Sequence[float], champion: Sequence[float], *, maximum_ratio: float, floor_ms: float = 10.0) -> Guard:
    """Return whether single-row predictions became slower by more than the ratio, and by more than the floor.

    Medians of calls that took turns are compared, because a tail measured beside other work is noise. Under the floor no ratio matters:
    a model with more columns takes milliseconds longer, and a verdict must not hang on how busy the machine was.

    Args:
        challenger: Times in milliseconds.
        champion: Likewise.
        maximum_ratio: Largest ratio that is accepted.
        floor_ms: A slowdown of at most this never breaks the rail.

    >>> latency_guard([90.0], [30.0], maximum_ratio=2).told
    'prediction takes 90 ms against 30 ms (median), 3 times as long; at most 2 times is accepted'
    >>> latency_guard([9.0], [1.0], maximum_ratio=2).broken
    False
    """
    first, second = float(np.median(challenger)), float(np.median(champion))
    told = f"prediction takes {first:.3g} ms against {second:.3g} ms (median)"
    if first > maximum_ratio * second and first - second > floor_ms:
        return Guard("latency", True, f"{told}, {first / second:.3g} times as long; at most {maximum_ratio:g} times is accepted")
    return Guard("latency", False, told)


def false_alarm_guard(false_alarms: int, usual: int, wanted: float) -> Guard:
    """Return whether a model raises far more false alarms than its threshold was chosen for.

    A loss that weighs misses by how rare anomalies are hardly minds: a model that flags a third of all usual rows, and with them most
    anomalies, loses less than one that finds half of them quietly. Nobody looks into a third of all rows.

    Args:
        false_alarms: Usual rows that it flags.
        usual: Usual rows, above 0.
        wanted: Share of usual rows that it was to flag.

    >>> false_alarm_guard(300, 1_000, 0.01).told.partition("; ")[0]
    'it flags 30.0% of the usual rows where 1.0% was wanted'
    >>> false_alarm_guard(6, 100, 0.01).broken
    False
    """
    share = false_alarms / usual
    told = f"it flags {share:.1%} of the usual rows where {wanted:.1%} was wanted"
    chance = 3 * (MOST_TIMES_WANTED * wanted / usual) ** 0.5  # three standard deviations of a count at the bound
    if share > MOST_TIMES_WANTED * wanted + chance:
        return Guard(
            "false alarms",
            True,
            f"{told}; at most {MOST_TIMES_WANTED:g} times as many are accepted: look for a column that drifts, e.g. a clock",
        )
    return Guard("false alarms", False, told)


def size_guard(size_bytes: int, *, maximum_mb: float) -> Guard:
    """Return whether the package is too large to be served.

    >>> size_guard(3_000_000, maximum_mb=2).told
    'the package is 3 MB; at most 2 MB is accepted'
    """
    size = size_bytes / 1e6
    broken = size > maximum_mb
    return Guard("size", broken, f"the package is {size:.3g} MB" + (f"; at most {maximum_mb:g} MB is accepted" if broken else ""))
