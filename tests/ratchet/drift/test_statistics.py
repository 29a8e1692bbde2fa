"""Every statistic equals scipy's, on any samples that hypothesis can think of."""

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ratchet.drift import statistics
from ratchet.errors import EmptySampleError

TIED = st.integers(-5, 5).map(float) | st.sampled_from([np.inf, -np.inf, 1e300, -1e300, 0.1])
SMOOTH = st.floats(-1e6, 1e6, allow_nan=False)


def samples(values: st.SearchStrategy[float]) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, st.integers(1, 60), elements=values)


def counts(k: int = 6) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, k, elements=st.integers(0, 500).map(float)).filter(lambda array: array.sum() > 0)


@pytest.mark.filterwarnings("ignore:divide by zero")  # scipy's own p-value for one row a side
@given(samples(TIED) | samples(SMOOTH), samples(TIED) | samples(SMOOTH))
@settings(max_examples=300, deadline=None)
def test_d_is_scipys_with_ties_infinities_constants_and_single_rows(reference: np.ndarray, current: np.ndarray) -> None:
    expected = scipy.stats.ks_2samp(reference, current, method="asymp").statistic
    assert statistics.ks_statistic(reference, current) == pytest.approx(expected, abs=1e-12)


@given(samples(SMOOTH), samples(SMOOTH))
@settings(max_examples=200, deadline=None)
def test_wasserstein_is_scipys(reference: np.ndarray, current: np.ndarray) -> None:
    expected = scipy.stats.wasserstein_distance(reference, current)
    assert statistics.wasserstein(reference, current) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(counts(), counts())
@settings(max_examples=200, deadline=None)
def test_divergences_are_scipys(reference: np.ndarray, current: np.ndarray) -> None:
    p, q = reference / reference.sum(), current / current.sum()
    assert statistics.jensen_shannon(reference, current) ** 2 == pytest.approx(
        scipy.spatial.distance.jensenshannon(p, q, base=2) ** 2, abs=1e-9
    )
    assert statistics.kullback_leibler(reference, current) == pytest.approx(scipy.stats.entropy(p, q), rel=1e-9, abs=1e-9)


@given(counts(), counts())
@settings(max_examples=200, deadline=None)
def test_chi_square_is_scipys_and_ignores_categories_nobody_has(reference: np.ndarray, current: np.ndarray) -> None:
    seen = (reference + current) > 0
    result = statistics.chi_square(reference, current)
    expected = scipy.stats.chi2_contingency(np.stack([reference[seen], current[seen]]), correction=False)
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert (result.degrees, result.p_value) == (expected.dof, pytest.approx(expected.pvalue, abs=1e-9))


@given(counts(), counts())
@settings(max_examples=200, deadline=None)
def test_psi_is_the_sum_of_both_divergences(reference: np.ndarray, current: np.ndarray) -> None:
    p, q = (np.where(side == 0, 1e-4, side / side.sum()) for side in (reference, current))
    expected = np.sum(scipy.special.rel_entr(p, q)) + np.sum(scipy.special.rel_entr(q, p))
    assert statistics.psi(reference, current) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("measure", [statistics.ks_statistic, statistics.wasserstein])
def test_an_empty_sample_is_an_error_that_says_so(measure: object) -> None:
    with pytest.raises(EmptySampleError, match="samples of 0 and 1 values"):
        measure(np.array([]), np.array([1.0]))  # type: ignore[operator]
