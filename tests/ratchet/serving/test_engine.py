"""The engine with a real ledger, real packages and a real child process; nothing stands in for anything."""

import asyncio
import os
import shutil
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

from ratchet.errors import NotReadyError
from ratchet.models.package import ModelPackage
from ratchet.serving.companion import CompanionOptions
from ratchet.serving.rows import Rows
from ratchet.settings import Settings

pytestmark = pytest.mark.slow  # real child processes, each with a model to load

QUICK = CompanionOptions(pause=0.1, longest_pause=0.2, hang_seconds=0.5)


def test_the_champion_answers_every_row_and_each_is_recorded(desk, stall):
    async def story():
        async with desk() as at:
            answer = await at.ask(30)
            package = ModelPackage.load(stall.models[0].uri)
            frame = pl.DataFrame({"amount": np.arange(30.0) % 37, "hour": np.arange(30) % 24})
            assert answer.predictions.tolist() == package.predict(frame).tolist()
            assert answer.decided == package.decide(answer.predictions).tolist()
            assert (answer.version, answer.role, answer.phase, answer.generation) == ("0", "champion", "stable", 1)
            assert [record.request_id for record in at.kept.records] == [f"r1#{i}" for i in range(30)]
            assert all(record.served and record.inputs and record.latency_ms > 0 for record in at.kept.records)

    asyncio.run(story())


def test_a_promotion_under_load_takes_effect_and_no_request_fails(desk, stall):
    async def story():
        async with desk() as at:
            versions, stop = [], False

            async def client():
                while not stop:
                    versions.append((await at.ask()).version)

            clients = [asyncio.create_task(client()) for _ in range(8)]
            for number in (1, 2, 0, 1):
                await asyncio.to_thread(stall.promote, number)
                await at.until(lambda number=number: versions and versions[-1] == str(number))
            stop = True
            await asyncio.gather(*clients)
            assert set(versions) == {"0", "1", "2"}
            assert len(at.kept.records) == len(versions)

    asyncio.run(story())


def test_a_request_that_was_validated_for_the_former_champion_finishes_on_it(desk, stall):
    async def story():
        async with desk() as at:
            former = at.engine.champion
            stall.promote(3)  # reads a column that the request does not have
            await at.until(lambda: at.engine.champion.ref.version == "3")
            answer = await at.engine.predict(Rows("r", 1.0, "", {"amount": [1.0], "hour": [2]}), former)
            assert answer.version == "0"

    asyncio.run(story())


def test_in_shadow_the_companion_scores_every_row_and_no_client_gets_its_answer(desk, stall):
    begun = stall.begin(1)

    async def story():
        async with desk() as at:
            await at.until_companion()
            answers = [await at.ask(3) for _ in range(20)]
            assert {answer.version for answer in answers} == {"0"}
            await at.until(lambda: len(at.kept.of("challenger")) == 60)
            ours, theirs = ({record.request_id: record for record in at.kept.of(role)} for role in ("champion", "challenger"))
            assert ours.keys() == theirs.keys()
            assert all(record.rollout == begun and record.phase == "shadow" for record in at.kept.records)
            assert all(record.served and record.inputs for record in ours.values())
            assert all(not record.served and record.inputs is None and record.version == "1" for record in theirs.values())
            frame = pl.DataFrame({"amount": np.arange(3.0), "hour": np.arange(3)})
            expected = ModelPackage.load(stall.models[1].uri).predict(frame)
            assert [theirs[f"r1#{i}"].prediction[0] for i in range(3)] == expected.tolist()
            for version in ("1", "0"):
                assert (await at.ask(version=version)).version == version, "but for one who names it"
            with pytest.raises(NotReadyError, match="'7'"):
                await at.ask(version="7")

    asyncio.run(story())


