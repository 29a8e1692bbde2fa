"""A run's part in a rollout: the short ways where there is no live trial, and what it leaves for a person to read."""

import pytest

from ratchet.delivery.beginning import begin_rollout
from ratchet.delivery.policy import Policy
from ratchet.delivery.trial_run import advance_in_run, read_time
from ratchet.errors import ParameterError, UnknownDeploymentError

pytestmark = pytest.mark.slow


def advance(world, name, run, version="", generation=0, **more):
    arguments = {"wait": "0s", "as_of": "", **more}
    return advance_in_run(name, run_id=run, version=version, generation=generation, ledger=world.ledger, **arguments)


def begin(world, name, number, run, generation, **policy):
    version = world.register(name, number).version
    rules = Policy.parse(policy)
    begun = begin_rollout(name, version, generation=generation, run_id=run, why="better", policy=rules, ledger=world.ledger)
    return version, begun


def test_without_a_champion_the_version_may_be_promoted_at_once(world, name):
    version, _ = begin(world, name, 0, f"{name}-1", 0)
    done = advance(world, name, f"{name}-1", version)
    assert (done.verdict, done.outcome, done.version) == ("promote", "promote", version)


def test_an_unfit_version_is_rejected(world, name):
    world.promote(name, 0, f"{name}-1")
    version = world.register(name, 1)
    world.damage(version)
    rules = Policy()
    begin_rollout(name, version.version, generation=1, run_id=f"{name}-2", why="better", policy=rules, ledger=world.ledger)
    done = advance(world, name, f"{name}-2", version.version, 1)
    assert (done.verdict, done.outcome) == ("abort", "rejected")
    assert world.ledger.outcome(f"{name}-2").word == "rejected"


def test_a_run_without_traffic_ends_as_pending_says_what_to_do_and_leaves_a_report(world, name, tmp_path):
    world.promote(name, 0, f"{name}-1")
    version, begun = begin(world, name, 1, f"{name}-2", 1)
    done = advance(world, name, f"{name}-2", version, begun.generation)
    assert (done.verdict, world.ledger.outcome(f"{name}-2").exit_status) == ("pending", 0)
    assert "ratchet serve" in done.reason
    done.write_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for told in ("pending", "Gates", "loss", "latency", "errors", "ratio", "Looks", "Policy", "deadline"):
        assert told in page


def test_a_name_that_the_ledger_does_not_know_is_refused(world, name):
    world.promote(name, 0, f"{name}-1")
    with pytest.raises(UnknownDeploymentError, match=f"no deployment '{name}x'"):
        advance(world, f"{name}x", "run")


def test_a_time_that_is_none_is_refused():
    with pytest.raises(ParameterError, match=r"'yesterday'.*ISO 8601"):
        read_time("yesterday")
