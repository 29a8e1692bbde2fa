"""The gate of a business metric: in the metric's own unit, in the direction that it has."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.judge.loss import judge_loss
from ratchet.delivery.judge.metric import judge_metric
from ratchet.errors import JudgeError

RULES = {"low": 0.0, "high": 10.0, "higher_is_better": True, "margin": 0.5, "alpha": 0.05, "minimum": 10}


def test_higher_or_lower_is_better_as_stated() -> None:
    champion, challenger = np.full(300, 5.0), np.full(300, 7.0)
    assert judge_metric("m", champion, challenger, **RULES).verdict == "pass"
    assert judge_metric("m", champion, challenger, **RULES | {"higher_is_better": False}).verdict == "abort"
    assert judge_metric("m", challenger, champion, **RULES).verdict == "abort"
    assert judge_metric("m", challenger, champion, **RULES | {"higher_is_better": False}).verdict == "pass"


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=60))
def test_a_metric_between_0_and_1_that_is_a_cost_is_judged_as_the_loss(rows: list[tuple[float, float]]) -> None:
    champion, challenger = np.array(rows).reshape(-1, 2).T
    rules = {"low": 0.0, "high": 1.0, "higher_is_better": False, "margin": 0.01, "alpha": 0.05, "minimum": 1}
    found = judge_metric("cost", champion, challenger, **rules)
    loss = judge_loss(champion, challenger, np.arange(len(rows)), margin=0.01, alpha=0.05, relative_margin=math.inf, block_cap=1)
    assert found.verdict == loss.verdict
    for one, other in zip(found.tests, loss.tests, strict=True):
        np.testing.assert_allclose(one.wealth, other.wealth, atol=2e-4)


def test_what_one_arm_has_beyond_the_other_waits_and_values_are_clipped() -> None:
    gate = judge_metric("m", [5.0] * 100, [1e9] * 300, **RULES)
    assert gate.tests[0].n == 100
    assert gate.tests[0].facts["challenger"] == 10.0


def test_values_that_are_missing() -> None:
    assert judge_metric("m", [5.0] * 300, [math.nan] * 300, **RULES).verdict == "abort"
    gate = judge_metric("m", [math.nan] * 300, [7.0] * 300, **RULES)
    assert gate.verdict == "wait"
    assert "300 without a finite value of the champion" in gate.reason
    assert judge_metric("m", [], [], **RULES).verdict == "wait"
    assert judge_metric("m", [5.0] * 300, [7.0] * 300, **RULES | {"minimum": 301}).verdict == "wait"


def test_worse_by_the_margin_is_passed_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(0)
    passed = 0
    for _ in range(300):
        champion, challenger = rng.random((2, 1_500)) < np.array([[0.35], [0.30]])
        passed += judge_metric("m", champion * 10.0, challenger * 10.0, **RULES | {"alpha": 0.2}).tests[0].rejected
    assert 0.03 <= passed / 300 <= 0.2


@given(st.lists(st.floats(), max_size=50), st.lists(st.floats(), max_size=50), st.integers(0, 50))
def test_any_values_give_a_verdict_and_later_ones_leave_the_past_alone(first: list[float], second: list[float], cut: int) -> None:
    whole, part = (judge_metric("m", first[:end], second[:end], **RULES) for end in (50, cut))
    json.dumps(whole.evidence(), allow_nan=False)
    for one, other in zip(part.tests, whole.tests, strict=True):
        np.testing.assert_allclose(one.wealth, other.wealth[: len(one.wealth)], atol=2e-4)


def test_what_is_no_range_is_refused() -> None:
    for wrong in ({"low": 10.0}, {"high": math.inf}, {"margin": 10.0}, {"margin": -1.0}):
        with pytest.raises(JudgeError, match="give low < high"):
            judge_metric("m", [1.0], [1.0], **RULES | wrong)