def test_a_shadow_gives_way_to_the_clients_and_a_canary_does_not(desk, stall):
    stall.begin(1, shadow=True, steps=(99,))

    async def story():
        async with desk() as at:
            await at.until_companion()
            shadow, niceness = at.child, os.getpriority(os.PRIO_PROCESS, 0)
            assert os.getpriority(os.PRIO_PROCESS, shadow) > niceness
            stall.step("canary", 99)
            await at.until(lambda: at.engine.health()["phase"] == "canary")
            while (at.engine.health()["companion"] or {}).get("state") != "ready":
                await at.ask(key=f"user {at.asked}")  # nobody waits for a child that is put in anew
            assert os.getpriority(os.PRIO_PROCESS, at.child) == niceness
            await at.until(lambda: not psutil.pid_exists(shadow))
            assert {(await at.ask(key=f"user {i}")).version for i in range(40)} >= {"1"}
            assert at.engine.health()["companion"]["errors"] == 0
            assert not [record for record in at.kept.of("challenger") if record.error]

    asyncio.run(story())


def test_in_canary_a_key_keeps_its_model_and_both_score_every_row(desk, stall):
    stall.begin(1, phase="canary", percent=30, key="card")

    async def story():
        async with desk() as at:
            await at.until_companion()
            versions = {}
            for _ in range(3):
                at.asked = 0
                for i in range(100):
                    answer = await at.ask()
                    assert versions.setdefault(i, answer.version) == answer.version, [
                        r for r in at.kept.records if r.error or r.role == "skipped"
                    ][-3:]
            assert 10 < list(versions.values()).count("1") < 50
            await at.until(lambda: len(at.kept.of("challenger")) == 300)
            assert len(at.kept.of("champion")) == 300
            served = [record for record in at.kept.records if record.served]
            assert len(served) == 300
            assert all(record.inputs for record in served)
            assert all(record.unit.startswith("card ") for record in at.kept.records)
            assert {record.version for record in served} == {"0", "1"}

    asyncio.run(story())


async def answered_by_challenger(at):
    """Ask until the challenger answers; a new child on a busy machine may let a request or two run out of time."""
    for _ in range(20):
        if (await at.ask()).role == "challenger":
            return
    raise AssertionError(f"20 requests, none answered by the challenger; {at.engine.health()}")


@pytest.mark.parametrize("harm", ["segfault", "hang"])
def test_a_canary_that_crashes_or_hangs_fails_no_request_and_comes_back(desk, stall, harm):
    stall.begin(1, phase="canary", percent=99, timeout_ms=100.0)

    async def story():
        async with desk(companion=QUICK) as at:
            await at.until_companion()
            await answered_by_challenger(at)
            os.kill(at.child, signal.SIGSEGV if harm == "segfault" else signal.SIGSTOP)
            assert (await at.ask()).version == "0"
            await at.until(lambda: at.kept.of("challenger")[-1].error)
            assert at.kept.of("champion")[-1].served
            await at.until(lambda: at.engine.health()["companion"]["restarts"])
            await at.until_companion()
            await at.until(lambda: not at.engine.health()["companion"]["unanswered_rows"])
            await answered_by_challenger(at)

    asyncio.run(story())


def test_a_challenger_that_only_errs_is_out_within_200_requests_and_the_ledger_says_why(desk, stall):
    stall.begin(4, phase="canary", percent=50)  # reads as a text what clients send as a number

    async def story():
        async with desk() as at:
            await at.until_companion()
            for _ in range(200):
                assert (await at.ask()).version == "0"
                if at.engine.health()["companion"] is None:
                    break
            assert at.engine.health()["percent"] == 0
            assert at.engine.health()["companion"] is None
            await at.until(lambda: stall.ledger.deployment(stall.name).phase == "stable")
            row = stall.ledger.history(stall.name)[-1]
            assert (row.who, row.action) == ("gateway", "abort")
            assert row.facts["errors"] == row.facts["requests"] <= 200
            assert row.facts["e_value"] >= 1000

    asyncio.run(story())


def test_a_companion_that_reads_more_columns_gets_them_where_they_are(desk, stall):
    stall.begin(3)

    async def story():
        async with desk() as at:
            await at.until_companion()
            assert at.engine.extra_inputs == {"shop": "integer"}
            await at.ask(shop=1)
            await at.until(lambda: at.kept.of("challenger"))
            assert not at.kept.of("challenger")[0].error

    asyncio.run(story())


