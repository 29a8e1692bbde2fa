"""What a user of the ledger meets: once is once, the first one wins, and back is back."""

import pytest

from ratchet.delivery.ledger import Ledger
from ratchet.errors import ConflictError, LedgerError, ParameterError, UnknownDeploymentError

BY = {"who": "anna", "why": "better on holdout"}


def test_an_unknown_name_is_at_generation_0_without_a_champion(ledger):
    state = ledger.deployment("fraud")
    assert (state.generation, state.champion, state.phase) == (0, None, "stable")
    assert ledger.deployments() == []


def test_the_first_promotion_begins_a_deployment(ledger, model):
    done = ledger.promote("fraud", model(1), generation=0, **BY, evidence={"loss": 0.25})
    assert done.effect == "applied"
    assert ledger.deployment("fraud") == done.deployment
    assert (done.deployment.champion, done.deployment.previous, done.deployment.generation) == (model(1), None, 1)
    assert [(row.action, row.who, row.facts) for row in ledger.history("fraud")] == [("promote", "anna", {"loss": 0.25})]


def test_the_same_operation_three_times_has_one_effect_and_one_answer(ledger, model):
    ledger.promote("fraud", model(1), generation=0, **BY)
    answers = [ledger.promote("fraud", model(2), generation=1, **BY) for _ in range(3)]
    assert [answer.effect for answer in answers] == ["applied", "repeated", "repeated"]
    assert len({answer.deployment for answer in answers}) == len({answer.row for answer in answers}) == 1
    backs = [ledger.rollback("fraud", generation=2, **BY) for _ in range(3)]
    assert [answer.effect for answer in backs] == ["applied", "repeated", "repeated"]
    assert len(ledger.history("fraud")) == 3


def test_an_operation_answers_the_same_after_the_world_moved_on(ledger, model):
    first = ledger.promote("fraud", model(1), generation=0, **BY)
    ledger.promote("fraud", model(2), generation=1, **BY)
    again = ledger.promote("fraud", model(1), generation=0, **BY)
    assert (again.effect, again.deployment) == ("repeated", first.deployment)
    assert ledger.deployment("fraud").champion == model(2)


def test_promoting_what_is_champion_already_changes_nothing_and_says_so(ledger, model):
    ledger.promote("fraud", model(1), generation=0, **BY)
    again = ledger.promote("fraud", model(1), generation=1, **BY)
    assert (again.effect, again.row, again.deployment.generation) == ("none", None, 1)


def test_who_read_an_old_state_is_refused_and_told_who_won(ledger, model):
    ledger.promote("fraud", model(1), generation=0, who="run 7", why="first")
    with pytest.raises(ConflictError, match=r"generation 1, not 0.*run 7 did 'promote'.*version 1"):
        ledger.promote("fraud", model(2), generation=0, **BY)
    with pytest.raises(ConflictError, match="never was at that generation"):
        ledger.promote("fraud", model(2), generation=9, **BY)
    assert ledger.deployment("fraud").champion == model(1)
    assert len(ledger.history("fraud")) == 1


def test_a_refused_first_promotion_leaves_no_trace_of_the_name(ledger, model):
    with pytest.raises(ConflictError):
        ledger.promote("fraud", model(1), generation=3, **BY)
    assert ledger.deployments() == []


def test_rollbacks_go_back_one_champion_at_a_time_and_never_return_to_one_taken_back(ledger, model):
    for number in (1, 2, 3):
        ledger.promote("fraud", model(number), generation=number - 1, **BY)
    back = ledger.rollback("fraud", generation=3, **BY).deployment
    assert (back.champion, back.previous) == (model(2), model(1))
    back = ledger.rollback("fraud", generation=4, **BY).deployment
    assert (back.champion, back.previous) == (model(1), None)
    with pytest.raises(UnknownDeploymentError, match=r"no previous champion.*ratchet promote fraud VERSION"):
        ledger.rollback("fraud", generation=5, **BY)


def test_the_same_model_can_be_promoted_again_after_a_rollback(ledger, model):
    ledger.promote("fraud", model(1), generation=0, **BY)
    ledger.promote("fraud", model(2), generation=1, **BY)
    ledger.rollback("fraud", generation=2, **BY)
    again = ledger.promote("fraud", model(2), generation=3, **BY)
    assert (again.effect, again.deployment.champion, again.deployment.previous) == ("applied", model(2), model(1))
    assert ledger.rollback("fraud", generation=4, **BY).deployment.champion == model(1)


