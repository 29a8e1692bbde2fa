"""Drift of one column: every statistic, and whether the distance is more than the threshold and more than chance.

The distance that decides is D for numbers and total variation for categories, because both are shares of rows between 0 and 1 and so
one threshold means the same for every column. A change in the share of missing values counts as a distance too. All other statistics
are reported, none decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ratchet.drift import chance, statistics
from ratchet.drift.bins import decile_counts, evidently_psi, sturges_counts
from ratchet.drift.merged import Merged

Array = NDArray[np.float64]
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
    """Compare a column of two tables.

    Args:
        reference: Named as the column; numbers, or anything that can be shown as text, which is then taken as categories.
        current: Likewise; numbers against text is a drift of 1.
        threshold: Distance that matters, 0 to 1.
        alpha: Probability with which chance alone may exceed the limit.
        role: Carried into the result.

    >>> compare_column(pl.Series("hour", [1, 2] * 500), pl.Series("hour", [3, 4] * 500)).moved
    'at or below 2: 100% → 0%'
    """
    kinds = {_kind(side) for side in (reference, current)} - {""}
    if len(kinds) > 1:
        moved = f"type changed from {reference.dtype} to {current.dtype}"
        return ColumnDrift(reference.name, role, "category", 1.0, threshold, True, moved, _missing(reference), _missing(current))
    kind = kinds.pop() if kinds else "category"
    first, second = _present(reference), _present(current)
    gaps = [_missing_gap(reference, current, threshold, alpha)]
    values: dict[str, float] = {}
    if len(first) and len(second):
        measure = _numbers if kind == "number" else _categories
        values, gap = measure(first, second, threshold, alpha)
        gaps.insert(0, gap)
    distance, limit, moved = max(gaps, key=lambda gap: gap[0] / gap[1])
    return ColumnDrift(reference.name, role, kind, distance, limit, distance > limit, moved, _missing(reference), _missing(current), values)


def _kind(column: pl.Series) -> str:
    """Return "number" or "category", or nothing for a column of missing values without a type."""
    if column.dtype == pl.Null:
        return ""
    return "number" if column.dtype.is_numeric() or column.dtype.is_temporal() else "category"


def _present(column: pl.Series) -> pl.Series:
    if _kind(column) != "number":
        return column.cast(pl.String).drop_nulls()
    numbers = column.to_physical() if column.dtype.is_temporal() else column
    return numbers.cast(pl.Float64).drop_nulls().drop_nans()


def _missing(column: pl.Series) -> float:
    return 1 - len(_present(column)) / len(column) if len(column) else 0.0


def _missing_gap(reference: pl.Series, current: pl.Series, threshold: float, alpha: float) -> Gap:
    first, second = _missing(reference), _missing(current)
    limit = max(threshold, chance.ks_chance(max(len(reference), 1), max(len(current), 1), alpha))
    return abs(first - second), limit, f"missing: {first:.0%} → {second:.0%}"


def _counts(reference: pl.Series, current: pl.Series) -> tuple[list[str], Array, Array]:
    first, second = (side.alias("value").value_counts(name=name) for side, name in ((reference, "n"), (current, "m")))
    both = first.join(second, on="value", how="full", coalesce=True).fill_null(0).sort("value")
    return both["value"].to_list(), both["n"].to_numpy().astype(np.float64), both["m"].to_numpy().astype(np.float64)


def _numbers(first: pl.Series, second: pl.Series, threshold: float, alpha: float) -> tuple[dict[str, float], Gap]:
    reference, current = np.sort(first.to_numpy()), np.sort(second.to_numpy())
    merged = Merged.of(reference, current)
    distance, place = merged.largest_gap()
    deciles, pooled = decile_counts(reference, current), sturges_counts(reference, current)
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
    below = [float(np.searchsorted(side, place, side="right")) / len(side) for side in (reference, current)]
    limit = max(threshold, chance.ks_chance(len(reference), len(current), alpha))
    return values, (distance, limit, f"at or below {place:.6g}: {below[0]:.0%} → {below[1]:.0%}")


def _categories(first: pl.Series, second: pl.Series, threshold: float, alpha: float) -> tuple[dict[str, float], Gap]:
    names, reference, current = _counts(first, second)
    test = statistics.chi_square(reference, current)
    distance = statistics.total_variation(reference, current)
    values = {
        "total_variation": distance,
        "chi_square": test.statistic,
        "chi_square_p_value": test.p_value,
        "psi": statistics.psi(reference, current),
        "jensen_shannon": statistics.jensen_shannon(reference, current),
        "kullback_leibler": statistics.kullback_leibler(reference, current, floor=statistics.FLOOR),
    }
    before, after = statistics.shares(reference), statistics.shares(current)
    place = int(np.argmax(np.abs(before - after)))
    limit = max(threshold, chance.variation_chance(reference, current, alpha))
    return values, (distance, limit, f"{names[place]!r}: {before[place]:.0%} → {after[place]:.0%}")
