"""Release or reject: a pure function of two models' predictions on the same labelled rows.

"Release" needs the whole interval of the difference in loss to lie below the gain asked for, enough rows that differ for the interval
to mean anything, and every guard rail unbroken. One test decides, so its error is the one stated: two models of equal quality are
released in about (1 − confidence) / 2 of all cases. The primary metric, the slices, latency and size can only reject. Nothing is
released on missing data: no labels, too few rows, or a prediction that is not a number is a reject with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ratchet.errors import ParameterError
from ratchet.evaluation.bootstrap import Blocks, Interval, effective_size, interval
from ratchet.evaluation.contenders import Contender
from ratchet.evaluation.guards import FEWEST_DIFFERENCES, Guard, SliceComparison, compare_slices, primary_guard, slice_guard
from ratchet.evaluation.losses import Loss
from ratchet.evaluation.primary import PrimaryMetric

FEWEST_BLOCKS = 20
UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Rules:
    """What a challenger must show.

    Attributes:
        confidence: Of the intervals, in (0.5, 1).
        minimum_gain: Share of the champion's loss by which the challenger must be better, e.g. 0.02; 0 means better at all.
        slice_tolerance: Share of the champion's loss by which a slice may be worse. Against a naive baseline slices are shown only: a
            constant answer is right wherever there is nothing to find.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """

    confidence: float = 0.95
    minimum_gain: float = 0.0
    slice_tolerance: float = 0.05
    resamples: int = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence < 1:
            raise ParameterError(f"confidence {self.confidence:g} is not between 0.5 and 1; give e.g. 0.95")
        if not 0 <= self.minimum_gain < 1:
            raise ParameterError(f"minimum_gain {self.minimum_gain:g} is a share of the champion's loss, 0 to 1; give e.g. 0.02")
        if self.resamples < 200:
            raise ParameterError(f"resamples {self.resamples} are too few for an interval; give at least 200")


@dataclass(frozen=True)
class Weighing:
    """What the rows say about the two.

    Attributes:
        verdict: "release" or "reject".
        reason: Why, with figures.
        loss_challenger: Mean loss, 0 to 1; not a number where it cannot be known.
        loss_champion: Likewise, of the opponent.
        loss: The difference, challenger minus opponent, with its interval.
        relative: The difference as a share of the opponent's loss, likewise.
        primary: The same for the primary metric.
        primary_challenger: Its value.
        primary_champion: Likewise.
        slices: Both on every slice.
        guards: Every guard rail.
    """

    verdict: str
    reason: str
    loss_challenger: float = float("nan")
    loss_champion: float = float("nan")
    loss: Interval = UNKNOWN
    relative: Interval = UNKNOWN
    primary: Interval = UNKNOWN
    primary_challenger: float = float("nan")
    primary_champion: float = float("nan")
    slices: tuple[SliceComparison, ...] = ()
    guards: tuple[Guard, ...] = field(default=())


def weigh(
    labels: NDArray[np.generic],
    challenger: Contender,
    champion: Contender,
    *,
    loss: Loss,
    primary: PrimaryMetric,
    blocks: Blocks,
    rules: Rules,
    slices: Mapping[str, NDArray[np.bool_]] | None = None,
    guards: tuple[Guard, ...] = (),
) -> Weighing:
    """Compare two contenders on the same rows.

    Args:
        labels: shape (n,), at least one.
        challenger: Its predictions on them.
        champion: Those of the champion or of the baseline.
        loss: What is compared.
        primary: What must not get worse.
        blocks: Which rows are drawn together.
        rules: What must be shown.
        slices: Rows by name, shape (n,) each, that must not get worse.
        guards: Guard rails already looked at.
    """
    for side in (challenger, champion):
        if side.unfinished:
            return Weighing("reject", f"The {side.name} gives no finite prediction for {side.unfinished:,} of {len(labels):,} rows.")
    if blocks.count < FEWEST_BLOCKS:
        return Weighing(
            "reject", f"{blocks.count} blocks ({blocks.told}) are too few to tell a gain from chance; {FEWEST_BLOCKS} are needed."
        )
    losses = (
        loss.per_row(labels, challenger.predictions, challenger.threshold),
        loss.per_row(labels, champion.predictions, champion.threshold),
    )
    means = float(losses[0].mean()), float(losses[1].mean())
    weights = blocks.draw(rules.resamples, rules.seed)
    drawn = [blocks.means(weights, side) for side in losses]
    span = interval(means[0] - means[1], drawn[0] - drawn[1], rules.confidence)
    relative = _relative(means, drawn, rules.confidence)
    sides = challenger, champion
    first, second = (primary.value(labels, side.predictions, side.threshold) for side in sides)
    resampled = [primary.resampled(labels, side.predictions, blocks, weights, side.threshold) for side in sides]
    moved = interval(first - second, resampled[0] - resampled[1], rules.confidence)
    compared = compare_slices(dict(slices or {}), losses, blocks, weights, confidence=rules.confidence, tolerance=rules.slice_tolerance)
    sliced = (slice_guard(compared),) if compared and champion.name == "champion" else ()
    watched = (primary_guard(primary, first, second, moved), *sliced, *guards)
    size = effective_size(blocks.sums(losses[0] - losses[1]))
    verdict, reason = decide(means, span, relative, watched, rules, effective=size, opponent=champion.name, rows=len(labels))
    return Weighing(verdict, reason, *means, span, relative, moved, first, second, compared, watched)


def decide(
    losses: tuple[float, float],
    span: Interval,
    relative: Interval,
    guards: tuple[Guard, ...],
    rules: Rules,
    *,
    effective: float,
    opponent: str = "champion",
    rows: int = 0,
) -> tuple[str, str]:
    """Return the verdict and its reason.

    Args:
        losses: Mean loss of the challenger and of its opponent.
        span: Their difference with its interval.
        relative: The same as a share of the opponent's loss; not a number where that is 0.
        guards: Every guard rail.
        rules: What must be shown.
        effective: How many differing rows the difference rests on (`effective_size`).
        opponent: Who the challenger is compared with.
        rows: Number of rows, for the reason.

    >>> gain, share = Interval(-0.0064, -0.0077, -0.0051), Interval(-0.34, -0.41, -0.27)
    >>> decide((0.0124, 0.0188), gain, share, (), Rules(), effective=500, rows=9000)[1]
    'Loss 0.0124 against 0.0188 of the champion (−34%, 95% interval −41% to −27%) on 9,000 rows.'
    """
    measured = _told(losses, span, relative, rules, opponent, rows)
    if not np.isfinite([span.low, span.high]).all():
        return "reject", f"{measured}: the interval cannot be computed."
    if effective == 0:
        return "reject", f"{measured}: the two lose the same on every row, so there is nothing to gain."
    if effective < FEWEST_DIFFERENCES:
        return (
            "reject",
            f"{measured}: the difference rests on about {effective:.0f} rows, and fewer than {FEWEST_DIFFERENCES} show nothing.",
        )
    if span.low > 0:
        return "reject", f"{measured}: the challenger is worse."
    if span.high >= 0:
        return "reject", f"{measured}: no gain that chance does not explain."
    if relative.high >= -rules.minimum_gain:
        return "reject", f"{measured}: a gain, but not surely the {rules.minimum_gain:.1%} asked for."
    broken = [guard.told for guard in guards if guard.broken]
    if broken:
        return "reject", f"{measured}: better, but a guard rail is broken: {'; and '.join(broken)}."
    return "release", f"{measured}."


def _relative(means: tuple[float, float], drawn: list[NDArray[np.float64]], confidence: float) -> Interval:
    """Return the difference as a share of the opponent's loss; its sign in a resample is that of the difference there."""
    if means[1] <= 0:
        return UNKNOWN
    with np.errstate(invalid="ignore", divide="ignore"):
        return interval(means[0] / means[1] - 1, drawn[0] / drawn[1] - 1, confidence)


def _told(losses: tuple[float, float], span: Interval, relative: Interval, rules: Rules, opponent: str, rows: int) -> str:
    measured = f"Loss {losses[0]:.4g} against {losses[1]:.4g} of the {opponent}"
    if np.isfinite([relative.low, relative.high]).all():
        difference, low, high = (_percent(value) for value in (relative.difference, relative.low, relative.high))
    else:
        difference, low, high = (f"{value:+.4g}" for value in (span.difference, span.low, span.high))
    return f"{measured} ({difference}, {rules.confidence:.0%} interval {low} to {high}) on {rows:,} rows"


def _percent(share: float) -> str:
    """Return a signed percentage, with a decimal where it is small.

    >>> _percent(-0.341), _percent(0.0042), _percent(0.0)
    ('−34%', '+0.4%', '0.0%')
    """
    text = f"{share:+.0%}" if abs(share) >= 0.095 else f"{share:+.1%}"
    return text.replace("-", "−") if text not in ("+0.0%", "-0.0%") else "0.0%"
