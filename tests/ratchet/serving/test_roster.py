"""Order does not matter: whatever changes while a model is loading, what the ledger says last is what stands in the end."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ratchet.delivery.deployment import Deployment
from ratchet.serving.companion import CompanionOptions
from ratchet.serving.roster import Roster, _unlike
from ratchet.serving.served import describe
from ratchet.serving.standing import Standing, load_standing
from ratchet.settings import Settings


@pytest.fixture
def roster(tmp_path):
    now = [0.0]
    made = Roster(Settings(home=tmp_path), tmp_path / "packages", tmp_path / "saved.json", CompanionOptions(), clock=lambda: now[0])
    made.now = now
    return made


def champion(ref, generation=1):
    return Standing(Deployment("fraud", champion=ref, generation=generation, since=generation))


def canary(first, second, percent=5):
    return Standing(Deployment("fraud", first, None, second, "canary", percent, 3, 1, 2))


def told(roster, story):
    async def whole():
        try:
            await story()
        finally:
            await roster.close()

    asyncio.run(whole())


def test_a_model_that_was_replaced_while_it_was_loading_never_answers(roster, stored):
    async def story():
        roster.want(champion(stored[0]))
        loading = asyncio.create_task(roster.settle())
        await asyncio.sleep(0)
        roster.want(champion(stored[1], 2))
        await loading
        assert roster.lineup is None
        await roster.settle()
        assert roster.lineup.champion.ref == stored[1]

    told(roster, story)


def test_the_last_known_state_is_kept_on_disk_once_it_is_loaded(roster, stored):
    async def story():
        roster.want(champion(stored[0]))
        assert roster.unsettled
        await roster.settle()
        assert not roster.unsettled
        assert load_standing(roster.saved) == champion(stored[0])

    told(roster, story)


def test_a_challenger_is_out_at_once_and_its_champion_stays(roster, stored):
    async def story():
        roster.want(canary(stored[0], stored[1]))
        await roster.settle()
        before = roster.lineup
        assert before.percent == 5
        roster.want(canary(stored[0], stored[1]), withheld=True)
        assert roster.lineup.companion is None
        assert roster.lineup.champion is before.champion
        assert not roster.unsettled
        await roster.settle()
        assert roster.lineup.companion is None

    told(roster, story)


def test_another_percent_keeps_the_child(roster, stored):
    async def story():
        roster.want(canary(stored[0], stored[1]))
        await roster.settle()
        before = roster.lineup
        roster.want(canary(stored[0], stored[1], 50))
        assert roster.lineup.percent == 50
        assert roster.lineup.companion is before.companion
        assert roster.lineup.champion is before.champion

    told(roster, story)


def test_a_promoted_challenger_goes_on_in_its_child_until_it_is_loaded(roster, stored):
    async def story():
        roster.want(canary(stored[0], stored[1]))
        await roster.settle()
        roster.want(champion(stored[1], 4))
        assert (roster.lineup.champion.ref, roster.lineup.companion.ref) == (stored[0], stored[1])
        await roster.settle()
        assert (roster.lineup.champion.ref, roster.lineup.companion) == (stored[1], None)

    told(roster, story)


def test_another_champion_than_the_challenger_ends_the_challenger_at_once(roster, stored):
    async def story():
        roster.want(canary(stored[0], stored[1]))
        await roster.settle()
        roster.want(champion(stored[2], 4))
        assert roster.lineup.companion is None
        assert roster.lineup.champion.ref == stored[0]

    told(roster, story)


def test_when_nothing_is_deployed_any_more_nobody_answers(roster, stored):
    async def story():
        roster.want(champion(stored[0]))
        await roster.settle()
        roster.want(Standing(Deployment("fraud", generation=2)))
        assert roster.lineup is None

    told(roster, story)


def test_a_damaged_challenger_is_an_error_of_its_own_and_an_absent_one_is_not(roster, stored, tmp_path):
    store = tmp_path / "store"
    absent = replace(stored[1], uri=str(store))

    async def story():
        roster.want(canary(stored[0], absent))
        await roster.settle()
        assert roster.lineup.companion is None
        assert roster.health()["state"] == "open"
        shutil.copytree(Path(stored[1].uri), store)
        (store / "model.cbm").write_bytes(b"damaged")
        roster.now[0] = 100.0
        assert roster.unsettled
        await roster.settle()
        assert "damaged" in roster.lineup.companion.refusal

    told(roster, story)


def test_a_challenger_for_another_target_is_never_asked(roster, stored):
    own = describe(Path(stored[0].uri), stored[0], None)
    other = replace(
        own, package=replace(own.package, description=replace(own.package.description, spec=replace(own.package.spec, classes=("a", "b"))))
    )
    assert not _unlike(own, own)
    assert "same target" in _unlike(other, own)


def test_of_two_anomaly_models_one_may_have_no_labels_for_both_answer_a_truth_value(encoders):
    unlabelled = describe(Path(encoders[0].uri), encoders[0], None)
    labelled, renamed = (_with_target(unlabelled, "y", classes) for classes in (("0", "1"), ("no", "yes")))
    assert not _unlike(labelled, unlabelled)
    assert not _unlike(unlabelled, labelled)
    assert "same target" in _unlike(renamed, labelled)


def _with_target(served, target, classes):
    description = served.package.description
    named = replace(description, spec=replace(description.spec, target=target, classes=classes))
    return replace(served, package=replace(served.package, description=named))