def test_an_abort_under_load_takes_the_challenger_out_and_no_request_fails(desk, stall):
    stall.begin(1, phase="canary", percent=50)

    async def story():
        async with desk() as at:
            await at.until_companion()
            versions, stop = [], False

            async def client():
                while not stop:
                    versions.append((await at.ask()).version)

            clients = [asyncio.create_task(client()) for _ in range(8)]
            await at.until(lambda: {"0", "1"} <= set(versions))
            await asyncio.to_thread(stall.abort)
            await at.until(lambda: at.engine.health()["phase"] == "stable")
            after = len(versions)
            await at.until(lambda: len(versions) > after + 100)
            stop = True
            await asyncio.gather(*clients)
            assert set(versions[after + 8 :]) == {"0"}

    asyncio.run(story())


def test_a_promoted_challenger_is_watched_with_the_former_champion_beside_it(desk, stall):
    stall.begin(1, phase="canary", percent=50, watch=3600.0)

    async def story():
        async with desk() as at:
            await at.until_companion()
            state = stall.ledger.deployment(stall.name)
            how = {"generation": state.generation, "who": "the test", "why": "better"}
            stall.ledger.promote(stall.name, stall.models[1], watch=True, evidence={"policy": {"watch": 3600.0}}, **how)
            await at.until(lambda: at.engine.health()["phase"] == "watch" and at.engine.champion.ref.version == "1")
            await at.until_companion()
            assert (await at.ask()).version == "1"
            await at.until(lambda: at.kept.of("previous"))
            assert at.kept.of("previous")[0].version == "0"
            assert at.engine.health()["percent"] == 0

    asyncio.run(story())


def test_a_lease_that_runs_out_while_the_ledger_is_away_takes_the_challenger_out_and_the_ledger_hears_later(desk, stall):
    stall.begin(1, phase="canary", percent=50, lease=3600.0)
    ledger, now = stall.settings.root / "ledger.db", [0.0]

    async def story():
        async with desk(clock=lambda: time.time() + now[0]) as at:
            await at.until_companion()
            assert at.engine.health()["percent"] == 50
            ledger.rename(ledger.with_name("gone"))
            await at.until(lambda: at.engine.health()["ledger"]["error"])
            now[0] = 4000.0
            await at.until(lambda: at.engine.health()["percent"] == 0)
            assert "lease" in at.engine.health()["withdrawn"]
            assert (await at.ask()).version == "0"
            assert not ledger.exists(), "a gateway makes no ledger"
            ledger.with_name("gone").rename(ledger)
            await at.until(lambda: stall.ledger.deployment(stall.name).phase == "stable")
            await at.until(lambda: at.engine.health()["phase"] == "stable" and not at.engine.health()["withdrawn"])
            assert "lease" in stall.ledger.history(stall.name)[-1].why

    asyncio.run(story())


@pytest.mark.slow
def test_a_lease_that_was_renewed_while_the_ledger_was_away_aborts_nothing(desk, stall):
    begun = stall.begin(1, phase="canary", percent=50, lease=3600.0)
    ledger, now = stall.settings.root / "ledger.db", [0.0]

    async def story():
        async with desk(clock=lambda: time.time() + now[0]) as at:
            await at.until_companion()
            ledger.rename(ledger.with_name("gone"))
            await at.until(lambda: at.engine.health()["ledger"]["error"])
            now[0] = 4000.0
            await at.until(lambda: at.engine.health()["percent"] == 0)
            elsewhere = Settings(home=stall.settings.home, ledger_url=f"sqlite:///{ledger.with_name('gone')}")
            replace(stall, settings=elsewhere).ledger.renew_lease(
                stall.name, begun, datetime.fromtimestamp(time.time() + 9000, UTC), "a run"
            )
            ledger.with_name("gone").rename(ledger)
            await at.until(lambda: at.engine.health()["percent"] == 50)
            assert stall.ledger.deployment(stall.name).phase == "canary"

    asyncio.run(story())


