"""The ratio gate: the likelihood ratio that scipy computes, fair for the split that was set, and a hold for any other."""

import itertools
import json
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.judge.ratio import LOG_ODDS, judge_ratio
from ratchet.errors import JudgeError


@pytest.mark.parametrize(("percent", "real"), [(5, 0.05), (50, 0.6), (25, 0.2)])
def test_the_wealth_is_the_mixed_likelihood_ratio_of_scipy(percent: float, real: float) -> None:
    went = np.random.default_rng(0).random(300) < real
    p = percent / 100
    odds = np.exp(LOG_ODDS) * p / (1 - p)
    alternatives = scipy.stats.binom.logpmf(went.sum(), 300, odds / (1 + odds))
    expected = scipy.special.logsumexp(alternatives) - math.log(len(odds)) - scipy.stats.binom.logpmf(went.sum(), 300, p)
    assert judge_ratio(went, percent, alpha=0.01).tests[0].wealth[-1] == pytest.approx(expected / math.log(10), abs=1e-4)


@pytest.mark.parametrize("percents", [(50.0,) * 8, (1.0, 1.0, 5.0, 5.0, 25.0, 25.0, 50.0, 50.0)])
def test_a_split_as_set_leaves_a_wealth_of_one_on_average_whatever_the_steps(percents: tuple[float, ...]) -> None:
    shares = np.array(percents) / 100
    mean = 0.0
    for went in itertools.product((False, True), repeat=len(percents)):
        chance = float(np.prod(np.where(went, shares, 1 - shares)))
        mean += chance * 10 ** judge_ratio(went, percents, alpha=0.01).tests[0].wealth[-1]
    assert mean == pytest.approx(1, abs=1e-3)


def test_a_broken_split_holds_and_never_promotes() -> None:
    went = np.random.default_rng(1).random(10_000) < 0.45
    gate = judge_ratio(went, 50, alpha=0.01)
    assert gate.verdict == "hold"
    assert "the split is not what was set" in gate.reason
    assert judge_ratio(~went, 50, alpha=0.01).verdict == "hold"


def test_a_split_as_set_is_held_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(2)
    held = [judge_ratio(rng.random(1_000) < 0.05, 5, alpha=0.1).verdict == "hold" for _ in range(400)]
    assert 0 < np.mean(held) <= 0.1


def test_a_unit_where_the_split_sends_none_holds_at_once() -> None:
    gate = judge_ratio([False, True], 0, alpha=0.01)
    assert (gate.verdict, gate.tests[0].rejected_at) == ("hold", 2)
    json.dumps(gate.evidence(), allow_nan=False)
    assert judge_ratio([False] * 100, 0, alpha=0.01).verdict == "pass"
    assert judge_ratio([True] * 100, 100, alpha=0.01).verdict == "pass"


@given(st.lists(st.booleans(), max_size=80), st.floats(0, 100), st.integers(0, 80))
def test_evidence_of_a_prefix_is_the_prefix_of_the_evidence(went: list[bool], percent: float, cut: int) -> None:
    part, whole = (judge_ratio(given, percent, alpha=0.05).tests[0] for given in (went[:cut], went))
    np.testing.assert_allclose(part.wealth, whole.wealth[: len(part.wealth)], atol=2e-4)
    assert part.rejected_at is None or part.rejected_at == whole.rejected_at


def test_without_units_it_waits() -> None:
    assert judge_ratio([], 5, alpha=0.05).verdict == "wait"


def test_what_is_no_split_is_refused() -> None:
    for percent in (-1, 101, math.nan, [50.0, 50.0]):
        with pytest.raises(JudgeError, match="percent"):
            judge_ratio([True], percent, alpha=0.05)
    with pytest.raises(JudgeError, match="one boolean"):
        judge_ratio([2], 5, alpha=0.05)
