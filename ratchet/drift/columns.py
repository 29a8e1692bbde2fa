"""Drift of one column: every statistic, and whether the distance is more than the threshold and more than chance.

The distance that decides is D for numbers and total variation for categories, because both are shares of rows between 0 and 1 and so
one threshold means the same for every column. A change in the share of missing values counts as a distance too. All other statistics
are reported, none decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ratchet.drift import chance, statistics
from ratchet.drift.bins import decile_counts, evidently_psi, sturges_counts
from ratchet.drift.merged import Merged
from ratchet.drift.samples import Categories, Numbers, Sample, sample_of
from ratchet.drift.tally import Tally

CERTAIN = 1e-9  # the limit of what is no chance at all, where no distance is tolerated
Gap = tuple[float, float, str]  # a distance, the limit it must exceed, and where it is largest, in words


@dataclass(frozen=True)
class ColumnDrift:
    """What became of one column.

    Attributes:
        name: The column.
        role: "input", "target" or "prediction"; only inputs count in the drifted share.
        kind: "number" or "category".
        distance: D or total variation, or the change in the share of missing values where that is larger; 0 to 1.
        limit: What the distance had to exceed: the threshold, or what chance does at this size, whichever is larger.
        drifted: The distance exceeds the limit.
        moved: Where the difference is largest, in words.
        missing_reference: Share of missing values, 0 to 1.
        missing_current: Likewise.
        statistics: Every statistic by name; one that is not defined here is absent.
    """

    name: str
    role: str
    kind: str
    distance: float
    limit: float
    drifted: bool
    moved: str
    missing_reference: float
    missing_current: float
    statistics: Mapping[str, float] = field(default_factory=dict)


def compare_column(
    reference: pl.Series, current: pl.Series, *, threshold: float = 0.1, alpha: float = 0.001, role: str = "input"
) -> ColumnDrift:
    """Compare a column of two tables that is in memory.

    Args:
        reference: Named as the column; numbers, or anything that can be shown as text, which is then taken as categories.
        current: Likewise; numbers against text is a drift of 1.
        threshold: As for `compare_samples`.
        alpha: Likewise.
        role: Likewise.

    >>> compare_column(pl.Series("hour", [1, 2] * 500), pl.Series("hour", [3, 4] * 500)).moved
    'at or below 2: 100% → 0%'
    """
    samples = [sample_of(side) for side in (reference, current)]
    return compare_samples(reference.name, *samples, threshold=threshold, alpha=alpha, role=role)


def compare_samples(name: str, first: Sample, second: Sample, *, threshold: float, alpha: float, role: str) -> ColumnDrift:
    """Compare a column of two tables.

    Args:
        name: The column.
        first: Of the reference.
        second: Of the current table.
        threshold: Distance that matters, 0 to 1.
        alpha: Probability with which chance alone may exceed the limit.
        role: Carried into the result.
    """
    missing = _missing(first), _missing(second)
    kind = first.kind if first.present else second.kind  # a column without a value may be of any kind
    gaps = [_missing_gap(first, second, threshold, alpha)]
    values: dict[str, float] = {}
    if first.present and second.present:
        if isinstance(first, Numbers) and isinstance(second, Numbers):
            values, gap = _numbers(first, second, threshold, alpha)
        elif isinstance(first, Categories) and isinstance(second, Categories):
            values, gap = _categories(first, second, threshold, alpha)
        else:
            kind, gap = "category", (1.0, threshold or CERTAIN, f"type changed from {first.dtype} to {second.dtype}")
        gaps.insert(0, gap)
    distance, limit, moved = max(gaps, key=lambda gap: gap[0] / gap[1])
    return ColumnDrift(name, role, kind, distance, limit, distance > limit, moved, *missing, values)


def _move(before: float, after: float) -> str:
    """Return two shares in words, with the first decimal that tells them apart."""
    texts = [(f"{before:.{digits}%}", f"{after:.{digits}%}") for digits in range(4)]
    first, second = next((pair for pair in texts if pair[0] != pair[1]), texts[0])
    return f"{first} → {second}"


def _missing(sample: Sample) -> float:
    return 1 - sample.present / sample.rows if sample.rows else 0.0


def _missing_gap(first: Sample, second: Sample, threshold: float, alpha: float) -> Gap:
    before, after = _missing(first), _missing(second)
    limit = max(threshold, chance.ks_chance(max(first.rows, 1), max(second.rows, 1), alpha))
    return abs(before - after), limit, f"missing: {_move(before, after)}"


def _numbers(first: Numbers, second: Numbers, threshold: float, alpha: float) -> tuple[dict[str, float], Gap]:
    reference, current = first.values, second.values
    merged = Merged.of(reference, current)
    distance, place = merged.largest_gap()
    deciles = decile_counts(reference, current)
    whole = first.present == first.rows and second.present == second.rows and reference.dtype == current.dtype == np.int64
    pooled = sturges_counts(reference, current, whole=whole)
    values = {
        "ks": distance,
        "ks_p_value": chance.ks_p(distance, len(reference), len(current)),
        "wasserstein": merged.area(),
        "psi_deciles": statistics.psi(*deciles),
        "jensen_shannon": statistics.jensen_shannon(*deciles),
        "kullback_leibler": statistics.kullback_leibler(*deciles, floor=statistics.FLOOR),
    }
    if all(side.sum() for side in pooled):
        values["psi_sturges"] = evidently_psi(*pooled)
    below = [float(np.searchsorted(side, place, side="right")) / len(side) for side in (merged.reference, merged.current)]
    limit = max(threshold, chance.ks_chance(len(reference), len(current), alpha))
    return values, (distance, limit, f"at or below {first.told(place)}: {_move(*below)}")


def _categories(first: Categories, second: Categories, threshold: float, alpha: float) -> tuple[dict[str, float], Gap]:
    tally = Tally.of(first.hashes, second.hashes)
    counts, times = (tally.reference, tally.current), tally.times
    test = statistics.chi_square(*counts, times=times)
    distance = statistics.total_variation(*counts, times=times)
    values = {
        "total_variation": distance,
        "chi_square": test.statistic,
        "chi_square_p_value": test.p_value,
        "psi": statistics.psi(*counts, times=times),
        "jensen_shannon": statistics.jensen_shannon(*counts, times=times),
        "kullback_leibler": statistics.kullback_leibler(*counts, times=times, floor=statistics.FLOOR),
    }
    limit = max(threshold, chance.variation_chance(*counts, alpha, times=times))
    return values, (distance, limit, _farthest(first, second, tally.farthest))


def _farthest(first: Categories, second: Categories, wanted: int) -> str:
    """Return where two samples of categories differ most, in words."""
    before, after = (_share(side, np.uint64(wanted)) for side in (first, second))
    text = second.text(wanted) if after else first.text(wanted)
    return f"{text!r}: {_move(before, after)}"


def _share(side: Categories, wanted: np.uint64) -> float:
    return float(np.searchsorted(side.hashes, wanted, side="right") - np.searchsorted(side.hashes, wanted)) / side.present
