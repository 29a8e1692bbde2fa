import asyncio
from dataclasses import replace
from pathlib import Path

from ratchet.delivery.deployment import Deployment
from ratchet.serving.companion import Companion
from ratchet.serving.lineup import Lineup
from ratchet.serving.served import describe, load
from ratchet.serving.standing import Standing


def lineups(stored, phase, percent):
    """One with a companion, and one without."""

    async def made():
        champion = load(Path(stored[0].uri), stored[0], None)
        companion = Companion(stored[3], describe(Path(stored[3].uri), stored[3], None), begun=2, timeout_ms=1000.0)
        standing = Standing(Deployment("fraud", stored[0], None, stored[3], phase, percent, 3, 1, 2))
        return Lineup(champion, companion, standing), Lineup(champion, None, standing)

    return asyncio.run(made())


def test_only_in_canary_and_only_with_a_companion_do_clients_get_its_answers(stored):
    for phase, percent, share in (("canary", 100, 100), ("canary", 0, 0), ("shadow", 100, 0), ("watch", 100, 0)):
        beside, alone = lineups(stored, phase, percent)
        assert beside.percent == share
        assert beside.gives_to_companion("card 1") is (share == 100)
        assert alone.percent == 0
        assert not alone.gives_to_companion("card 1")


def test_roles_and_columns_of_the_companion(stored):
    beside, alone = lineups(stored, "canary", 5)
    assert (beside.role, beside.rollout) == ("challenger", 2)
    assert beside.extra_inputs == {"shop": "integer"}
    assert alone.extra_inputs == {}
    assert lineups(stored, "watch", 0)[0].role == "previous"


def test_a_label_is_what_the_champion_calls_it_unless_only_the_companion_has_labels(encoders):
    async def made():
        unlabelled = load(Path(encoders[0].uri), encoders[0], None)
        description = unlabelled.package.description
        spec = replace(description.spec, target="y", classes=("0", "1"))
        labelled = replace(unlabelled, package=replace(unlabelled.package, description=replace(description, spec=spec)))
        standing = Standing(Deployment("odd", encoders[0], None, encoders[1], "shadow", 0, 3, 1, 2))
        for champion, other, classes in (
            (unlabelled, labelled, ("0", "1")),
            (labelled, unlabelled, ("0", "1")),
            (unlabelled, unlabelled, ("normal", "anomaly")),
            (unlabelled, None, ("normal", "anomaly")),
        ):
            companion = Companion(encoders[1], other, begun=2, timeout_ms=1000.0)
            assert Lineup(champion, companion, standing).labelled.classes == classes
        assert Lineup(unlabelled, None, standing).labelled.classes == ("normal", "anomaly")

    asyncio.run(made())
