import math
import random

import pytest

from ratchet.serving.guard import ALPHA, BETS, Guard


def test_a_challenger_that_only_errs_is_rejected_at_once():
    guard = Guard()
    for _ in range(200):
        if guard.observe(failed=True):
            break
    assert guard.requests <= 5
    assert guard.evidence()["errors"] == guard.requests


@pytest.mark.parametrize(("rate", "within"), [(0.05, 1500), (0.2, 150), (0.5, 60)])
def test_one_that_errs_often_is_rejected_soon(rate, within):
    for seed in range(50):
        chance, guard = random.Random(seed), Guard()
        while not guard.observe(failed=chance.random() < rate):
            assert guard.requests < within


@pytest.mark.slow
def test_one_within_the_tolerance_is_hardly_ever_rejected_however_often_it_is_looked_at():
    rejected = 0
    for seed in range(500):
        chance, guard = random.Random(seed), Guard()
        for _ in range(1000):
            guard.observe(failed=chance.random() < 0.01)
        rejected += guard.rejected
    assert rejected <= 4, "half a one is expected at most; 5 or more have a probability below 2e-4"


def test_the_e_value_is_the_mean_capital_of_the_bets():
    guard, chance = Guard(), random.Random(1)
    capital = [1.0] * len(BETS)
    for _ in range(300):
        failed = chance.random() < 0.03
        guard.observe(failed=failed)
        capital = [one * (bet / 0.01 if failed else (1 - bet) / 0.99) for one, bet in zip(capital, BETS, strict=True)]
    assert guard.e_value == pytest.approx(sum(capital) / len(BETS))


def test_a_rejection_stands_whatever_comes_after_it():
    guard = Guard()
    for failed in (*[True] * 5, *[False] * 5_000):
        guard.observe(failed=failed)
    assert guard.e_value < 1 / ALPHA
    assert guard.rejected


def test_the_evidence_is_a_finite_number_however_much_of_it_there_is():
    guard = Guard()
    for _ in range(2000):
        guard.observe(failed=True)
    assert math.isfinite(guard.e_value)
