"""Every branch of the main job for a stacked model: it and its encoder go forward together, back together, or stay.

Branches are walked within this process; one run, with a promotion and a rollback of the pair, is the runner's own. A weak pair is one that
sees two of the six sensors.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ratchet.catalog import pipeline_path
from ratchet.delivery.deployment import Deployment
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.mlflow_store import open_client
from ratchet.delivery.promotion import rollback_now
from ratchet.delivery.verdicts import Outcome
from ratchet.errors import NeededError
from ratchet.models.package import ModelPackage
from ratchet.settings import Settings
from ratchet.submit.local import LocalRun, submit_local
from ratchet.submit.parameters import CompiledPipeline
from ratchet.traffic.journal import Journal
from ratchet.traffic.records import Label, Prediction
from ratchet.traffic.store import TrafficStore
from tests.pipelines.sensors import SENSORS, write_sensors
from tests.pipelines.walking import Walk, walk

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.slow,
    pytest.mark.xdist_group("stacked_delivery"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),  # Keras 3.15
]

PIPELINE = Path(pipeline_path("stacked_delivery"))
NAME, ENCODER = "turbine", "turbine-encoder"
REQUESTS = 1_500
TRIAL = {"strategy": "blue_green", "wait": "0s"}
POLICY = {"margin": 0.2, "minimum_requests": 50, "minimum_labels": 50, "grace": 0}
BLIND = {"drop_columns": list(SENSORS[2:])}
DEFECTS = np.arange(REQUESTS) % 10 == 0
HALF = DEFECTS & (np.arange(REQUESTS) % 20 == 0)


@dataclass(frozen=True)
class After:
    """What a run left: how it went and ended, and both deployments."""

    run: Walk
    outcome: Outcome
    model: Deployment
    encoder: Deployment


class World:
    """One installation under one home, with readings beside it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = Settings(home=home)

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.settings)

    def source(self, **switches: Any) -> str:
        path = self.home / f"readings{''.join(sorted(switches))}.csv"
        return str(path if path.exists() else write_sensors(path, rows=6_000, **switches))

    def arguments(self, **changes: Any) -> dict[str, Any]:
        given = {"source": self.source(), "model": NAME, "target": "defect", "key_columns": ["reading"], "time_column": "time"}
        training = {"hidden": [12], "latent_size": 2, "epochs": 10, "cost_false_negative": 10.0}
        return {**given, **training, "policy": POLICY, "strategy": "direct", **changes}

    def run(self, run_id: str, after: dict[str, Callable[[], None]] | None = None, **changes: Any) -> After:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RATCHET_HOME", str(self.home))
            done = walk(PIPELINE, self.arguments(**changes), folder=self.home / run_id, run_id=run_id, after=after)
        return After(done, self.ledger.outcome(run_id), *self.both())

    def submit(self, **changes: Any) -> LocalRun:
        """Run it on the runner: each step a process."""
        pipeline = CompiledPipeline.read(PIPELINE)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RATCHET_HOME", str(self.home))
            return submit_local(pipeline, pipeline.arguments(self.arguments(**changes)), on_event=lambda event, step: None)

    def both(self) -> tuple[Deployment, Deployment]:
        return self.ledger.deployment(NAME), self.ledger.deployment(ENCODER)

    def aliases(self, name: str) -> dict[str, str]:
        with open_client(self.settings) as client:
            return {alias: str(version) for alias, version in client.get_registered_model(name).aliases.items()}

    def traffic(self, champion: np.ndarray, challenger: np.ndarray) -> None:
        """Record what both models made of the last requests, and their labels."""
        state, now, records = self.ledger.deployment(NAME), time.time() - REQUESTS - 10, []
        models = (("champion", state.champion, champion), ("challenger", state.challenger, challenger))
        for place in range(REQUESTS):
            request = f"r{state.begun}-{place}"
            for role, model, flags in models:
                shared = {"request_id": request, "time": now + place, "deployment": NAME, "version": model.version}
                where = {"phase": state.phase, "percent": state.percent, "generation": state.generation, "rollout": state.begun}
                answer = {"prediction": (float(flags[place]),), "latency_ms": 2.0 + place % 3, "error": "", "unit": "", "inputs": {}}
                records.append(Prediction(role=role, served=role == "champion", **shared, **where, **answer))
            records.append(Label(request, now + place + 1, now + place + 1, NAME, str(int(DEFECTS[place]))))
        journal = Journal(self.home / "journal", writer="test")
        journal.append(records)
        sealed = journal.seal()
        journal.close()
        TrafficStore(self.settings.traffic_folder()).roll(sealed)

    def damage(self) -> None:
        """Let the encoder within the champion's stored package lose a byte."""
        champion = self.ledger.deployment(NAME).champion
        assert champion is not None
        stored = Path(champion.uri.removeprefix("file://")) / "encoder" / "model.onnx"
        stored.write_bytes(stored.read_bytes()[:-1])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("stacked"))


