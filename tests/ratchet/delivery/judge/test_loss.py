"""The loss gate: exact small cases, what no evidence may do, and that it is wrong no more often than stated."""

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.judge.betting import BETS, SHARES
from ratchet.delivery.judge.gates import Gate
from ratchet.delivery.judge.loss import judge_loss, judge_watch
from ratchet.errors import JudgeError

RULES = {"margin": 0.01, "alpha": 0.05}
ALONE = {**RULES, "relative_margin": math.inf, "block_cap": 1}
finite = st.floats(0, 1)
anything = st.one_of(finite, st.sampled_from([math.nan, math.inf, -math.inf]))


def pairs(losses: st.SearchStrategy[float], size: int = 60) -> st.SearchStrategy[list[tuple[float, float, int]]]:
    return st.lists(st.tuples(losses, losses, st.integers(0, 8)), max_size=size)


def columns(rows: Sequence[tuple[float, float, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = np.array(rows, dtype=float).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2].astype(int)


def crossing(gain: float, alpha: float, largest_loss: float = 1.0) -> int:
    """Steps until a gambler who always gains the same has 1/alpha, by counting."""
    n = 1
    while sum(SHARES * (1 + BETS / largest_loss * gain) ** n) < 1 / alpha:
        n += 1
    return n


# By hand


def test_a_challenger_that_always_loses_is_aborted_when_the_naive_gambler_says() -> None:
    gate = judge_loss(np.zeros(50), np.ones(50), np.arange(50), **ALONE)
    assert gate.verdict == "abort"
    assert gate.tests[-1].rejected_at == crossing(1.0, 0.05)
    assert f"after {crossing(1.0, 0.05)} pairs" in gate.reason


def test_a_challenger_that_is_always_better_passes_when_the_naive_gambler_says() -> None:
    gate = judge_loss(np.full(50, 0.6), np.full(50, 0.1), np.arange(50), **ALONE)
    assert gate.verdict == "pass"
    assert gate.tests[0].rejected_at == crossing(0.51, 0.05, 0.99)
    assert "0.5 lower (0.1 against 0.6)" in gate.reason


def test_the_share_of_the_champion_s_loss_is_a_null_of_its_own() -> None:
    champion, challenger = np.full(3_000, 0.004), np.full(3_000, 0.006)
    assert judge_loss(champion, challenger, np.arange(3_000), **ALONE, abort_alpha=1e-9).verdict == "pass"
    gate = judge_loss(champion, challenger, np.arange(3_000), **RULES, block_cap=1, abort_alpha=1e-9)
    assert gate.verdict == "wait"
    assert "'worse by a share' is not ruled out" in gate.reason


def test_ten_alike_in_one_block_are_one_step_and_alone_are_ten() -> None:
    champion, challenger = np.zeros(200), np.ones(200)
    alone = judge_loss(champion, challenger, np.arange(200), **ALONE)
    together = judge_loss(champion, challenger, np.arange(200) // 10, **ALONE)
    assert together.tests[-1].rejected_at == 10 * alone.tests[-1].rejected_at


def test_the_gate_that_aborts_has_its_own_alpha() -> None:
    gate = judge_loss(np.zeros(50), np.ones(50), np.arange(50), **ALONE, abort_alpha=0.001)
    assert (gate.tests[0].alpha, gate.tests[-1].alpha) == (0.05, 0.001)
    assert gate.tests[-1].rejected_at == crossing(1.0, 0.001)


# What no evidence may do


@pytest.mark.parametrize("losses", [[], [math.nan] * 500])
def test_without_a_pair_that_counts_it_waits(losses: list[float]) -> None:
    gate = judge_loss(losses, [0.0] * len(losses), range(len(losses)), **RULES)
    assert gate.verdict == "wait"
    assert gate.tests[0].n == 0
    assert "no pair" in gate.reason


def test_a_challenger_without_numbers_counts_as_the_worst() -> None:
    gate = judge_loss(np.full(100, 0.5), np.full(100, math.nan), np.arange(100), **RULES)
    assert gate.verdict == "abort"
    assert "100 without a finite loss of the challenger count as 1" in gate.reason


def test_a_champion_without_a_number_makes_the_pair_not_count_and_is_named() -> None:
    champion = np.where(np.arange(300) % 3 == 0, math.nan, 0.5)
    gate = judge_loss(champion, np.where(np.isnan(champion), 1.0, 0.2), np.arange(300), **RULES)
    assert (gate.verdict, gate.tests[0].n) == ("pass", 200)
    assert "100 without a finite loss of the champion do not count" in gate.reason


def test_the_minimum_delays_a_pass_and_no_abort() -> None:
    better, worse = (np.full(99, 0.6), np.full(99, 0.1)), (np.zeros(99), np.ones(99))
    assert judge_loss(*better, np.arange(99), **ALONE, minimum=100).verdict == "wait"
    assert judge_loss(*better, np.arange(99), **ALONE, minimum=99).verdict == "pass"
    assert judge_loss(*worse, np.arange(99), **ALONE, minimum=100).verdict == "abort"


def test_what_is_no_evidence_is_refused() -> None:
    with pytest.raises(JudgeError, match=r"loss 1\.5 is outside"):
        judge_loss([0.1], [1.5], [0], **RULES)
    with pytest.raises(JudgeError, match=r"champion's loss -0\.1"):
        judge_loss([-0.1], [0.5], [0], **RULES)
    with pytest.raises(JudgeError, match="one of each"):
        judge_loss([0.1, 0.2], [0.5], [0], **RULES)
    with pytest.raises(JudgeError, match="margin 1"):
        judge_loss([0.1], [0.5], [0], margin=1, alpha=0.05)
    with pytest.raises(JudgeError, match="alpha 0"):
        judge_loss([0.1], [0.5], [0], margin=0.01, alpha=0)
    with pytest.raises(JudgeError, match="constant answer '1'"):
        judge_loss([0.1], [0.5], [0], **RULES, constants={"1": [0.1, 0.2]})


@given(pairs(anything))
def test_any_losses_give_a_verdict_that_rests_on_its_tests(rows: list[tuple[float, float, int]]) -> None:
    champion, challenger, blocks = columns(rows)
    gate = judge_loss(champion, challenger, blocks, **RULES)
    json.dumps(gate.evidence(), allow_nan=False)
    counted = int(np.isfinite(champion).sum())
    assert all(test.n == counted for test in gate.tests)
    if gate.verdict == "pass":
        assert counted
        assert all(test.rejected for test in gate.tests[:-1])
        assert not gate.tests[-1].rejected
    assert (gate.verdict == "abort") == gate.tests[-1].rejected


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(1, 4)), max_size=30), st.integers(0, 30), st.floats(0, 0.5))
def test_evidence_of_a_prefix_is_the_prefix_of_the_evidence(blocks: list[tuple[float, float, int]], cut: int, margin: float) -> None:
    def judged(given: list[tuple[float, float, int]]) -> Gate:
        champion, challenger, sizes = columns(given)
        repeated = [np.repeat(losses, sizes) for losses in (champion, challenger)]
        return judge_loss(*repeated, np.repeat(np.arange(len(sizes)), sizes), margin=margin, alpha=0.2)

    for part, whole in zip(judged(blocks[:cut]).tests, judged(blocks).tests, strict=True):
        assert part.counts == whole.counts[: len(part.counts)]
        np.testing.assert_allclose(part.wealth, whole.wealth[: len(part.wealth)], atol=2e-4)
        assert part.rejected_at is None or part.rejected_at == whole.rejected_at


