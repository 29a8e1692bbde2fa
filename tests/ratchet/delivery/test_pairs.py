"""A stacked model and its encoder, on both databases: forward together, back together, and never one of them by mistake."""

import pytest

from ratchet.delivery.ledger import Ledger
from ratchet.delivery.pairs import Encoder, leader, needed, partner, told
from ratchet.errors import NeededError, ParameterError, UnknownDeploymentError

BY = {"who": "anna", "why": "better on holdout"}
KILLED = ("before the transaction", "deployment written", "other deployment written", "before the commit")


@pytest.fixture
def encoder(model):
    """Make encoders by number, all for one deployment."""
    return lambda number, name="fraud-encoder": Encoder(name, model(100 + number))


def promote(ledger, model, encoder=None, name="fraud", **more):
    return ledger.promote(name, model, generation=ledger.deployment(name).generation, encoder=encoder, **{**BY, **more})


def rollback(ledger, name="fraud", **more):
    return ledger.rollback(name, generation=ledger.deployment(name).generation, **{**BY, **more})


def standing(ledger, name):
    champion = ledger.deployment(name).champion
    return champion.version if champion else None


def both(ledger):
    return standing(ledger, "fraud"), standing(ledger, "fraud-encoder")


def test_a_promotion_moves_both_and_a_rollback_moves_both_back(ledger, model, encoder):
    promote(ledger, model(1), encoder(1))
    promote(ledger, model(2), encoder(2), run_id="run-2")
    assert both(ledger) == ("2", "102")
    done = rollback(ledger)
    assert both(ledger) == ("1", "101")
    assert told(done.row) == "fraud-encoder version 101, rolled back"
    assert ledger.deployment("fraud-encoder").previous is None, "what was taken back does not become previous"
    assert [row.action for row in ledger.history("fraud-encoder")] == ["promote", "promote", "rollback"]
    assert [ledger.verify_chain(name).head for name in ("fraud", "fraud-encoder")] == ["confirmed", "confirmed"]
    rollback(ledger, may_empty=True)
    assert both(ledger) == (None, None)


def test_each_deployment_has_its_own_chain_and_each_row_names_the_other(ledger, model, encoder):
    promote(ledger, model(101), name="fraud-encoder")
    promote(ledger, model(1), encoder(2), evidence={"loss": 0.25}, run_id="run-1")
    row, other = ledger.history("fraud")[-1], ledger.history("fraud-encoder")[-1]
    assert (row.generation, other.generation) == (1, 2)
    assert (partner(row), needed(row)) == ("fraud-encoder", encoder(2))
    assert (row.facts["loss"], told(row)) == (0.25, "fraud-encoder version 102, promoted")
    assert leader(other) == ("fraud", 1)
    assert other.why.startswith("with fraud (version 1 ")
    assert (other.who, other.run_id, other.action) == ("anna", "run-1", "promote")
    assert list(ledger.verdicts("run-1")) == ["promote"], "one run, one promotion"


def test_the_same_promotion_three_times_has_one_effect_on_both(ledger, model, encoder):
    answers = [ledger.promote("fraud", model(1), generation=0, encoder=encoder(1), **BY) for _ in range(3)]
    assert [answer.effect for answer in answers] == ["applied", "repeated", "repeated"]
    backs = [ledger.rollback("fraud", generation=1, may_empty=True, **BY) for _ in range(3)]
    assert [answer.effect for answer in backs] == ["applied", "repeated", "repeated"]
    assert [len(ledger.history(name)) for name in ("fraud", "fraud-encoder")] == [2, 2]


def test_an_encoder_that_stands_already_is_left_alone_both_ways(ledger, model, encoder):
    promote(ledger, model(1), encoder(1))
    done = promote(ledger, model(2), encoder(1))
    assert told(done.row) == "fraud-encoder version 101, stood already"
    rollback(ledger)
    assert both(ledger) == ("1", "101")
    assert ledger.deployment("fraud-encoder").generation == 1