@pytest.fixture(scope="module")
def first(world: World) -> After:
    return world.run("first", encoder_members=2, encoder_outputs=["error"], members=3, **BLIND)


@pytest.fixture(scope="module")
def invalid(world: World, first: After) -> After:
    return world.run("invalid", source=world.source(fault=True))


@pytest.fixture(scope="module")
def pending(world: World, invalid: After) -> After:
    return world.run("pending", **{**TRIAL, "strategy": "canary"})


@pytest.fixture(scope="module")
def aborted(world: World, pending: After) -> After:
    """A better pair, as far as the holdout tells, that live calls everything a defect."""
    world.ledger.abort(NAME, generation=pending.model.generation, who="test", why="to try it again")
    return world.run("aborted", after={"begin-rollout": lambda: world.traffic(HALF, np.ones(REQUESTS))}, **TRIAL)


@pytest.fixture(scope="module")
def proven(world: World, aborted: After) -> After:
    """The same pair, which live finds what the champion finds half of."""
    return world.run("proven", after={"begin-rollout": lambda: world.traffic(HALF, DEFECTS)}, **TRIAL)


@pytest.fixture(scope="module")
def equal(world: World, proven: After) -> After:
    return world.run("equal")


@pytest.fixture(scope="module")
def damaged(world: World, equal: After) -> After:
    """The better pair once more, after a rollback by hand; its stored package is damaged the moment it is promoted."""
    rollback_now(NAME, who="test", why="to promote it again", settings=world.settings)
    return world.run("damaged", after={"promote": world.damage})


@pytest.fixture(scope="module")
def real(world: World, damaged: After) -> LocalRun:
    """The same on the runner."""
    before, stop = world.ledger.deployment(NAME).generation, threading.Event()

    def watch() -> None:
        while not stop.wait(0.005):
            if world.ledger.deployment(NAME).generation > before:
                world.damage()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        return world.submit()
    finally:
        stop.set()
        watcher.join()


def test_the_first_pair_that_beats_the_naive_guess_is_promoted(world: World, first: After) -> None:
    assert first.outcome.word == "promoted", first.outcome.reason
    assert first.model.champion is not None
    assert first.encoder.champion is not None
    package = ModelPackage.load(first.model.champion.uri)
    needed = package.description.encoder
    assert needed is not None
    assert (needed.model, needed.version, needed.digest) == (ENCODER, first.encoder.champion.version, first.encoder.champion.digest)
    assert [name for name in package.matrix(package.examples()[0]).columns if name.startswith("encoder_")] == ["encoder_error"]
    assert package.parameters["members"] == 3
    assert ModelPackage.load(first.encoder.champion.uri).parameters["members"] == 2
    assert first.run.value("verify", "verdict") == "healthy"


def test_invalid_data_trains_nothing(invalid: After, first: After) -> None:
    assert invalid.outcome.word == "invalid"
    assert invalid.run.steps == ["champion", "ingest", "validate", "hold", "conclude"]
    assert (invalid.model, invalid.encoder) == (first.model, first.encoder)