def test_without_ledger_and_storage_a_gateway_starts_on_what_it_knew(desk, stall, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(Path(stall.models[0].uri), store)
    moved = replace(stall, name="moved", models=(replace(stall.models[0], uri=str(store)),))
    moved.promote(0)

    async def story():
        async with desk(moved) as at:
            first = await at.ask(5)
            await at.until(at.engine.saved.exists)
        shutil.rmtree(store)
        (stall.settings.root / "ledger.db").unlink()
        async with desk(moved) as at:
            assert (await at.ask(5)).predictions.tolist() == first.predictions.tolist()
            health = at.engine.health()
            assert health["ready"]
            assert "no such file" in health["ledger"]["error"] or "unable to open" in health["ledger"]["error"]
            assert health["generation"] == 1

    asyncio.run(story())


def test_without_anything_known_it_is_not_ready_and_says_so(desk, tmp_path, stall):
    nothing = replace(stall, settings=Settings(home=tmp_path / "nothing"))

    async def story():
        async with desk(nothing) as at:
            assert not at.engine.ready
            with pytest.raises(NotReadyError, match="no champion"):
                await at.ask()
            nothing.promote(0)
            await at.until(lambda: at.engine.ready)

    asyncio.run(story())


def test_a_ledger_that_was_replaced_by_an_empty_one_changes_nothing(desk, stall):
    ledger = stall.settings.root / "ledger.db"

    async def story():
        async with desk() as at:
            for end in ("", "-wal", "-shm"):
                part = Path(f"{ledger}{end}")
                if part.exists():
                    part.rename(f"{part}.gone")
            _ = stall.ledger  # makes a new one
            await at.until(lambda: "does not know" in at.engine.health()["ledger"]["error"])
            assert (await at.ask()).version == "0"

    asyncio.run(story())


@pytest.mark.slow
def test_a_postgresql_that_dies_is_missed_and_caught_up_with(desk, stall, postgresql, tmp_path):
    there = replace(stall, settings=Settings(home=tmp_path / "pg", ledger_url=postgresql.new_database()))
    there.promote(0)

    async def story():
        async with desk(there) as at:
            assert (await at.ask()).version == "0"
            await asyncio.to_thread(there.promote, 1)
            await at.until(lambda: at.engine.champion.ref.version == "1")
            await asyncio.to_thread(postgresql.kill)
            await at.until(lambda: at.engine.health()["ledger"]["state"] == "open")
            assert (await at.ask()).version == "1"
            await asyncio.to_thread(postgresql.start)
            await asyncio.to_thread(there.promote, 2)
            await at.until(lambda: at.engine.champion.ref.version == "2")
            assert at.engine.health()["ledger"]["state"] == "closed"

    asyncio.run(story())


def test_storage_that_is_away_keeps_the_champion_and_is_tried_again(desk, stall, tmp_path):
    store = tmp_path / "store"
    absent = replace(stall, models=(*stall.models[:1], replace(stall.models[1], uri=str(store))))

    async def story():
        async with desk(absent) as at:
            absent.promote(1)
            await at.until(lambda: at.engine.health()["storage"]["error"])
            assert (await at.ask()).version == "0"
            shutil.copytree(Path(stall.models[1].uri), store)
            await at.until(lambda: at.engine.champion.ref.version == "1")
            assert at.engine.health()["storage"]["state"] == "closed"

    asyncio.run(story())


def test_a_damaged_package_is_never_served(desk, stall, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(Path(stall.models[1].uri), store)
    content = bytearray((store / "model.cbm").read_bytes())
    content[len(content) // 2] ^= 1
    (store / "model.cbm").write_bytes(bytes(content))
    damaged = replace(stall, models=(*stall.models[:1], replace(stall.models[1], uri=str(store))))

    async def story():
        async with desk(damaged) as at:
            damaged.promote(1)
            await at.until(lambda: "damaged" in at.engine.health()["storage"]["error"])
            assert (await at.ask()).version == "0"

    asyncio.run(story())


class Counter:
    """A meter that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, list[float]]] = []

    def scored(self, deployment, served, role, predictions, milliseconds):
        assert milliseconds > 0
        self.told.append((role, served.ref.version, predictions.tolist()))


def odd(n):
    return pl.DataFrame({"amount": np.arange(float(n)) % 37, "hour": np.arange(n) % 24, "shop": ["b"] * n})


def test_in_canary_an_embedding_is_that_of_the_version_that_answered(desk, lookout):
    """Each version has a latent space of its own, and columns of its own."""
    lookout.begin(1, phase="canary", percent=50, key="card")
    packages = [ModelPackage.load(ref.uri) for ref in lookout.models]

    async def story():
        meter = Counter()
        async with desk(lookout, meter=meter) as at:
            await at.until_companion()
            answers = [await at.ask(3, shop="b", wants=("embedding", "shares")) for _ in range(40)]
            versions = [answer.version for answer in answers]
            assert 5 < versions.count("1") < 35
            for answer in answers:
                package = packages[int(answer.version)]
                encoded = package.encode(odd(3), shares=True)
                assert answer.predictions.tolist() == encoded.errors.tolist()
                assert answer.details["embedding"].tolist() == encoded.embedding.tolist()
                assert answer.details["shares"].tolist() == encoded.shares.tolist()
                assert answer.columns == package.encoder.preparation.columns
                assert answer.decided == package.decide(encoded.errors).tolist()
            await at.until(lambda: len(at.kept.of("challenger")) == len(at.kept.of("champion")) == 120)
            errors = {role: package.predict(odd(3)).tolist() for role, package in zip(("champion", "challenger"), packages, strict=True)}
            for role, expected in errors.items():
                numbers = {record.request_id.split("#")[1]: record.prediction for record in at.kept.of(role)}
                assert numbers == {str(i): (error,) for i, error in enumerate(expected)}, "a record is the error and nothing else"
                assert [told[2] for told in meter.told if told[0] == role] == [expected] * 40

    asyncio.run(story())


def test_in_shadow_the_companion_is_asked_for_the_same_and_its_embeddings_reach_nobody(desk, lookout):
    lookout.begin(1)
    champion, challenger = (ModelPackage.load(ref.uri) for ref in lookout.models)

    async def story():
        async with desk(lookout) as at:
            await at.until_companion()
            answer = await at.ask(3, shop="b", wants=("embedding",))
            assert answer.details["embedding"].tolist() == champion.encode(odd(3)).embedding.tolist()
            await at.until(lambda: len(at.kept.of("challenger")) == 3)
            assert [record.prediction[0] for record in at.kept.of("challenger")] == challenger.predict(odd(3)).tolist()
            pinned = await at.ask(2, shop="b", version="1", wants=("embedding",))
            assert pinned.details["embedding"].tolist() == challenger.encode(odd(2)).embedding.tolist(), "but one who names it"

    asyncio.run(story())


def test_a_challenger_that_dies_costs_no_client_its_embedding(desk, lookout):
    lookout.begin(1, phase="canary", percent=99)
    champion = ModelPackage.load(lookout.models[0].uri)

    async def story():
        async with desk(lookout, companion=QUICK) as at:
            await at.until_companion()
            os.kill(at.child, signal.SIGKILL)
            answers = [await at.ask(2, shop="b", wants=("embedding",)) for _ in range(5)]
            expected = {"0": champion, "1": ModelPackage.load(lookout.models[1].uri)}
            for answer in answers:
                assert answer.details["embedding"].tolist() == expected[answer.version].encode(odd(2)).embedding.tolist()
            assert "0" in {answer.version for answer in answers}

    asyncio.run(story())


def test_stacked_models_answer_as_champion_and_as_companion_each_with_its_own_encoder(desk, stall, stacked):
    stall = replace(stall, models=(stall.models[0], *stacked))
    frame = pl.DataFrame({"amount": np.arange(3.0), "hour": np.arange(3)})
    expected = {ref.version: ModelPackage.load(ref.uri).predict(frame).tolist() for ref in stall.models}
    stall.begin(1, phase="canary", percent=50, key="card")

    async def seen(at):
        answers = [await at.ask(3) for _ in range(30)]
        assert all(answer.predictions.tolist() == expected[answer.version] for answer in answers)
        return {answer.version for answer in answers}

    async def story():
        async with desk(stall) as at:
            await at.until_companion()
            assert await seen(at) == {"0", "5"}
            await asyncio.to_thread(stall.promote, 1)
            await at.until(lambda: at.engine.champion.ref.version == "5")
            assert await seen(at) == {"5"}
            await asyncio.to_thread(lambda: stall.begin(2, phase="canary", percent=50, key="card"))
            await at.until_companion()
            assert await seen(at) == {"5", "6"}
            assert not [record for record in at.kept.records if record.error and record.role != "skipped"]

    asyncio.run(story())