def test_rolling_back_the_encoder_alone_is_refused_with_the_remedy(ledger, model, encoder):
    promote(ledger, model(1), encoder(1))
    promote(ledger, model(2), encoder(2))
    expected = r"'fraud-encoder' cannot .* champion of 'fraud', version 2 .* takes its encoder with it: ratchet rollback fraud"
    with pytest.raises(NeededError, match=expected):
        rollback(ledger, "fraud-encoder")
    assert both(ledger) == ("2", "102")
    assert len(ledger.history("fraud-encoder")) == 2
    rollback(ledger)
    assert both(ledger) == ("1", "101")


def test_the_first_encoder_cannot_be_emptied_below_its_champion(ledger, model, encoder):
    promote(ledger, model(1), encoder(1))
    with pytest.raises(NeededError):
        rollback(ledger, "fraud-encoder", may_empty=True)


def test_an_encoder_that_no_live_champion_needs_goes_back_by_itself(ledger, model, encoder):
    promote(ledger, model(1), encoder(1))
    promote(ledger, model(2), encoder(2))
    promote(ledger, model(3))
    rollback(ledger, "fraud-encoder")
    assert both(ledger) == ("3", "101")


def test_an_encoder_promoted_first_is_needed_until_its_champion_is_gone(ledger, model, encoder):
    promote(ledger, model(101), name="fraud-encoder")
    promote(ledger, model(102), name="fraud-encoder")
    promote(ledger, model(1), encoder(2))
    with pytest.raises(NeededError, match="roll back that one first: ratchet rollback fraud"):
        rollback(ledger, "fraud-encoder")
    rollback(ledger, may_empty=True)
    assert both(ledger) == (None, "102"), "that promotion had not moved it"
    rollback(ledger, "fraud-encoder")
    assert both(ledger) == (None, "101")


def test_a_newer_encoder_by_itself_is_no_obstacle_and_is_left_alone_by_the_rollback(ledger, model, encoder):
    promote(ledger, model(1), encoder(1))
    promote(ledger, model(2), encoder(2))
    promote(ledger, model(103), name="fraud-encoder", who="otto")
    done = rollback(ledger)
    assert both(ledger) == ("1", "103")
    assert told(done.row) == "fraud-encoder version 103, left: promoted by otto, not together with this champion"
    rollback(ledger, "fraud-encoder")
    rollback(ledger, "fraud-encoder")
    assert both(ledger) == ("1", "101")
    with pytest.raises(NeededError):
        rollback(ledger, "fraud-encoder", may_empty=True)


def test_a_newer_encoder_that_went_back_by_itself_goes_further_with_the_pair(ledger, model, encoder):
    promote(ledger, model(1), encoder(1))
    promote(ledger, model(2), encoder(2))
    promote(ledger, model(103), name="fraud-encoder")
    rollback(ledger, "fraud-encoder")
    rollback(ledger)
    assert both(ledger) == ("1", "101")


def test_a_pair_that_is_promoted_over_a_newer_encoder_gives_it_back(ledger, model, encoder):
    promote(ledger, model(1), encoder(1))
    promote(ledger, model(103), name="fraud-encoder")
    promote(ledger, model(2), encoder(2))
    assert both(ledger) == ("2", "102")
    rollback(ledger)
    assert both(ledger) == ("1", "103")


def test_an_encoder_that_another_champion_needs_too_stays_when_one_goes_back(ledger, model, encoder):
    promote(ledger, model(1), encoder(1))
    promote(ledger, model(2), encoder(2))
    promote(ledger, model(7), encoder(2), name="churn")
    done = rollback(ledger)
    assert both(ledger) == ("1", "102")
    assert "left: the champion of 'churn' needs it too" in told(done.row)
    with pytest.raises(NeededError, match="champion of 'churn'"):
        rollback(ledger, "fraud-encoder")


