"""A promoted model is loaded in a fresh process; anything wrong with that is a reason to go back."""

import pytest

from ratchet.delivery.promotion import rollback_in_run
from ratchet.delivery.verification import settle, verify
from ratchet.errors import UnknownDeploymentError

pytestmark = pytest.mark.slow


def test_an_intact_promotion_is_healthy_and_the_run_has_promoted(world, name):
    world.promote(name, 0, f"{name}-1")
    found = verify(name, run_id=f"{name}-1", ledger=world.ledger)
    assert (found.verdict, found.version, found.rows, found.largest) == ("healthy", "1", 100, 0.0)
    assert world.ledger.outcome(f"{name}-1").word == "promoted"
    assert "| rows replayed | 100 |" in found.page().markdown()


def test_a_damaged_promotion_asks_for_a_rollback_and_names_the_file(world, name):
    world.damage(world.promote(name, 0, f"{name}-1"))
    found = verify(name, run_id=f"{name}-1", ledger=world.ledger)
    assert found.verdict == "rollback"
    assert "model.cbm" in found.reason
    assert world.ledger.outcome(f"{name}-1").word == "error", "until it is rolled back"


def test_the_step_answers_the_same_when_it_is_run_again(world, name):
    model = world.promote(name, 0, f"{name}-1")
    first = verify(name, run_id=f"{name}-1", ledger=world.ledger)
    world.damage(model)
    again = verify(name, run_id=f"{name}-1", ledger=world.ledger)
    assert (again.verdict, again.reason) == (first.verdict, first.reason)


def test_what_a_run_promoted_is_verified_even_when_another_is_live_by_then(world, name):
    world.damage(world.promote(name, 0, f"{name}-1"))
    world.promote(name, 1, f"{name}-2")
    assert verify(name, run_id=f"{name}-1", ledger=world.ledger).verdict == "rollback"
    rollback_in_run(name, run_id=f"{name}-1", why="damaged", ledger=world.ledger)
    assert world.ledger.deployment(name).champion.version == "2"


def test_with_nothing_deployed_there_is_nothing_to_verify(world, name):
    with pytest.raises(UnknownDeploymentError, match="no champion to verify"):
        verify(name, run_id="run", ledger=world.ledger)


def test_there_is_nothing_to_settle_after_a_verified_promotion(world, name):
    world.promote(name, 0, f"{name}-1")
    assert len(settle(name, run_id="next", ledger=world.ledger)) == 1
    assert settle(name, run_id="next", ledger=world.ledger) == []