@given(pairs(finite))
def test_swapped_arms_mirror_the_evidence(rows: list[tuple[float, float, int]]) -> None:
    champion, challenger, blocks = columns(rows)
    rules = {"margin": 0.0, "alpha": 0.05, "relative_margin": math.inf}
    forth, back = judge_loss(champion, challenger, blocks, **rules), judge_loss(challenger, champion, blocks, **rules)
    assert forth.tests[0].wealth == back.tests[1].wealth
    assert forth.tests[1].wealth == back.tests[0].wealth
    assert (forth.verdict == "pass") == (back.verdict == "abort" and not back.tests[0].rejected)


@given(pairs(finite), st.randoms(use_true_random=False))
def test_the_names_of_blocks_do_not_matter(rows: list[tuple[float, float, int]], random: object) -> None:
    champion, challenger, blocks = columns(rows)
    names = np.array(random.sample(range(-50, 50), 9))  # type: ignore[attr-defined]
    assert judge_loss(champion, challenger, blocks, **RULES) == judge_loss(champion, challenger, names[blocks], **RULES)


# How often it is wrong


def wrongly_promoted(draw, runs: int, **rules) -> float:
    promoted = 0
    for run in range(runs):
        gate = judge_loss(*draw(np.random.default_rng(run)), **rules)
        promoted += all(test.rejected for test in gate.tests[:-1])
    return promoted / runs