def test_an_encoder_that_the_champion_before_needs_too_stays_with_it(ledger, model, encoder):
    """Found by the machine: two that share an encoder take turns at moving it, and the one that goes back lands on the same version."""
    promote(ledger, model(7), encoder(1), name="churn")
    promote(ledger, model(1), encoder(1))
    promote(ledger, model(8), encoder(2), name="churn")
    promote(ledger, model(2), encoder(1))
    done = rollback(ledger)
    assert both(ledger) == ("1", "101")
    assert told(done.row) == "fraud-encoder version 101, left: the champion that stands again needs it"


def test_a_champion_before_stacking_and_one_after_leave_the_encoder_where_it_belongs(ledger, model, encoder):
    promote(ledger, model(1))
    promote(ledger, model(2), encoder(2))
    rollback(ledger)
    assert both(ledger) == ("1", None)
    promote(ledger, model(3), encoder(3))
    promote(ledger, model(4))
    rollback(ledger)
    assert both(ledger) == ("3", "103")
    with pytest.raises(NeededError):
        rollback(ledger, "fraud-encoder", may_empty=True)


def test_the_same_model_under_another_version_is_not_taken_from_its_champion(ledger, model, encoder):
    from dataclasses import replace

    promote(ledger, model(1), encoder(1))
    promote(ledger, model(102), name="fraud-encoder")
    promote(ledger, replace(model(101), version="9"), name="fraud-encoder")
    with pytest.raises(NeededError):
        rollback(ledger, "fraud-encoder")


def test_a_model_cannot_be_its_own_encoder(ledger, model, encoder):
    with pytest.raises(ParameterError, match=r"give it another, e\.g\. fraud-encoder"):
        promote(ledger, model(1), encoder(1, "fraud"))
    assert ledger.deployments() == []


def test_a_lone_encoder_without_a_champion_before_it_says_so_first(ledger, model):
    promote(ledger, model(101), name="fraud-encoder")
    with pytest.raises(UnknownDeploymentError, match="no previous champion"):
        rollback(ledger, "fraud-encoder")


@pytest.mark.parametrize("phase", KILLED)
def test_what_ends_before_the_commit_moves_neither(settings, model, encoder, phase):
    promote(Ledger.open(settings), model(1), encoder(1))

    def die(at: str) -> None:
        if at == phase:
            raise KeyboardInterrupt

    for act in (lambda ledger: promote(ledger, model(2), encoder(2), run_id="run-2"), lambda ledger: rollback(ledger, may_empty=True)):
        with pytest.raises(KeyboardInterrupt):
            act(Ledger.open(settings, checkpoint=die))
        ledger = Ledger.open(settings)
        assert both(ledger) == ("1", "101")
        assert [ledger.verify_chain(name).rows for name in ("fraud", "fraud-encoder")] == [1, 1]
        assert ledger.verdicts("run-2") == {}


def test_an_encoder_that_moves_while_a_pair_is_written_undoes_both(settings, model, encoder, monkeypatch):
    """The swap of the second deployment compares, too; there is no lock to wait for where somebody wrote beside the ledger."""
    from sqlalchemy import update

    from ratchet.delivery import pairs, tables
    from ratchet.errors import ConflictError

    ledger = Ledger.open(settings)
    promote(ledger, model(1), encoder(1))
    honest = pairs.with_promotion

    def beside(connection, before, wanted):
        following = honest(connection, before, wanted)
        connection.execute(update(tables.deployments).where(tables.deployments.c.name == "fraud-encoder").values(generation=7))
        return following

    monkeypatch.setattr("ratchet.delivery.ledger.with_promotion", beside)
    with pytest.raises(ConflictError, match="'fraud-encoder' is at generation 7, not 1"):
        promote(ledger, model(2), encoder(2))
    assert both(ledger) == ("1", "101")
    assert ledger.verify_chain("fraud").rows == 1
