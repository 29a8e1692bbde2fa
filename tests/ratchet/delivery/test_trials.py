"""What moves a challenger: each transition once, compared and swapped, in the chain; and what a lease keeps alive."""

from datetime import UTC, datetime, timedelta

import pytest

from ratchet.delivery.ledger import Ledger
from ratchet.delivery.policy import Policy
from ratchet.errors import ConflictError, UnknownDeploymentError

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
BY = {"who": "run r", "why": "because"}


@pytest.fixture
def ledger(settings):
    return Ledger.open(settings, clock=lambda: NOW)


@pytest.fixture
def trial(ledger, model):
    """A champion, and a challenger in shadow at generation 2."""
    ledger.promote("fraud", model(1), generation=0, **BY)
    ledger.begin("fraud", model(2), Policy(lease=600.0, deadline=7200.0, watch=3600.0), generation=1, run_id="r", **BY)
    return ledger


def test_a_rollout_goes_from_shadow_over_its_steps_to_a_promotion_that_is_watched(trial, model):
    canary = trial.step("fraud", "canary", 25, generation=2, evidence={"pairs": 900}, **BY).deployment
    assert (canary.champion, canary.challenger, canary.phase, canary.percent, canary.begun) == (model(1), model(2), "canary", 25, 2)
    watched = trial.promote(
        "fraud", model(2), generation=3, watch=True, evidence={"policy": Policy(watch=3600.0).as_dict(), "rollout": 2}, **BY
    )
    state = watched.deployment
    assert (state.champion, state.previous, state.challenger, state.phase, state.begun) == (model(2), model(1), None, "watch", 4)
    assert state.companion == model(1)
    rollout = trial.rollout("fraud")
    assert (rollout.former, rollout.leased, rollout.deadline) == (2, None, NOW + timedelta(hours=1))
    settled = trial.settle_watch("fraud", generation=4, evidence={}, **BY).deployment
    assert (settled.phase, settled.begun, settled.companion) == ("stable", 0, None)
    assert trial.verify_chain("fraud").rows == 5


def test_an_abort_leaves_the_champion_alone_and_happens_once(trial, model):
    first = trial.abort("fraud", generation=2, **BY)
    again = trial.abort("fraud", generation=2, **BY)
    assert (first.effect, again.effect) == ("applied", "repeated")
    state = trial.deployment("fraud")
    assert (state.champion, state.challenger, state.phase, state.percent, state.begun) == (model(1), None, "stable", 0, 0)
    assert trial.rollout("fraud") is None
    assert trial.lease("fraud") is None


def test_one_challenger_at_a_time(trial, model):
    with pytest.raises(ConflictError, match=r"trying version 2.*one challenger at a time.*ratchet rollback fraud"):
        trial.begin("fraud", model(3), Policy(), generation=2, **BY)


def test_a_challenger_needs_a_champion(ledger, model):
    with pytest.raises(UnknownDeploymentError, match="no champion to try a challenger against"):
        ledger.begin("fraud", model(1), Policy(), generation=0, **BY)
    assert ledger.deployment("fraud").generation == 0


def test_nothing_is_stepped_or_aborted_where_nothing_is_tried(trial):
    trial.abort("fraud", generation=2, **BY)
    with pytest.raises(UnknownDeploymentError, match="no challenger under trial"):
        trial.step("fraud", "canary", 1, generation=3, evidence={}, **BY)
    with pytest.raises(UnknownDeploymentError, match="no challenger under trial"):
        trial.abort("fraud", generation=3, **BY)


def test_a_step_that_read_an_old_state_moves_nothing(trial):
    trial.step("fraud", "canary", 1, generation=2, evidence={}, **BY)
    trial.abort("fraud", generation=3, **BY)
    with pytest.raises(ConflictError):
        trial.step("fraud", "canary", 50, generation=3, evidence={}, **BY)
    assert trial.deployment("fraud").challenger is None


def test_the_policy_and_the_times_come_from_the_chain(trial):
    rollout = trial.rollout("fraud")
    assert (rollout.policy.watch, rollout.run_id, rollout.begun) == (3600.0, "r", 2)
    assert rollout.began_at == rollout.step_at == NOW
    assert rollout.deadline == NOW + timedelta(hours=2)


def test_a_lease_runs_out_by_itself_unless_it_is_renewed(trial):
    assert trial.lease("fraud") == NOW + timedelta(minutes=10)
    trial.renew_lease("fraud", 2, NOW + timedelta(hours=3), "run s")
    assert trial.lease("fraud") == NOW + timedelta(hours=3)
    trial.renew_lease("fraud", 99, NOW + timedelta(hours=9), "another rollout")
    assert trial.lease("fraud") == NOW + timedelta(hours=3)


def test_looks_are_numbered_and_kept_with_their_evidence(trial):
    rollout = trial.rollout("fraud")
    for pairs in (10, 20):
        trial.record_look(rollout, verdict="pending", reason="too few", evidence={"pairs": pairs}, run_id="r")
    looks = trial.looks("fraud", 2)
    assert [(look.number, look.phase, look.verdict, look.facts["pairs"]) for look in looks] == [
        (1, "shadow", "pending", 10),
        (2, "shadow", "pending", 20),
    ]
    assert trial.looks("fraud", 3) == []


def test_a_hand_that_takes_back_a_challenger_wins_also_when_it_is_promoted_in_between(trial, model):
    from ratchet.delivery.promotion import _take_back

    meant = trial.deployment("fraud")
    trial.promote("fraud", model(2), generation=2, **BY)
    taken = _take_back("fraud", meant, trial.deployment("fraud"), who="anna", why="stop", ledger=trial)
    assert taken.deployment.champion == model(1)
    assert taken.row.action == "rollback"
