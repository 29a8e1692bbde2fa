"""Promotion and rollback, by a run and by hand, with a real registry behind the ledger."""

import pytest

from ratchet.delivery.promotion import promote_in_run, promote_version, rollback_in_run, rollback_now
from ratchet.errors import ConflictError, PackageError, UnknownDeploymentError

pytestmark = pytest.mark.slow

BY = {"who": "anna", "why": "by hand"}


def promote(world, name, model, generation, run_id):
    return promote_in_run(name, model.version, generation=generation, run_id=run_id, why="better", ledger=world.ledger)


def test_a_run_promotes_and_the_aliases_follow(world, name):
    first, second = world.register(name, 0), world.register(name, 1)
    assert promote(world, name, first, 0, f"{name}-1").champion == "1"
    change = promote(world, name, second, 1, f"{name}-2")
    assert (change.word, change.champion, change.deployment.previous) == ("promoted", "2", first)
    assert world.aliases(name) == {"champion": "2", "previous": "1"}
    assert "| champion | 2 |" in change.page("Promote").markdown()


def test_a_run_that_was_overtaken_holds_and_says_by_whom(world, name):
    first, second = world.register(name, 0), world.register(name, 1)
    promote(world, name, first, 0, f"{name}-1")
    change = promote(world, name, second, 0, f"{name}-2")
    assert change.word == "held"
    assert f"run {name}-1 did 'promote'" in change.reason
    assert world.ledger.outcome(f"{name}-2").word == "held"
    assert world.ledger.deployment(name).champion == first


def test_a_run_that_made_the_champion_again_holds(world, name):
    model = world.register(name, 0)
    promote(world, name, model, 0, f"{name}-1")
    for generation in (0, 1):
        change = promote(world, name, model, generation, f"{name}-{generation + 2}")
        assert (change.word, world.ledger.outcome(f"{name}-{generation + 2}").word) == ("held", "held")
    assert len(world.ledger.history(name)) == 1


def test_a_package_that_was_damaged_in_storage_never_becomes_champion(world, name):
    model = world.register(name, 0, generation=0)
    world.damage(model)
    with pytest.raises(PackageError, match=r"model\.cbm"):
        promote(world, name, model, 0, f"{name}-1")
    with pytest.raises(PackageError):
        promote_version(name, model.version, settings=world.settings, **BY)
    assert world.ledger.deployment(name).generation == 0


def test_a_run_takes_back_what_it_promoted_and_only_that(world, name):
    first = world.promote(name, 0, f"{name}-1")
    world.promote(name, 1, f"{name}-2")
    nothing = rollback_in_run(name, run_id="a stranger", why="?", ledger=world.ledger)
    assert (nothing.word, nothing.effect, nothing.champion) == ("held", "none", "2")
    back = rollback_in_run(name, run_id=f"{name}-2", why="it does not load", ledger=world.ledger)
    assert (back.word, back.deployment.champion) == ("rolled back", first)
    assert world.aliases(name) == {"champion": "1"}
    assert (world.ledger.outcome(f"{name}-2").word, world.ledger.outcome(f"{name}-2").exit_status) == ("rolled back", 4)
    again = rollback_in_run(name, run_id=f"{name}-2", why="once more", ledger=world.ledger)
    assert (again.effect, again.reason, again.deployment) == ("none", "it does not load", back.deployment)


def test_a_run_never_takes_back_what_others_promoted_since(world, name):
    world.promote(name, 0, f"{name}-1")
    second = world.promote(name, 1, f"{name}-2")
    change = rollback_in_run(name, run_id=f"{name}-1", why="late", ledger=world.ledger)
    assert (change.effect, change.deployment.champion) == ("none", second)


def test_the_first_champion_leaves_none_behind_when_its_run_takes_it_back(world, name):
    world.promote(name, 0, f"{name}-1")
    assert rollback_in_run(name, run_id=f"{name}-1", why="broken", ledger=world.ledger).champion == ""
    assert world.aliases(name) == {}


def test_by_hand_any_version_can_be_promoted_and_taken_back(world, name):
    first, second = world.promote(name, 0, f"{name}-1"), world.register(name, 1)
    done = promote_version(name, second.version, settings=world.settings, **BY)
    assert (done.effect, done.deployment.champion, done.row.who) == ("applied", second, "anna")
    assert promote_version(name, second.version, settings=world.settings, **BY).effect == "none"
    assert rollback_now(name, settings=world.settings, **BY).deployment.champion == first
    with pytest.raises(UnknownDeploymentError, match="ratchet promote"):
        rollback_now(name, settings=world.settings, **BY)
    assert world.aliases(name) == {"champion": "1"}


def test_by_hand_wins_over_a_run_that_promotes_at_the_same_moment(world, name):
    models = [world.register(name, number) for number in range(3)]
    promote(world, name, models[0], 0, f"{name}-1")
    ledger = world.ledger
    overtaken = []

    def overtake(phase: str) -> None:
        if phase == "before the transaction" and not overtaken:
            overtaken.append(promote(world, name, models[1], 1, f"{name}-2"))

    ledger.checkpoint = overtake
    done = promote_version(name, models[2].version, settings=world.settings, ledger=ledger, **BY)
    assert (done.effect, done.deployment.champion, done.deployment.previous) == ("applied", models[2], models[1])


def test_a_rollback_by_hand_never_hits_a_model_that_was_not_meant(world, name):
    models = [world.register(name, number) for number in range(3)]
    promote(world, name, models[0], 0, f"{name}-1")
    promote(world, name, models[1], 1, f"{name}-2")
    ledger = world.ledger
    overtaken = []

    def overtake(phase: str) -> None:
        if phase == "before the transaction" and not overtaken:
            overtaken.append(promote(world, name, models[2], 2, f"{name}-3"))

    ledger.checkpoint = overtake
    with pytest.raises(ConflictError, match=f"run {name}-3 did 'promote'"):
        rollback_now(name, settings=world.settings, ledger=ledger, **BY)
    assert world.ledger.deployment(name).champion == models[2]
