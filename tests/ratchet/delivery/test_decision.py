"""What a look leads to, for every phase, word and state of the evidence; and what may never follow from little of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.decision import MOVES, Decision, Seen, decide
from ratchet.delivery.deployment import Deployment, ModelRef
from ratchet.delivery.policy import Policy
from ratchet.delivery.rollout import Rollout

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
OLD, NEW = ModelRef("1", "sha256:aa", "/1"), ModelRef("2", "sha256:bb", "/2")
ENOUGH = Seen(requests=500, pairs=500, due=600, coverage=0.8, total=2000)
POLICY = Policy(minimum_requests=100, minimum_labels=100, steps=(5, 50), deadline=7200.0, watch=3600.0)


def rollout(phase="shadow", percent=0, began=NOW, step=NOW, **policy):
    state = Deployment("fraud", OLD, None, NEW, phase, percent, 3, 1, 2)
    if phase == "watch":
        state = Deployment("fraud", NEW, OLD, None, phase, 0, 3, 3, 3)
    return Rollout(state, replace(POLICY, **policy), began, step, "r", NOW)


@pytest.mark.parametrize(
    ("trial", "word", "seen", "now", "move", "percent"),
    [
        pytest.param(rollout(), "pending", ENOUGH, NOW, "step", 5, id="shadow without an objection goes to the first step"),
        pytest.param(rollout("canary", 5), "pending", ENOUGH, NOW, "step", 50, id="a step without an objection goes to the next"),
        pytest.param(rollout("canary", 5), "promote", ENOUGH, NOW, "step", 50, id="proof does not skip steps"),
        pytest.param(rollout("canary", 50), "promote", ENOUGH, NOW, "promote", 0, id="proof on the last step promotes"),
        pytest.param(rollout("canary", 50), "pending", ENOUGH, NOW, "pending", 0, id="the last step waits for proof"),
        pytest.param(rollout(), "abort", replace(ENOUGH, requests=0, pairs=0), NOW, "abort", 0, id="an objection needs no minimum"),
        pytest.param(rollout("canary", 5), "hold", ENOUGH, NOW, "hold", 0, id="a broken split holds"),
        pytest.param(rollout(), "promote", replace(ENOUGH, requests=99), NOW, "pending", 0, id="too few requests"),
        pytest.param(rollout(), "promote", replace(ENOUGH, pairs=99), NOW, "pending", 0, id="too few labels"),
        pytest.param(rollout(), "promote", replace(ENOUGH, coverage=0.49), NOW, "pending", 0, id="too small a share has labels"),
        pytest.param(
            rollout("canary", 50), "promote", replace(ENOUGH, coverage=0.0), NOW, "pending", 0, id="no promotion without coverage"
        ),
        pytest.param(rollout(step=NOW, **{}), "pending", ENOUGH, NOW, "step", 5, id="a step of no length ends at once"),
        pytest.param(rollout("canary", 50), "pending", ENOUGH, NOW + timedelta(hours=2), "hold", 0, id="the deadline holds"),
        pytest.param(rollout("canary", 50), "promote", ENOUGH, NOW + timedelta(hours=2), "promote", 0, id="proof at the last look counts"),
        pytest.param(rollout(), "pending", ENOUGH, NOW + timedelta(hours=2), "hold", 0, id="no step after the deadline"),
        pytest.param(rollout("canary", 50, maximum_pairs=500), "pending", ENOUGH, NOW, "hold", 0, id="the most pairs without proof"),
        pytest.param(rollout(strategy="blue_green"), "promote", ENOUGH, NOW, "promote", 0, id="blue/green goes from shadow to all"),
        pytest.param(rollout(strategy="blue_green"), "pending", ENOUGH, NOW, "pending", 0, id="blue/green has no steps"),
        pytest.param(rollout(strategy="ab"), "pending", ENOUGH, NOW, "step", 5, id="a split begins after shadow"),
        pytest.param(rollout("canary", 5, strategy="ab"), "promote", ENOUGH, NOW, "pending", 0, id="a split has its verdict at the end"),
        pytest.param(
            rollout("canary", 5, strategy="ab"), "promote", ENOUGH, NOW + timedelta(hours=2), "promote", 0, id="the end of a split"
        ),
        pytest.param(
            rollout("canary", 5, strategy="ab"), "pending", ENOUGH, NOW + timedelta(hours=2), "hold", 0, id="a split without proof"
        ),
        pytest.param(rollout("canary", 5, strategy="ab"), "abort", ENOUGH, NOW, "abort", 0, id="a split may be aborted at any time"),
        pytest.param(rollout("watch"), "abort", ENOUGH, NOW, "rollback", 0, id="a promotion that turns out bad is rolled back"),
        pytest.param(rollout("watch"), "pending", ENOUGH, NOW, "pending", 0, id="a watch goes on"),
        pytest.param(rollout("watch"), "pending", ENOUGH, NOW + timedelta(hours=1), "settle", 0, id="a watch ends"),
    ],
)
def test_what_follows(trial, word, seen, now, move, percent):
    found = decide(trial, word, "because", seen, now)
    assert (found.move, found.percent) == (move, percent)
    assert found.reason


def test_a_step_lasts_as_long_as_the_policy_says():
    trial = rollout(began=NOW, step=NOW)
    trial = replace(trial, policy=replace(trial.policy, step=600.0))
    assert decide(trial, "pending", "", ENOUGH, NOW + timedelta(minutes=9)).move == "pending"
    assert decide(trial, "pending", "", ENOUGH, NOW + timedelta(minutes=10)).move == "step"


counts = st.integers(0, 1000)
SEEN = st.builds(Seen, counts, counts, counts, st.floats(0, 1), counts)
PHASES = st.sampled_from([("shadow", 0), ("canary", 5), ("canary", 50), ("watch", 0)])


@given(
    PHASES,
    st.sampled_from(["canary", "ab", "blue_green"]),
    st.sampled_from(["promote", "abort", "hold", "pending"]),
    SEEN,
    st.integers(-10, 10_000),
)
def test_a_promotion_needs_proof_labels_and_the_last_step_whatever_else_holds(at, strategy, word, seen, later):
    trial = rollout(*at, strategy=strategy)
    found = decide(trial, word, "because", seen, NOW + timedelta(seconds=later))
    assert found.move in MOVES
    if found.move == "promote":
        assert word == "promote"
        assert seen.pairs >= POLICY.minimum_labels
        assert at[0] != "watch"
        assert strategy == "blue_green" or at[0] == "canary"
    if word == "abort":
        assert found.move in ("abort", "rollback")
    assert isinstance(found, Decision)
    assert (found.move == "step") == bool(found.phase)


@pytest.mark.parametrize(
    ("seen", "phase"),
    [(replace(ENOUGH, pairs=99), "shadow"), (ENOUGH, "shadow"), (replace(ENOUGH, pairs=1000), "canary")],
    ids=["too few", "a step", "the most"],
)
def test_where_no_label_is_needed_none_is_spoken_of(seen, phase):
    def told(**policy):
        return decide(rollout(phase, 50 if phase == "canary" else 0, maximum_pairs=1000, **policy), "pending", "r", seen, NOW)

    with_labels, without = told(), told(loss={"kind": "alarm"})
    assert with_labels.move == without.move
    assert "label" in with_labels.reason
    assert "label" not in without.reason
