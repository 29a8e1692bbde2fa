"""Every branch of the main job for anomalies, with labels and without: what it leaves in the ledger, in MLflow and on disk.

Branches are walked within this process, because a step that imports TensorFlow takes ten seconds; one run is the runner's own. A weak
autoencoder is one that may not see half of the sensors.
"""

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
from ratchet.delivery.promotion import rollback_now
from ratchet.delivery.storage import description_of
from ratchet.delivery.verdicts import Outcome
from ratchet.models.package import ModelPackage
from ratchet.settings import Settings
from ratchet.submit.local import submit_local
from ratchet.submit.parameters import CompiledPipeline
from ratchet.traffic.journal import Journal
from ratchet.traffic.records import Label, Prediction
from ratchet.traffic.store import TrafficStore
from tests.pipelines.sensors import SENSORS, write_sensors
from tests.pipelines.walking import Walk, walk

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.slow,
    pytest.mark.xdist_group("autoencoder_delivery"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),  # Keras 3.15
]

PIPELINE = Path(pipeline_path("autoencoder_delivery"))
NAME = "turbine-defects"
REQUESTS = 1_500
TRIAL = {"strategy": "blue_green", "wait": "0s"}
POLICY = {"margin": 0.2, "minimum_requests": 50, "minimum_labels": 50, "grace": 0}
TRAINING = {"hidden": [12], "latent_size": 2, "epochs": 15, "patience": 5, "learning_rate": 0.005}
BLIND = {"drop_columns": list(SENSORS[3:])}
ANOMALOUS = np.arange(REQUESTS) % 10 == 0


@dataclass(frozen=True)
class After:
    """What a run left: how it went and ended, and the deployment."""

    run: Walk
    outcome: Outcome
    deployment: Deployment


class World:
    """One installation under one home, with readings beside it."""

    def __init__(self, home: Path, labels: bool) -> None:
        self.home = home
        self.labels = labels
        self.settings = Settings(home=home)

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.settings)

    def source(self, **switches: Any) -> str:
        path = self.home / f"readings{''.join(sorted(switches))}.csv"
        return str(path if path.exists() else write_sensors(path, rows=6_000, labels=self.labels, **switches))

    def arguments(self, **changes: Any) -> dict[str, Any]:
        target: dict[str, Any] = {"target": "defect"} if self.labels else {"injected": {"share": 0.2}}
        given = {"source": self.source(), "model": NAME, "key_columns": ["reading"], "time_column": "time", "policy": POLICY}
        return {**given, **target, **TRAINING, "strategy": "direct", **changes}

    def run(self, run_id: str, after: dict[str, Callable[[], None]] | None = None, **changes: Any) -> After:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RATCHET_HOME", str(self.home))
            done = walk(PIPELINE, self.arguments(**changes), folder=self.home / run_id, run_id=run_id, after=after)
        return After(done, self.ledger.outcome(run_id), self.ledger.deployment(NAME))

    def traffic(self, champion: np.ndarray, challenger: np.ndarray) -> None:
        """Record what both models made of the last requests, each around its own threshold, and their labels where there are any."""
        state, now, records = self.ledger.deployment(NAME), time.time() - REQUESTS - 10, []
        models = (("champion", state.champion, champion), ("challenger", state.challenger, challenger))
        thresholds = {role: description_of(model, self.settings).threshold for role, model, _ in models}
        for place in range(REQUESTS):
            for role, model, flags in models:
                shared = {"request_id": f"r{state.begun}-{place}", "time": now + place, "deployment": NAME, "version": model.version}
                where = {"phase": state.phase, "percent": state.percent, "generation": state.generation, "rollout": state.begun}
                error = thresholds[role] * (1.5 if flags[place] else 0.5)
                answer = {"prediction": (error,), "latency_ms": 2.0 + place % 3, "error": "", "unit": "", "inputs": {}}
                records.append(Prediction(role=role, served=role == "champion", **shared, **where, **answer))
            if self.labels:
                at = now + place + 1
                records.append(Label(f"r{state.begun}-{place}", at, at, NAME, str(int(ANOMALOUS[place]))))
        journal = Journal(self.home / "journal", writer="test")
        journal.append(records)
        sealed = journal.seal()
        journal.close()
        TrafficStore(self.settings.traffic_folder()).roll(sealed)

    def damage(self) -> None:
        """Let the champion's stored graph lose a byte."""
        champion = self.ledger.deployment(NAME).champion
        assert champion is not None
        stored = Path(champion.uri.removeprefix("file://")) / "model.onnx"
        stored.write_bytes(stored.read_bytes()[:-1])


