import math

import numpy as np
import pytest
import scipy.stats

from ratchet.drift import chance, statistics


def test_p_values_are_scipys() -> None:
    for x in np.linspace(0.01, 3, 60):
        assert chance.ks_p(x, 2, 2) == pytest.approx(scipy.stats.kstwobign.sf(x), abs=1e-9)
        for degrees in (1, 2, 30, 2_000):
            assert chance.chi_square_p(x * degrees, degrees) == pytest.approx(scipy.stats.chi2.sf(x * degrees, degrees), abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(5, 7), (40, 40), (300, 50), (2_000, 1_000)])
def test_chance_exceeds_its_bound_no_more_often_than_stated(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    alpha, cases = 0.1, 400
    numbers = sum(statistics.ks_statistic(rng.random(n), rng.random(m)) > chance.ks_chance(n, m, alpha) for _ in range(cases))
    share = rng.dirichlet(np.ones(12))
    pairs = [(rng.multinomial(n, share).astype(float), rng.multinomial(m, share).astype(float)) for _ in range(cases)]
    categories = sum(statistics.total_variation(a, b) > chance.variation_chance(a, b, alpha) for a, b in pairs)
    assert numbers <= alpha * cases
    assert categories <= alpha * cases


@pytest.mark.slow
@pytest.mark.parametrize(("n", "m"), [(400, 400), (5_000, 800), (800, 5_000), (50_000, 2_000)])
@pytest.mark.parametrize("rate", [0.003, 0.03, 0.97])
def test_a_rare_category_is_called_moved_no_more_often_than_stated(n: int, m: int, rate: float) -> None:
    rng = np.random.default_rng(n + m)
    alpha, cases, called = 0.1, 2_000, 0
    for first, second in zip(rng.binomial(n, rate, cases), rng.binomial(m, rate, cases), strict=True):
        counts = np.array([first, n - first], float), np.array([second, m - second], float)
        if 0 < first + second < n + m:
            called += statistics.total_variation(*counts) > chance.variation_chance(*counts, alpha)
    assert called <= alpha * cases


def test_of_rare_alarms_a_threefold_rate_is_more_than_chance() -> None:
    before, after = np.array([99_000.0, 1_000.0]), np.array([9_700.0, 300.0])
    assert statistics.total_variation(before, after) > 2 * chance.variation_chance(before, after, 1e-5)
    assert chance.rate_chance(0.0, 100, 100, 0.001) == chance.rate_chance(0.5, 2, 3, 0.001) == math.inf