def test_on_trial_only_the_stacked_model_is_a_challenger(pending: After, first: After) -> None:
    assert pending.outcome.word == "pending", pending.outcome.reason
    assert (pending.model.champion, pending.model.phase) == (first.model.champion, "shadow")
    assert pending.encoder == first.encoder


def test_a_challenger_that_is_worse_live_is_aborted_and_its_encoder_was_never_deployed(aborted: After, first: After) -> None:
    assert aborted.outcome.word == "rejected", aborted.outcome.reason
    assert (aborted.model.champion, aborted.model.challenger) == (first.model.champion, None)
    assert aborted.encoder == first.encoder


def test_live_evidence_promotes_both(world: World, proven: After, first: After) -> None:
    assert proven.outcome.word == "promoted", proven.outcome.reason
    assert (proven.model.previous, proven.encoder.previous) == (first.model.champion, first.encoder.champion)
    assert proven.encoder.champion is not None
    assert proven.encoder.champion.version == str(proven.run.value("register", "version"))
    assert proven.run.value("compare", "loss_challenger") < proven.run.value("compare", "loss_champion")


def test_the_same_pair_again_is_rejected_and_predicts_the_same(equal: After, proven: After) -> None:
    assert equal.outcome.word == "rejected"
    assert (equal.model, equal.encoder) == (proven.model, proven.encoder)
    assert equal.run.value("train-autoencoder", "digest") == proven.run.value("train-autoencoder", "digest")
    assert equal.run.value("compare", "loss_challenger") == equal.run.value("compare", "loss_champion")


def test_the_encoder_alone_cannot_be_taken_from_the_champion(world: World, equal: After) -> None:
    with pytest.raises(NeededError, match=f"ratchet rollback {NAME}"):
        rollback_now(ENCODER, who="test", why="half a rollback", settings=world.settings)
    assert world.both() == (equal.model, equal.encoder)


def test_a_pair_damaged_after_promotion_is_rolled_back_whole(world: World, damaged: After, first: After) -> None:
    assert damaged.outcome.word == "rolled back"
    assert "model.onnx" in damaged.outcome.reason
    assert (damaged.model.champion, damaged.encoder.champion) == (first.model.champion, first.encoder.champion)


def test_every_step_of_the_pipeline_ran_in_some_branch(
    first: After, invalid: After, pending: After, aborted: After, proven: After, equal: After, damaged: After
) -> None:
    ran = {step for one in (first, invalid, pending, aborted, proven, equal, damaged) for step in one.run.steps}
    components = proven.run.pipeline["components"].values()
    tasks = {name for one in (*components, proven.run.pipeline["root"]) for name, task in one.get("dag", {}).get("tasks", {}).items()}
    assert {name for name in tasks if not name.startswith(("condition-", "exit-handler-"))} == ran


def test_on_the_runner_a_pair_is_promoted_and_rolled_back_too(world: World, real: LocalRun, first: After) -> None:
    assert (real.outcome, real.exit_status) == ("rolled back", 4), real.reason
    assert real.output("promote", "verdict") == "promoted"
    assert "model.onnx" in real.reason
    model, encoder = world.both()
    assert (model.champion, encoder.champion) == (first.model.champion, first.encoder.champion)
    assert first.encoder.champion is not None
    assert world.aliases(NAME) == {"champion": "1"}
    assert world.aliases(ENCODER) == {"champion": first.encoder.champion.version}


def test_the_runner_trains_the_same_encoder_to_the_byte(real: LocalRun, proven: After) -> None:
    assert real.output("train-autoencoder", "digest") == proven.run.value("train-autoencoder", "digest")


def test_both_stories_are_in_chains_that_verify(world: World, real: LocalRun) -> None:
    told = {name: [row.action for row in world.ledger.history(name)] for name in (NAME, ENCODER)}
    assert told[ENCODER] == ["promote", "promote", "rollback", "promote", "rollback", "promote", "rollback"]
    assert [action for action in told[NAME] if action in ("promote", "rollback")] == told[ENCODER]
    assert [world.ledger.verify_chain(name).head for name in (NAME, ENCODER)] == ["confirmed", "confirmed"]
