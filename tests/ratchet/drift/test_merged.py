"""However the axis is cut, D and the area are those of all values merged; scipy says so too where it can."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ratchet.drift import merged, statistics
from ratchet.drift.merged import Merged

TIED = st.integers(-5, 5).map(float) | st.sampled_from([np.inf, -np.inf, 1e300, -1e300, 1.7e308, -1.7e308, 0.1, -0.0, 5e-324])
SMOOTH = st.floats(-1e6, 1e6, allow_nan=False)
WHOLE = st.integers(-5, 5) | st.integers(2**53, 2**53 + 6) | st.sampled_from([2**63 - 1, -(2**63)])
pairs = st.one_of(
    *(
        st.tuples(*[hnp.arrays(dtype, st.integers(1, 80), elements=values).map(np.sort)] * 2)
        for dtype, values in ((np.float64, TIED), (np.float64, SMOOTH), (np.float64, TIED | SMOOTH), (np.int64, WHOLE))
    )
)


def walked(reference: np.ndarray, current: np.ndarray) -> tuple[Fraction, float, Fraction | float]:
    """D, the smallest value where it is, and the area, in fractions, from the definition."""
    values = sorted({*reference.tolist(), *current.tolist()})
    shares = [[Fraction(int(np.sum(side <= value)), len(side)) for value in values] for side in (reference, current)]
    gaps = [abs(first - second) for first, second in zip(*shares, strict=True)]
    area: Fraction | float = Fraction(0)
    for place, gap in enumerate(gaps[:-1]):
        if gap:
            infinite = not (np.isfinite(values[place]) and np.isfinite(values[place + 1]))
            area = float("inf") if infinite else area + gap * (Fraction(values[place + 1]) - Fraction(values[place]))
    return max(gaps), values[gaps.index(max(gaps))], area


@given(pairs, st.sampled_from([1, 2, 3, 7, 256]), st.sampled_from([1, 2, 32]), st.sampled_from([2, 1 << 13]))
@settings(max_examples=150)
def test_the_answers_are_the_definitions_however_the_axis_is_cut(pair, stride: int, together: int, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merged, "TOGETHER", together)
        patch.setattr(merged, "PIECE", piece)
        found = Merged.of(*pair, stride=stride)
        gap, place, area = walked(*pair)
        distance, at = found.largest_gap()
        assert (distance, at) == (pytest.approx(float(gap), abs=1e-15), place)
        width = float(max(map(max, pair))) - float(min(map(min, pair)))
        lost = 1e-15 * width if width > 2**62 and found.edges.dtype == np.int64 else 0  # their differences do not fit 64 bits
        assert found.area() == pytest.approx(float(area) if area < np.finfo(np.float64).max else np.inf, rel=1e-9, abs=lost)


@pytest.mark.parametrize("shift", [0.0, 1e-9, 0.02, 3.0])
@pytest.mark.parametrize("kind", ["smooth", "rounded", "many zeros", "two humps", "times"])
def test_ten_thousands_of_values_give_scipys_distances(kind: str, shift: float) -> None:
    rng = np.random.default_rng(3)
    first, second = (rng.normal(size=n) for n in (60_000, 45_000))
    if kind == "rounded":
        first, second = first.round(1), second.round(1)
    if kind == "many zeros":
        first, second = np.maximum(first, 0), np.maximum(second, 0)
    if kind == "two humps":
        first, second = first + 9 * (rng.random(60_000) < 0.5), second + 9 * (rng.random(45_000) < 0.5)
    if kind == "times":  # far from zero, where a difference of sums would lose what a sum of differences keeps
        first, second = (1.7e15 + np.round(1e9 * side) for side in (first, second))
        shift *= 1e9
    second = second + shift
    assert statistics.ks_statistic(first, second) == pytest.approx(scipy.stats.ks_2samp(first, second, method="asymp").statistic, abs=1e-12)
    assert statistics.wasserstein(first, second) == pytest.approx(scipy.stats.wasserstein_distance(first, second), rel=1e-9)


def test_what_equals_itself_is_at_distance_0() -> None:
    values = np.sort(np.random.default_rng(0).normal(size=30_000))
    assert (Merged.of(values, values).largest_gap()[0], Merged.of(values, values).area()) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("reference", "current", "distance"),
    [([np.inf, 1.0], [np.inf, 2.0], 0.5), ([np.inf], [np.inf], 0.0), ([-np.inf], [np.inf], np.inf), ([np.inf, 1.0], [1.0, 2.0], np.inf)],
)
def test_mass_at_the_same_infinity_need_not_move(reference: list[float], current: list[float], distance: float) -> None:
    assert statistics.wasserstein(np.array(reference), np.array(current)) == distance


def test_the_value_of_the_largest_gap_is_the_last_one_before_the_other_sample_catches_up() -> None:
    assert Merged.of(np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 5.0])).largest_gap() == (2 / 3, 2.0)


def test_integers_that_a_float_cannot_tell_apart_are_apart() -> None:
    first, second = np.arange(2**60, 2**60 + 100), np.arange(2**60 + 50, 2**60 + 150)
    assert Merged.of(first, second).largest_gap() == (0.5, 2**60 + 49)
    assert Merged.of(first, second).area() == pytest.approx(50, rel=1e-12)
