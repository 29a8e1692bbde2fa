"""A fair game cannot be won on average, the path has no memory of what follows it, and the sums are those of the naive gambler."""

import itertools
import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ratchet.delivery.judge.betting import BETS, COLUMNS, SHARES, grow, start, wealth_path

gains = arrays.arrays(np.float64, st.integers(0, 60), elements=st.floats(-1, 1))


def naive(values: list[float], largest_loss: float = 1.0) -> list[float]:
    """Wealth after each gain, by multiplying."""
    capital, wealth = list(SHARES), []
    for value in values:
        capital = [money * (1 + bet / largest_loss * value) for money, bet in zip(capital, BETS, strict=True)]
        wealth.append(sum(capital))
    return wealth


def test_the_capital_is_one_and_no_bet_is_all_of_it() -> None:
    assert sum(SHARES) == pytest.approx(1, abs=1e-12)
    assert len(SHARES) == len(BETS)
    assert 0 < BETS.min() <= BETS.max() < 1


@given(gains)
def test_the_wealth_is_that_of_a_gambler_who_multiplies(values: np.ndarray) -> None:
    np.testing.assert_allclose(np.exp(wealth_path(values)), naive(values.tolist()), rtol=1e-9)


def test_a_larger_possible_loss_makes_every_bet_smaller() -> None:
    values = np.array([-2.0, 1.0, -2.0])
    np.testing.assert_allclose(np.exp(wealth_path(values, 2.0)), naive(values.tolist(), 2.0))


@pytest.mark.parametrize("outcomes", [{-1.0: 0.5, 1.0: 0.5}, {-1.0: 0.1, 1 / 9: 0.9}, {-0.2: 0.75, 0.6: 0.25}])
def test_a_fair_game_leaves_a_wealth_of_exactly_one_on_average(outcomes: dict[float, float]) -> None:
    rounds = 8
    mean = 0.0
    for values in itertools.product(outcomes, repeat=rounds):
        mean += math.prod(outcomes[value] for value in values) * math.exp(wealth_path(np.array(values))[-1])
    assert mean == pytest.approx(1, abs=1e-9)


def test_an_unfair_game_loses() -> None:
    mean = sum(math.exp(wealth_path(np.array(values))[-1]) for values in itertools.product((-1.0, 0.9), repeat=8)) / 2**8
    assert mean < 1


def test_wealth_reaches_twenty_in_at_most_a_twentieth_of_fair_games() -> None:
    rng = np.random.default_rng(0)
    games = 1_000
    reached = sum(wealth_path(rng.choice([-1.0, 1.0], 1_000)).max() >= math.log(20) for _ in range(games))
    assert 0.01 * games < reached <= (0.05 + 2 * math.sqrt(0.05 * 0.95 / games)) * games


@given(gains, st.integers(0, 60))
def test_the_path_of_a_prefix_is_the_prefix_of_the_path(values: np.ndarray, cut: int) -> None:
    np.testing.assert_allclose(wealth_path(values[:cut]), wealth_path(values)[:cut], rtol=0, atol=1e-12)


def test_a_long_path_is_the_same_in_pieces_and_gone_on_with() -> None:
    values = np.random.default_rng(1).uniform(-1, 1, 2 * COLUMNS + 17)
    steps = np.cumsum(np.log1p(BETS[:, None] * values), axis=1) + np.log(SHARES)[:, None]
    path = wealth_path(values)
    np.testing.assert_allclose(path, scipy.special.logsumexp(steps, axis=0), rtol=1e-9, atol=1e-9)
    capital, before = grow(start(), values[:5_000])
    np.testing.assert_allclose(np.concatenate([before, grow(capital, values[5_000:])[1]]), path, rtol=1e-9, atol=1e-9)


def test_the_worst_that_can_happen_stays_finite() -> None:
    path = wealth_path(np.full(100_000, -1.0))
    assert np.isfinite(path).all()
    assert path[-1] < -100
    swing = np.tile(np.repeat([-0.1, 1.9], 700), 20)
    assert np.isfinite(wealth_path(swing, 0.1)).all()
    np.testing.assert_allclose(wealth_path(swing[:300], 0.1), np.log(naive(swing[:300].tolist(), 0.1)), rtol=1e-9)


def test_the_best_fixed_bet_in_hindsight_is_only_its_share_ahead() -> None:
    values = np.where(np.random.default_rng(2).random(2_000) < 0.7, 1.0, -1.0)
    best = np.log1p(BETS[:, None] * values).sum(axis=1)
    assert wealth_path(values)[-1] >= (best + np.log(SHARES)).max()