HALF = ANOMALOUS & (np.arange(REQUESTS) % 20 == 0)
NEVER = np.zeros(REQUESTS, dtype=bool)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("labelled"), labels=True)


@pytest.fixture(scope="module")
def first(world: World) -> After:
    return world.run("first", **BLIND)


@pytest.fixture(scope="module")
def invalid(world: World, first: After) -> After:
    return world.run("invalid", source=world.source(fault=True))


@pytest.fixture(scope="module")
def pending(world: World, invalid: After) -> After:
    return world.run("pending", **{**TRIAL, "strategy": "canary"})


@pytest.fixture(scope="module")
def aborted(world: World, pending: After) -> After:
    """A better model, as far as the holdout tells, that finds nothing live."""
    world.ledger.abort(NAME, generation=pending.deployment.generation, who="test", why="to try it again")
    return world.run("aborted", after={"begin-rollout": lambda: world.traffic(HALF, NEVER)}, **TRIAL)


@pytest.fixture(scope="module")
def crashed(world: World, aborted: After) -> Outcome:
    """A run whose next step fails as soon as its rollout has begun."""

    def fail() -> None:
        raise OSError("the node is gone")

    with pytest.raises(OSError, match="the node is gone"):
        world.run("crashed", after={"begin-rollout": fail}, **TRIAL)
    return world.ledger.outcome("crashed")


@pytest.fixture(scope="module")
def proven(world: World, crashed: Outcome) -> After:
    """The same model, which live finds what the champion finds half of."""
    return world.run("proven", after={"begin-rollout": lambda: world.traffic(HALF, ANOMALOUS)}, **TRIAL)


@pytest.fixture(scope="module")
def equal(world: World, proven: After) -> After:
    return world.run("equal")


@pytest.fixture(scope="module")
def damaged(world: World, equal: After) -> After:
    """The better model once more, after a rollback by hand; its stored graph loses a byte the moment it is promoted."""
    rollback_now(NAME, who="test", why="to promote it again", settings=world.settings)
    return world.run("damaged", after={"promote": world.damage})


def test_the_first_autoencoder_that_beats_the_naive_guess_is_promoted(first: After) -> None:
    assert first.outcome.word == "promoted"
    assert first.deployment.champion is not None
    assert first.deployment.champion.version == "1"
    assert first.run.value("verify", "verdict") == "healthy"
    assert "there is no champion to try it against" in first.outcome.reason


def test_invalid_data_trains_nothing(invalid: After, first: After) -> None:
    assert invalid.outcome.word == "invalid"
    assert "sensor_0" in invalid.outcome.reason
    assert invalid.run.steps == ["champion", "ingest", "validate", "hold", "conclude"]
    assert invalid.deployment == first.deployment


def test_a_better_autoencoder_without_traffic_stays_pending_for_a_later_run(pending: After, first: After) -> None:
    assert pending.outcome.word == "pending"
    assert "no request has been recorded" in pending.outcome.reason
    assert pending.run.value("compare", "verdict") == "release"
    assert (pending.deployment.champion, pending.deployment.phase) == (first.deployment.champion, "shadow")


def test_its_loss_is_the_cost_balanced_by_the_champion_s_data(world: World, pending: After) -> None:
    begun = next(row for row in world.ledger.history(NAME) if row.action == "begin")
    loss = begun.facts["policy"]["loss"]
    assert loss["kind"] == "cost"
    assert 20 < loss["cost_false_negative"] < 30, "one reading in twenty-five is a defect"
    assert loss["cost_false_positive"] == 1.0


def test_a_challenger_that_finds_nothing_live_is_aborted_by_the_evidence(aborted: After, first: After) -> None:
    assert aborted.outcome.word == "rejected"
    assert aborted.outcome.reason.startswith("loss")
    assert aborted.run.value("advance-rollout", "verdict") == "abort"
    assert (aborted.deployment.champion, aborted.deployment.challenger) == (first.deployment.champion, None)


def test_what_a_run_began_and_did_not_finish_is_aborted_by_its_exit_task(world: World, crashed: Outcome) -> None:
    assert crashed.word == "error"
    row = next(row for row in reversed(world.ledger.history(NAME)) if row.run_id == "crashed")
    assert row.action == "abort"


def test_live_evidence_with_labels_promotes_the_better_one(proven: After, first: After) -> None:
    assert proven.outcome.word == "promoted", proven.outcome.reason
    assert proven.run.value("advance-rollout", "verdict") == "promote"
    assert proven.deployment.previous == first.deployment.champion
    assert proven.run.value("compare", "loss_challenger") < proven.run.value("compare", "loss_champion")


