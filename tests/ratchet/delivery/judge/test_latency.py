"""The latency gate: found soon when slower, never for a busy hour, and blind to nothing that is missing."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.judge.betting import BETS, SHARES
from ratchet.delivery.judge.latency import FIRST, judge_latency, thresholds
from ratchet.errors import JudgeError

RULES = {"alpha": 0.01, "tolerance": 0.25, "minimum": 200}


def lognormal(rng: np.random.Generator, n: int, sigma: float = 0.25) -> np.ndarray:
    return 20 * np.exp(sigma * rng.standard_normal(n))


def test_a_challenger_that_is_always_slower_is_aborted_when_the_naive_gambler_says() -> None:
    gate = judge_latency(np.full(60, 10.0), np.full(60, 11.0), alpha=0.01, tolerance=0.25, minimum=200)
    steps = 1
    while sum(SHARES * (1 + BETS / 1.25) ** steps) < 1 / 0.005:
        steps += 1
    assert gate.verdict == "abort"
    assert [test.rejected_at for test in gate.tests] == [FIRST + steps] * 2
    assert [test.alpha for test in gate.tests] == [0.005, 0.005]


@given(st.integers(0, 2**32), st.integers(0, 200), st.sampled_from([0.9, 0.95]))
def test_a_threshold_is_a_quantile_of_what_came_before_it_only(seed: int, n: int, level: float) -> None:
    champion = np.random.default_rng(seed).random(n)
    found = thresholds(champion, level)
    assert np.isinf(found[:FIRST]).all()
    for place in range(FIRST, n):
        seen = FIRST
        while 2 * seen <= place:
            seen *= 2
        assert found[place] == sorted(champion[:seen])[math.ceil(level * (seen - 1) - 1e-9)]


def test_a_fifth_slower_is_found_within_250_requests_as_a_median() -> None:
    found = []
    for run in range(100):
        rng = np.random.default_rng(run)
        tests = judge_latency(lognormal(rng, 1_000), 1.2 * lognormal(rng, 1_000), **RULES | {"alpha": 0.05 / 6}).tests
        found.append(min(test.rejected_at or 10**9 for test in tests))
    assert np.median(found) <= 250


@pytest.mark.parametrize("sigma", [0.25, 1.5])
def test_as_fast_is_rarely_aborted_and_passes_from_the_minimum_on(sigma: float) -> None:
    rng = np.random.default_rng(0)
    gates = [judge_latency(lognormal(rng, 1_000, sigma), lognormal(rng, 1_000, sigma), **RULES) for _ in range(200)]
    assert sum(gate.verdict == "abort" for gate in gates) <= 2
    assert {gate.verdict for gate in gates} <= {"abort", "pass"}
    assert judge_latency([10.0] * 199, [10.0] * 199, **RULES).verdict == "wait"


def test_an_hour_that_is_slow_for_both_is_no_reason() -> None:
    rng = np.random.default_rng(1)
    busy = np.where(np.arange(3_000) > 1_000, 5.0, 1.0)
    assert judge_latency(busy * lognormal(rng, 3_000), busy * lognormal(rng, 3_000), **RULES).verdict == "pass"


def test_a_challenger_without_an_answer_in_time_is_the_slowest() -> None:
    rng = np.random.default_rng(2)
    champion = lognormal(rng, 600)
    challenger = np.where(rng.random(600) < 0.5, math.nan, 1.0)
    assert judge_latency(champion, challenger, **RULES).verdict == "abort"


def test_requests_without_the_champion_s_latency_do_not_count() -> None:
    gate = judge_latency([math.nan] * 500, [10.0] * 500, **RULES)
    assert gate.verdict == "wait"
    assert gate.reason.startswith("0 requests")
    assert judge_latency([], [], **RULES).verdict == "wait"


def test_within_the_tolerance_is_not_slower() -> None:
    rng = np.random.default_rng(3)
    slow = rng.random((2, 60_000)) < np.array([[0.05], [0.06]])
    champion, challenger = np.where(slow, 100.0, 10.0)
    assert judge_latency(champion, challenger, **RULES).verdict == "pass"
    assert judge_latency(champion, challenger, **RULES | {"tolerance": 0.0}).verdict == "abort"


@given(st.integers(0, 2**32), st.integers(0, 300), st.integers(0, 300))
def test_evidence_of_a_prefix_is_the_prefix_of_the_evidence(seed: int, n: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.choice([1.0, 2.0, 3.0, 50.0, math.nan], (n, 2), p=[0.3, 0.3, 0.3, 0.08, 0.02])

    def judged(given: np.ndarray):
        gate = judge_latency(given[:, 0], given[:, 1], **RULES)
        json.dumps(gate.evidence(), allow_nan=False)
        return gate.tests

    for part, whole in zip(judged(rows[:cut]), judged(rows), strict=True):
        assert part.counts == whole.counts[: len(part.counts)]
        np.testing.assert_allclose(part.wealth, whole.wealth[: len(part.wealth)], atol=2e-4)
        assert part.rejected_at is None or part.rejected_at == whole.rejected_at


def test_what_is_no_latency_is_refused() -> None:
    with pytest.raises(JudgeError, match="-1 ms is below 0"):
        judge_latency([math.nan], [-1.0], **RULES)
    with pytest.raises(JudgeError, match="give both of each request"):
        judge_latency([1.0, 2.0], [1.0], **RULES)
    with pytest.raises(JudgeError, match="tolerance"):
        judge_latency([1.0], [1.0], **RULES | {"tolerance": -0.1})
