"""The error gate: only errors are refuted within a dozen requests, errors of both are nobody's fault."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.judge.betting import BETS, SHARES
from ratchet.delivery.judge.failures import judge_errors
from ratchet.errors import JudgeError

RULES = {"alpha": 0.01, "tolerance": 0.005, "minimum": 200}


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.001])
def test_a_challenger_that_only_fails_is_aborted_within_thirty_requests_when_the_naive_gambler_says(alpha: float) -> None:
    gate = judge_errors([False] * 30, [True] * 30, **RULES | {"alpha": alpha})
    steps = 1
    while sum(SHARES * (1 + BETS / 1.005 * 0.995) ** steps) < 1 / alpha:
        steps += 1
    assert gate.verdict == "abort"
    assert gate.tests[0].rejected_at == steps <= 30
    assert "30 of 30 requests failed, 0 of the champion's" in gate.reason


def test_requests_that_both_fail_speak_against_neither() -> None:
    both = np.arange(1_000) % 2 == 0
    assert judge_errors(both, both, **RULES).verdict == "pass"


def test_a_champion_that_fails_more_makes_no_abort_and_a_pass_needs_the_minimum() -> None:
    assert judge_errors([True] * 300, [False] * 300, **RULES).verdict == "pass"
    assert judge_errors([False] * 199, [False] * 199, **RULES).verdict == "wait"
    assert judge_errors([], [], **RULES).verdict == "wait"


def test_as_often_as_the_tolerance_allows_is_aborted_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(0)
    rules = {"alpha": 0.1, "tolerance": 0.02, "minimum": 1}
    aborted = [judge_errors(rng.random(1_000) < 0.01, rng.random(1_000) < 0.03, **rules).verdict == "abort" for _ in range(400)]
    assert 0.01 <= np.mean(aborted) <= 0.1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=80), st.integers(0, 80))
def test_evidence_of_a_prefix_is_the_prefix_of_the_evidence(rows: list[tuple[bool, bool]], cut: int) -> None:
    def judged(given: list[tuple[bool, bool]]):
        table = np.array(given, dtype=bool).reshape(-1, 2)
        gate = judge_errors(table[:, 0], table[:, 1], **RULES)
        json.dumps(gate.evidence(), allow_nan=False)
        return gate.tests[0]

    part, whole = judged(rows[:cut]), judged(rows)
    np.testing.assert_allclose(part.wealth, whole.wealth[: len(part.wealth)], atol=2e-4)
    assert part.rejected_at is None or part.rejected_at == whole.rejected_at


def test_what_is_no_flag_is_refused() -> None:
    with pytest.raises(JudgeError, match="two booleans"):
        judge_errors([0.5], [True], **RULES)
    with pytest.raises(JudgeError, match="two booleans"):
        judge_errors([True, False], [True], **RULES)
    with pytest.raises(JudgeError, match="error tolerance 1"):
        judge_errors([True], [True], **RULES | {"tolerance": 1})
