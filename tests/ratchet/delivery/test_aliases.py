"""MLflow's aliases follow the ledger, whatever happened to them."""

import pytest

from ratchet.delivery.aliases import reconcile
from ratchet.delivery.mlflow_store import open_client

pytestmark = pytest.mark.slow  # a real MLflow store


def test_nothing_is_written_for_a_name_that_was_never_deployed(world, name):
    assert reconcile(world.ledger, name, always=True) is False


def test_aliases_that_were_left_behind_are_brought_up_and_then_left_alone(world, name):
    models = [world.register(name, number) for number in range(2)]
    for generation, model in enumerate(models):
        world.ledger.promote(name, model, generation=generation, who="a run that died", why="before the aliases")
    assert world.aliases(name) == {}
    assert reconcile(world.ledger, name) is True
    assert world.aliases(name) == {"champion": "2", "previous": "1"}
    assert reconcile(world.ledger, name) is False


def test_an_alias_that_somebody_moved_is_put_back_when_asked(world, name):
    world.promote(name, 0, f"{name}-1")
    other = world.register(name, 1)
    with open_client(world.settings) as client:
        client.set_registered_model_alias(name, "champion", other.version)
        client.set_registered_model_alias(name, "challenger", other.version)
    assert reconcile(world.ledger, name, always=True) is True
    assert world.aliases(name) == {"champion": "1"}


def test_whoever_writes_last_has_read_last(world, name):
    """A slow writer of an old state finds, after writing, that the ledger moved, and writes again."""
    models = [world.register(name, number) for number in range(2)]
    slow, moved = world.ledger, []
    for generation, model in enumerate(models):
        slow.promote(name, model, generation=generation, who="slow", why="better")

    def move(phase: str) -> None:
        if phase == "alias champion written" and not moved:
            moved.append(world.ledger.rollback(name, generation=2, who="fast", why="worse"))
            reconcile(world.ledger, name)

    slow.checkpoint = move
    reconcile(slow, name)
    assert world.aliases(name) == {"champion": "1"}
    assert world.ledger.projected(name) == 3
