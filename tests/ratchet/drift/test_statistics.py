"""Every statistic equals scipy's, on any samples that hypothesis can think of, and Evidently's over its own bins."""

import importlib
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.spatial.distance
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ratchet.drift import statistics
from ratchet.drift.bins import evidently_psi, sturges_counts
from ratchet.drift.columns import compare_column
from ratchet.errors import EmptySampleError

TIED = st.integers(-5, 5).map(float) | st.sampled_from([np.inf, -np.inf, 1e300, -1e300, 0.1])
SMOOTH = st.floats(-1e6, 1e6, allow_nan=False)


def samples(values: st.SearchStrategy[float]) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, st.integers(1, 60), elements=values)


def counts(k: int = 6) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, k, elements=st.integers(0, 500).map(float)).filter(lambda array: array.sum() > 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:divide by zero")  # scipy's own p-value for one row a side
@given(samples(TIED) | samples(SMOOTH), samples(TIED) | samples(SMOOTH))
@settings(max_examples=300, deadline=None)
def test_d_is_scipys_with_ties_infinities_constants_and_single_rows(reference: np.ndarray, current: np.ndarray) -> None:
    expected = scipy.stats.ks_2samp(reference, current, method="asymp").statistic
    assert statistics.ks_statistic(reference, current) == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
@given(samples(SMOOTH), samples(SMOOTH))
@settings(max_examples=200, deadline=None)
def test_wasserstein_is_scipys(reference: np.ndarray, current: np.ndarray) -> None:
    expected = scipy.stats.wasserstein_distance(reference, current)
    assert statistics.wasserstein(reference, current) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.slow
@given(counts(), counts())
@settings(max_examples=200, deadline=None)
def test_divergences_are_scipys(reference: np.ndarray, current: np.ndarray) -> None:
    p, q = reference / reference.sum(), current / current.sum()
    assert statistics.jensen_shannon(reference, current) ** 2 == pytest.approx(
        scipy.spatial.distance.jensenshannon(p, q, base=2) ** 2, abs=1e-9
    )
    assert statistics.kullback_leibler(reference, current) == pytest.approx(scipy.stats.entropy(p, q), rel=1e-9, abs=1e-9)


@pytest.mark.slow
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


@pytest.fixture(scope="module")
def evidently() -> Callable[..., Any]:
    """Return what calls one of Evidently's functions: module, name, arguments."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its pydantic and numpy deprecations
        importlib.import_module("evidently.legacy.calculations.stattests")
        kind = importlib.import_module("evidently.legacy.core").ColumnType

    def call(module: str, reference: pl.Series, current: pl.Series, *arguments: object) -> Any:
        found = importlib.import_module(f"evidently.legacy.calculations.stattests.{module}")
        function = getattr(found, {"utils": "get_binned_data", "chisquare_stattest": "_chi_stat_test"}.get(module, f"_{module}"))
        feature = kind.Numerical if reference.dtype.is_numeric() else kind.Categorical
        return function(reference.to_pandas(), current.to_pandas(), feature, *arguments)

    return call


def drawn(kind: str) -> tuple[pl.Series, pl.Series]:
    """Two samples of 8,192 rows together, where Sturges' number of bins is just a whole one."""
    rng = np.random.default_rng(11)
    first, second = rng.normal(0, 1, 4_096), rng.normal(0.4, 1.3, 4_096)
    made = {
        "smooth": (first, second),
        "far apart": (first, second * 4 + 20),
        "whole": (np.floor(first * 9).astype(int), np.floor(second * 9).astype(int)),
        "whole, in less than Sturges' bins": (rng.integers(0, 22, 2**22), rng.integers(1, 24, 2**22)),
        "few": (first.round(0), second.round(0)),
        "few against many": (first.round(0), second),
        "words": (rng.choice(list("abcd"), 4_096), rng.choice(list("abcd"), 4_096, p=[0.26, 0.24, 0.24, 0.26])),
    }[kind]
    return pl.Series("x", made[0]), pl.Series("x", made[1])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["smooth", "far apart", "whole", "whole, in less than Sturges' bins", "few", "few against many"])
def test_of_numbers_psi_divergences_and_wasserstein_are_evidentlys_over_its_bins(kind: str, evidently: Callable[..., Any]) -> None:
    reference, current = drawn(kind)
    told = compare_column(reference, current).statistics
    bins = sturges_counts(*(np.sort(side.to_numpy()) for side in (reference, current)), whole=kind.startswith("whole"))
    filled = evidently("utils", reference, current, 30, True)
    assert told["psi_sturges"] == pytest.approx(evidently("psi", reference, current, 0.1)[0], rel=1e-9)
    nats = statistics.jensen_shannon(*bins) * math.sqrt(math.log(2))
    assert nats == pytest.approx(evidently("jensenshannon", reference, current, 0.1)[0], rel=1e-9)
    assert statistics.kullback_leibler(*filled) == pytest.approx(evidently("kl_div", reference, current, 0.1)[0], rel=1e-9)
    normed = told["wasserstein"] / max(float(np.std(reference.to_pandas())), 0.001)
    assert normed == pytest.approx(evidently("wasserstein_distance_norm", reference, current, 0.1)[0], rel=1e-9)


@pytest.mark.slow
def test_of_categories_psi_divergences_and_chi_square_are_evidentlys(evidently: Callable[..., Any]) -> None:
    reference, current = drawn("words")
    told = compare_column(reference, current).statistics
    counts = [side.value_counts().sort("x")["count"].to_numpy().astype(float) for side in (reference, current)]
    assert told["psi"] == pytest.approx(evidently("psi", reference, current, 0.1)[0], rel=1e-9)
    assert told["psi"] == pytest.approx(evidently_psi(*counts), rel=1e-9)
    nats = told["jensen_shannon"] * math.sqrt(math.log(2))
    assert nats == pytest.approx(evidently("jensenshannon", reference, current, 0.1)[0], rel=1e-9)
    assert told["kullback_leibler"] == pytest.approx(evidently("kl_div", reference, current, 0.1)[0], rel=1e-9)
    # Evidently's test takes the reference's shares for the truth: ours with a reference without end.
    expected = evidently("chisquare_stattest", reference, current, 0.05)[0]
    assert statistics.chi_square(counts[0] * 1e12, counts[1]).p_value == pytest.approx(expected, rel=1e-9)
    assert 1e-6 < expected < 1