@pytest.mark.parametrize(("length", "cap"), [(1, 1), (5, 3)])
def test_worse_by_exactly_the_margin_is_promoted_no_more_often_than_stated(length: int, cap: int) -> None:
    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        kind = np.repeat(rng.choice(3, 1_500, p=[0.1, 0.05, 0.85]), length)
        return (kind == 1).astype(float), (kind == 0).astype(float), np.arange(len(kind)) // length

    rules = {"margin": 0.05, "alpha": 0.2, "relative_margin": math.inf, "block_cap": cap}
    share = wrongly_promoted(draw, 300, **rules)
    assert 0.03 <= share <= 0.2, "no less, or the test would be blind"


def test_worse_in_bursts_alone_is_promoted_no_more_often_than_stated() -> None:
    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        sizes = np.where(rng.random(1_500) < 0.1, 10, 1)
        owner = np.repeat(np.arange(len(sizes)), sizes)
        burst = (sizes == 10)[owner]
        hit = (rng.random(len(sizes)) < np.where(sizes == 10, 0.3, 0.31))[owner]
        return (hit & ~burst).astype(float), (hit & burst).astype(float), owner

    assert wrongly_promoted(draw, 300, margin=0.01, alpha=0.1, relative_margin=math.inf, block_cap=10) <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("prevalence", [0.0084, 0.05])
def test_a_challenger_that_never_flags_or_always_does_is_not_promoted(prevalence: float) -> None:
    for run in range(100):
        rng = np.random.default_rng(run)
        labels = rng.random(10_000) < prevalence
        flags = np.where(labels, rng.random(10_000) < 0.75, rng.random(10_000) < 0.01)

        def cost(answers: np.ndarray, labels: np.ndarray = labels) -> np.ndarray:
            return np.where(answers == labels, 0.0, np.where(labels, 1.0, 0.05))

        for answer in (False, True):
            gate = judge_loss(cost(flags), cost(np.full(10_000, answer)), np.arange(10_000), **RULES, block_cap=1)
            assert gate.verdict != "pass"
            assert not gate.tests[1].rejected


def test_a_constant_challenger_cannot_be_better_than_the_constant_whatever_the_champion() -> None:
    champion, constant = np.full(20_000, 0.9), np.full(20_000, 0.1)
    assert judge_loss(champion, constant, np.arange(20_000), **RULES).verdict == "pass"
    gate = judge_loss(champion, constant, np.arange(20_000), **RULES, constants={"0": constant, "1": np.ones(20_000)})
    assert gate.verdict == "wait"
    assert "'no better than always 0' is not ruled out" in gate.reason
    assert gate.tests[2].wealth[-1] == 0


def test_two_models_without_a_fault_do_not_wait_for_ever() -> None:
    assert judge_loss(np.zeros(50_000), np.zeros(50_000), np.arange(50_000), **RULES, block_cap=1).verdict == "pass"


# The watch


def test_the_watch_aborts_a_model_that_turned_out_worse_and_never_needs_proof_that_it_is_not() -> None:
    assert judge_watch(np.zeros(30), np.ones(30), np.arange(30), alpha=0.01).verdict == "abort"
    calm = judge_watch(np.full(30, 0.5), np.full(30, 0.5), np.arange(30), alpha=0.01)
    assert calm.verdict == "pass"
    assert [test.name for test in calm.tests] == ["not worse"]
    assert judge_watch([], [], [], alpha=0.01).verdict == "wait"
    assert judge_watch([0.5] * 30, [0.5] * 30, range(30), alpha=0.01, minimum=31).verdict == "wait"


def test_the_watch_takes_a_promoted_model_that_fails_for_the_worst() -> None:
    assert judge_watch([0.5] * 60, [math.nan] * 60, range(60), alpha=0.01).verdict == "abort"