def test_the_same_autoencoder_again_is_rejected_and_is_the_same_to_the_byte(equal: After, proven: After) -> None:
    assert equal.outcome.word == "rejected"
    assert equal.deployment == proven.deployment
    assert equal.run.value("train-autoencoder", "digest") == proven.run.value("train-autoencoder", "digest")
    assert equal.run.value("compare", "loss_challenger") == equal.run.value("compare", "loss_champion")


def test_a_champion_damaged_after_promotion_is_rolled_back(damaged: After, first: After) -> None:
    assert damaged.outcome.word == "rolled back"
    assert "model.onnx" in damaged.outcome.reason
    assert damaged.deployment.champion == first.deployment.champion


def test_every_step_of_the_pipeline_ran_in_some_branch(
    first: After, invalid: After, pending: After, aborted: After, proven: After, equal: After, damaged: After
) -> None:
    ran = {step for one in (first, invalid, pending, aborted, proven, equal, damaged) for step in one.run.steps}
    components = proven.run.pipeline["components"].values()
    tasks = {name for one in (*components, proven.run.pipeline["root"]) for name, task in one.get("dag", {}).get("tasks", {}).items()}
    assert {name for name in tasks if not name.startswith(("condition-", "exit-handler-"))} == ran


def test_the_whole_story_is_in_a_chain_that_verifies(world: World, damaged: After) -> None:
    world.ledger.verify_chain(NAME)
    told = ["promote", "begin", "abort", "begin", "abort", "begin", "abort", "begin", "promote", "rollback", "promote", "rollback"]
    assert [row.action for row in world.ledger.history(NAME)] == told


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("unlabelled"), labels=False)


@pytest.fixture(scope="module")
def injected(unlabelled: World) -> After:
    return unlabelled.run("first", **BLIND)


@pytest.fixture(scope="module")
def noisy(unlabelled: World, injected: After) -> After:
    alarms = np.arange(REQUESTS) % 50 == 0
    return unlabelled.run("noisy", after={"begin-rollout": lambda: unlabelled.traffic(alarms, ANOMALOUS | alarms)}, **TRIAL)


@pytest.fixture(scope="module")
def quiet(unlabelled: World, noisy: After) -> After:
    alarms = np.arange(REQUESTS) % 50 == 0
    return unlabelled.run(
        "quiet", after={"begin-rollout": lambda: unlabelled.traffic(alarms, alarms & (np.arange(REQUESTS) % 100 > 0))}, **TRIAL
    )


def test_without_labels_the_first_is_promoted_on_injected_anomalies(injected: After) -> None:
    assert injected.outcome.word == "promoted"
    scores = injected.run.value("evaluate", "scores").metadata
    assert {"recall_spike", "recall_swap", "recall_noise", "recall_drift"} <= set(scores)
    assert injected.deployment.champion is not None
    assert ModelPackage.load(injected.deployment.champion.uri).spec.target == ""


def test_without_labels_a_challenger_that_alarms_more_often_is_aborted(noisy: After, injected: After) -> None:
    assert noisy.outcome.word == "rejected"
    assert noisy.outcome.reason.startswith("loss")
    assert "judged by alarms" in noisy.run.value("begin-rollout", "reason")
    assert noisy.deployment.champion == injected.deployment.champion


def test_without_labels_one_that_alarms_no_more_often_is_promoted(quiet: After, injected: After) -> None:
    assert quiet.outcome.word == "promoted", quiet.outcome.reason
    assert quiet.deployment.previous == injected.deployment.champion
    assert quiet.run.value("evaluate", "primary_metric") > injected.run.value("evaluate", "primary_metric")


@pytest.fixture(scope="module")
def real(world: World, proven: After, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The first run of another home, on the runner: each step a process."""
    home = tmp_path_factory.mktemp("real")
    pipeline = CompiledPipeline.read(PIPELINE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATCHET_HOME", str(home))
        return submit_local(pipeline, pipeline.arguments(world.arguments(**TRIAL)), on_event=lambda event, step: None)


def test_the_runner_promotes_the_same_graph_to_the_byte(real: Any, proven: After) -> None:
    assert (real.outcome, real.exit_status) == ("promoted", 0)
    assert real.output("train-autoencoder", "digest") == proven.run.value("train-autoencoder", "digest")
    (mine,) = real.folder.rglob("train-autoencoder/**/model.onnx")
    assert mine.read_bytes() == (Path(proven.run.value("train-autoencoder", "model").path) / "model.onnx").read_bytes()


def test_the_real_run_leaves_a_page_that_links_to_its_reports(real: Any) -> None:
    page = real.report.read_text(encoding="utf-8")
    for report in ("validate-report", "train-autoencoder-curve", "evaluate-report", "compare-report"):
        assert f"reports/{report}.html" in page
