"""The beginning of a rollout: what is fit is tried, what is not never meets a request, and what is judged is settled there."""

import pytest

from ratchet.delivery import tables
from ratchet.delivery.beginning import begin_rollout, settle_loss
from ratchet.delivery.policy import Policy
from ratchet.errors import ParameterError, TargetError, UnknownDeploymentError

pytestmark = pytest.mark.slow


def begin(world, name, version, run, generation, **policy):
    rules = Policy.parse(policy)
    return begin_rollout(name, version, generation=generation, run_id=run, why="better", policy=rules, ledger=world.ledger)


def test_a_first_champion_is_verified_and_has_nothing_to_be_tried_against(world, name):
    model = world.register(name, 0)
    found = begin(world, name, model.version, f"{name}-1", 0)
    assert found.verdict == "direct"
    assert "no champion to try it against" in found.reason
    assert "predicts 100 recorded rows as recorded" in found.reason
    assert world.ledger.deployment(name).generation == 0


def test_a_version_that_the_ledger_has_no_note_of_is_looked_for_in_mlflow(world, name):
    model = world.register(name, 0)
    with world.ledger.database.writing() as connection:
        connection.execute(tables.versions.delete().where(tables.versions.c.deployment == name))
    assert begin(world, name, model.version, f"{name}-1", 0).verdict == "direct"
    with pytest.raises(UnknownDeploymentError, match="no version '9'"):
        begin(world, name, "9", f"{name}-2", 0)


def test_a_damaged_version_is_unfit_and_is_never_tried(world, name):
    world.promote(name, 0, f"{name}-1")
    model = world.register(name, 1)
    world.damage(model)
    found = begin(world, name, model.version, f"{name}-2", 1)
    assert found.verdict == "unfit"
    assert "model.cbm" in found.reason
    assert world.ledger.rollout(name) is None


def test_a_challenger_is_tried_with_a_loss_that_is_settled(world, name):
    world.promote(name, 0, f"{name}-1")
    found = begin(world, name, world.register(name, 1).version, f"{name}-2", 1, steps=[10, 50])
    assert (found.verdict, found.generation) == ("begun", 2)
    rollout = world.ledger.rollout(name)
    assert rollout.policy.loss["kind"] == "log"
    assert rollout.policy.steps == (10, 50)
    assert rollout.run_id == f"{name}-2"


def test_the_step_answers_the_same_when_it_is_run_again(world, name):
    world.promote(name, 0, f"{name}-1")
    version = world.register(name, 1).version
    first = begin(world, name, version, f"{name}-2", 1)
    again = begin(world, name, version, f"{name}-2", 1)
    assert (again.verdict, again.reason) == (first.verdict, first.reason)
    assert world.ledger.deployment(name).generation == 2


def test_a_second_challenger_is_held_while_one_is_tried(world, name):
    world.promote(name, 0, f"{name}-1")
    begin(world, name, world.register(name, 1).version, f"{name}-2", 1)
    found = begin(world, name, world.register(name, 2).version, f"{name}-3", 2)
    assert found.verdict == "held"
    assert "one challenger at a time" in found.reason


def test_the_policy_may_ask_for_no_live_trial(world, name):
    world.promote(name, 0, f"{name}-1")
    found = begin(world, name, world.register(name, 1).version, f"{name}-2", 1, strategy="direct")
    assert (found.verdict, world.ledger.rollout(name)) == ("direct", None)


def test_stated_costs_make_the_loss_a_cost(world, name):
    champion, challenger = world.promote(name, 0, f"{name}-1"), world.register(name, 1)
    assert settle_loss({"kind": "auto"}, champion, challenger, world.settings)["kind"] == "log"
    found = settle_loss({"kind": "auto", "cost_false_negative": 20.0}, champion, challenger, world.settings)
    assert (found["kind"], found["cost_false_negative"], found["cost_false_positive"]) == ("cost", 20.0, 1.0)
    with pytest.raises(ParameterError, match="does not fit the task"):
        settle_loss({"kind": "absolute"}, champion, challenger, world.settings)


@pytest.mark.parametrize("anomalies", ["labelled"], indirect=True)
def test_costs_of_anomalies_that_nobody_stated_are_balanced_by_the_champion_s_data(anomalies, name):
    champion, challenger = anomalies.promote(name, 0, f"{name}-1"), anomalies.register(name, 1)
    found = settle_loss({"kind": "auto"}, champion, challenger, anomalies.settings)
    assert (found["kind"], found["cost_false_negative"], found["cost_false_positive"]) == ("cost", 9.0, 1.0), "one row in ten is one"
    stated = settle_loss({"kind": "auto", "cost_false_negative": 20.0}, champion, challenger, anomalies.settings)
    assert (stated["kind"], stated["cost_false_negative"]) == ("cost", 20.0)
    assert settle_loss({"kind": "alarm"}, champion, challenger, anomalies.settings)["kind"] == "alarm", "asked for, though labels come"
    assert settle_loss(found, champion, challenger, anomalies.settings) == found, "what is settled stays"
    with pytest.raises(ParameterError, match="does not fit the task"):
        settle_loss({"kind": "log"}, champion, challenger, anomalies.settings)


@pytest.mark.parametrize("anomalies", ["unlabelled"], indirect=True)
def test_without_a_target_the_loss_is_an_alarm_and_no_other(anomalies, name):
    anomalies.promote(name, 0, f"{name}-1")
    found = begin(anomalies, name, anomalies.register(name, 1).version, f"{name}-2", 1)
    assert found.verdict == "begun"
    assert "judged by alarms" in found.reason
    assert anomalies.ledger.rollout(name).policy.loss["kind"] == "alarm"
    champion = anomalies.ledger.deployment(name).champion
    with pytest.raises(ParameterError, match=r"'cost' asks for labels.*choose alarm, or auto"):
        settle_loss({"kind": "cost"}, champion, anomalies.register(name, 1), anomalies.settings)


@pytest.mark.parametrize("anomalies", ["labelled"], indirect=True)
def test_where_the_champion_s_data_has_no_labels_a_challenger_is_judged_by_alarms_or_by_stated_costs(anomalies, name, world):
    champion, challenger = world.register(name, 0), anomalies.register(name, 1)
    assert settle_loss({"kind": "auto"}, champion, challenger, anomalies.settings)["kind"] == "alarm"
    assert settle_loss({"cost_false_positive": 3.0}, champion, challenger, anomalies.settings)["kind"] == "cost"
    with pytest.raises(TargetError, match="state cost_false_negative"):
        settle_loss({"kind": "cost"}, champion, challenger, anomalies.settings)


@pytest.mark.parametrize("anomalies", ["labelled"], indirect=True)
def test_a_damaged_autoencoder_is_unfit(anomalies, name):
    anomalies.promote(name, 0, f"{name}-1")
    model = anomalies.register(name, 1, run_id="to be damaged")
    anomalies.damage(model)
    found = begin(anomalies, name, model.version, f"{name}-2", 1)
    assert (found.verdict, "model.onnx" in found.reason) == ("unfit", True)
