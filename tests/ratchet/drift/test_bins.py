import numpy as np
import pytest

from ratchet.drift.bins import decile_counts, evidently_psi, sturges_counts


def test_psi_over_sturges_bins_is_evidentlys_own_number() -> None:
    """By Evidently's published rule, written with numpy's histogram: pooled Sturges edges, shares, its filling of empty bins."""
    rng = np.random.default_rng(0)
    reference, current = np.sort(rng.normal(0, 1, 3_000)), np.sort(rng.normal(0.3, 1.2, 2_000))
    edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
    p, q = (np.histogram(side, edges)[0] / len(side) for side in (reference, current))
    for side in (p, q):
        smallest = side[side > 0].min()
        side[side == 0] = smallest / 1e6 if smallest <= 1e-4 else 1e-4
    assert evidently_psi(*sturges_counts(reference, current)) == pytest.approx(np.sum((p - q) * np.log(p / q)), rel=1e-9)


def test_deciles_of_a_value_that_fills_most_rows_become_one_bin() -> None:
    first, second = decile_counts(np.array([0.0] * 95 + [1.0] * 5), np.array([0.0] * 50 + [1.0] * 50))
    assert (first.tolist(), second.tolist()) == ([95, 5], [50, 50])


def test_few_values_are_binned_one_by_one_as_evidently_does() -> None:
    first, second = sturges_counts(np.array([1.0, 1.0, 2.0]), np.array([2.0, 3.0]))
    assert (first.tolist(), second.tolist()) == ([2, 1, 0], [0, 1, 1])


def test_infinities_are_in_the_outer_deciles_and_in_none_of_sturges_bins() -> None:
    values = np.array([-np.inf, *range(50), np.inf])
    assert decile_counts(values, values)[0].sum() == 52
    assert sturges_counts(values, values)[0].sum() == 50
