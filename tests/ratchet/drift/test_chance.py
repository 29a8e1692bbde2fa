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
