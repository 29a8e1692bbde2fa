import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.models.autoencoder.moments import Moments

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


def seen(values: np.ndarray, cuts: list[int]) -> Moments:
    moments = Moments()
    for part in np.split(values, sorted(cut % (len(values) + 1) for cut in cuts)):
        moments.add(part)
    return moments


@given(VALUES, st.lists(st.integers(0, 60), max_size=5))
def test_mean_and_spread_are_numpys_however_the_rows_are_cut(values: list[float], cuts: list[int]) -> None:
    array = np.array(values)
    moments = seen(array, cuts)
    assert moments.count == len(values)
    assert (moments.low, moments.high) == (array.min(), array.max())
    assert moments.centre == pytest.approx(array.mean(), rel=1e-9, abs=1e-9)
    if array.std() > 1e-6 * max(1.0, abs(array).max()):
        assert moments.spread == pytest.approx(array.std(), rel=1e-6)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40), st.lists(st.integers(0, 40), max_size=3))
def test_whatever_the_numbers_are_the_centre_is_among_them_and_the_spread_above_0(values: list[float], cuts: list[int]) -> None:
    moments = seen(np.array(values), cuts)
    assert min(values) <= moments.centre <= max(values)
    assert 0 < moments.spread < math.inf


def test_a_small_spread_around_a_large_mean_keeps_its_digits() -> None:
    array = 1.7e9 + np.random.default_rng(0).normal(0, 1e-3, 100_000)
    assert seen(array, [10, 5_000, 70_000]).spread == pytest.approx(array.std(), rel=1e-6)


def test_a_constant_and_a_column_of_nothing_have_a_spread_of_1() -> None:
    assert (seen(np.full(7, 0.1), [3]).centre, seen(np.full(7, 0.1), [3]).spread) == (0.1, 1.0)
    assert (Moments().centre, Moments().spread) == (0.0, 1.0)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_numbers_whose_squares_no_double_holds_still_have_a_spread_of_their_size(size: float) -> None:
    assert seen(np.array([-1.0, 0.0, 1.0]) * size, [1]).spread == pytest.approx(size, rel=0.5)