def test_a_first_champion_can_be_taken_back_only_where_that_was_allowed(ledger, model):
    ledger.promote("fraud", model(1), generation=0, **BY)
    with pytest.raises(UnknownDeploymentError):
        ledger.rollback("fraud", generation=1, **BY)
    back = ledger.rollback("fraud", generation=1, **BY, may_empty=True).deployment
    assert (back.champion, back.since, back.generation) == (None, 0, 2)
    assert ledger.promote("fraud", model(1), generation=2, **BY).deployment.champion == model(1)


def test_deployments_do_not_touch_each_other(ledger, model):
    ledger.promote("fraud", model(1), generation=0, **BY)
    ledger.promote("churn", model(1), generation=0, **BY)
    ledger.promote("churn", model(2), generation=1, **BY)
    assert [(item.name, item.generation) for item in ledger.deployments()] == [("churn", 2), ("fraud", 1)]
    assert ledger.verify_chain("churn").rows == 2
    assert ledger.verify_chain("fraud").rows == 1


def test_an_unknown_name_gets_the_nearest_one(ledger, model):
    ledger.promote("card-fraud", model(1), generation=0, **BY)
    for ask in (lambda: ledger.history("card-frawd"), lambda: ledger.verify_chain("card-frawd"), lambda: back(ledger, "card-frawd")):
        with pytest.raises(UnknownDeploymentError, match="did you mean 'card-fraud'"):
            ask()


def back(ledger, name):
    ledger.rollback(name, generation=0, **BY)


@pytest.mark.parametrize("name", ["", "../etc", "a b", "-x", "x" * 101])
def test_a_name_that_could_not_name_a_file_is_refused(ledger, model, name):
    with pytest.raises(ParameterError, match="cannot be used"):
        ledger.promote(name, model(1), generation=0, **BY)


def test_evidence_that_is_not_json_is_refused_before_anything_happens(ledger, model):
    with pytest.raises(LedgerError, match="not JSON"):
        ledger.promote("fraud", model(1), generation=0, **BY, evidence={"loss": float("nan")})
    assert ledger.deployments() == []


def test_any_text_can_be_a_reason(ledger, model):
    why = "nul \0, half a pair \ud800, and 'quotes'; DROP TABLE audit"
    ledger.promote("fraud", model(1), generation=0, who="Zoë", why=why, evidence={"é": "\0"})
    row = ledger.history("fraud")[0]
    assert (row.who, row.why) == ("Zoë", "nul \\x00, half a pair \\ud800, and 'quotes'; DROP TABLE audit")
    assert row.facts == {"é": "\0"}
    assert ledger.verify_chain("fraud").head == "confirmed"


def test_a_promotion_and_its_verdict_are_one_transaction(settings, model):
    def die(phase: str) -> None:
        if phase == "before the commit":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Ledger.open(settings, checkpoint=die).promote("fraud", model(1), generation=0, **BY, run_id="run-1")
    ledger = Ledger.open(settings)
    assert ledger.verdicts("run-1") == {}
    assert ledger.deployment("fraud").generation == 0
    ledger.promote("fraud", model(1), generation=0, **BY, run_id="run-1")
    assert ledger.verdicts("run-1")["promote"].verdict == "promoted"
    assert ledger.promotion_of("run-1", "fraud").generation == 1


def test_the_first_verdict_of_a_step_stands(ledger):
    ledger.record_verdict("run-1", "fraud", "hold", "rejected", "no gain")
    again = ledger.record_verdict("run-1", "fraud", "hold", "invalid", "another story")
    assert (again.verdict, again.reason) == ("rejected", "no gain")
    assert (ledger.outcome("run-1").word, ledger.outcome("run-1").exit_status) == ("rejected", 0)


def test_a_run_without_a_verdict_is_an_error(ledger):
    assert (ledger.outcome("nobody").word, ledger.outcome("nobody").exit_status) == ("error", 1)


def test_the_time_of_a_row_is_the_clock_s(settings, model):
    from datetime import UTC, datetime

    ledger = Ledger.open(settings, clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    assert ledger.promote("fraud", model(1), generation=0, **BY).row.at == "2026-01-02T00:00:00+00:00"
