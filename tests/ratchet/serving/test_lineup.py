import asyncio
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
