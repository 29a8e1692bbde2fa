"""Every branch of the main job, on the real runner: what it leaves in the ledger, in MLflow and on disk.

Data is simulated card transactions, so that these run anywhere. A weak model is one that may not see what gives fraud away.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from ratchet.catalog import pipeline_path
from ratchet.data.cards import write_cards
from ratchet.delivery.deployment import Deployment
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.mlflow_store import open_client
from ratchet.delivery.promotion import rollback_now
from ratchet.settings import Settings
from ratchet.submit.events import Event, StepEnded
from ratchet.submit.local import LocalRun, submit_local
from ratchet.submit.parameters import CompiledPipeline

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("delivery")]
CONFIG = Path(__file__).resolve().parents[2] / "pipelines" / "delivery" / "configs" / "card_transactions.yaml"
NAME = "card-fraud"
BLIND = {"drop_columns": ["customer_id", "terminal_id", "channel", "merchant_category"], "expressions": {}, "windows": []}


class World:
    """One installation under one home, with the data of the story beside it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = Settings(home=home)

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.settings)

    def source(self, **switches: Any) -> Path:
        path = self.home / f"cards{''.join(sorted(switches))}.csv"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_cards(path, months=[1], seed=7, customers=400, **switches)
        return path

    def arguments(self, **changes: Any) -> dict[str, Any]:
        values = {**yaml.safe_load(CONFIG.read_text(encoding="utf-8")), "source": str(self.source()), "strategy": "direct", **changes}
        return CompiledPipeline.read(pipeline_path("delivery")).arguments(values)

    def run(self, on_event: Callable[..., None] = lambda event, step: None, **changes: Any) -> LocalRun:
        before = os.environ.get("RATCHET_HOME")
        os.environ["RATCHET_HOME"] = str(self.home)
        try:
            return submit_local(CompiledPipeline.read(pipeline_path("delivery")), self.arguments(**changes), on_event=on_event)
        finally:
            if before is None:
                del os.environ["RATCHET_HOME"]
            else:
                os.environ["RATCHET_HOME"] = before

    def aliases(self) -> dict[str, str]:
        with open_client(self.settings) as client:
            return {alias: str(version) for alias, version in client.get_registered_model(NAME).aliases.items()}


@dataclass(frozen=True)
class After:
    """What a run left: how it ended, the deployment, MLflow's aliases."""

    run: LocalRun
    deployment: Deployment
    aliases: dict[str, str]


def after(world: World, run: LocalRun) -> After:
    return After(run, world.ledger.deployment(NAME), world.aliases())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def first(world: World) -> After:
    return after(world, world.run(**BLIND))


@pytest.fixture(scope="module")
def killed(world: World, first: After) -> After:
    """A run with a better model, its whole process group killed as soon as the model is registered."""

    def kill(event: Event, step: object) -> None:
        if isinstance(event, StepEnded) and event.step == "register":
            runner = next(child for child in psutil.Process().children() if "ratchet.submit.runner" in child.cmdline())
            for process in [runner, *runner.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    return after(world, world.run(on_event=kill))


@pytest.fixture(scope="module")
def better(world: World, killed: After) -> After:
    return after(world, world.run())


@pytest.fixture(scope="module")
def equal(world: World, better: After) -> After:
    return after(world, world.run())


@pytest.fixture(scope="module")
def worse(world: World, equal: After) -> After:
    return after(world, world.run(**BLIND))


@pytest.fixture(scope="module")
def invalid(world: World, worse: After) -> After:
    return after(world, world.run(source=str(world.source(fault=True))))


@pytest.fixture(scope="module")
def damaged(world: World, invalid: After) -> After:
    """The better model once more, after a rollback by hand; its stored package loses a byte the moment it is promoted."""
    rollback_now(NAME, who="test", why="to promote it again", settings=world.settings)
    ledger, before = world.ledger, world.ledger.deployment(NAME).generation
    stop = threading.Event()

    def damage() -> None:
        while not stop.wait(0.005):
            now = ledger.deployment(NAME)
            if now.generation > before and now.champion:
                stored = next(Path(now.champion.uri.removeprefix("file://")).rglob("model.cbm"))
                stored.write_bytes(stored.read_bytes()[:-1])
                return

    watcher = threading.Thread(target=damage)
    watcher.start()
    try:
        return after(world, world.run())
    finally:
        stop.set()
        watcher.join()


def test_the_first_model_that_beats_the_naive_guess_is_promoted(first: After) -> None:
    assert (first.run.outcome, first.run.exit_status) == ("promoted", 0)
    assert first.deployment.champion is not None
    assert first.aliases["champion"] == first.deployment.champion.version == "1"
    assert first.run.output("verify", "verdict") == "healthy"


def test_a_run_killed_after_registering_leaves_the_champion(first: After, killed: After) -> None:
    assert (killed.run.outcome, killed.run.exit_status) == ("error", 1)
    assert killed.deployment.champion == first.deployment.champion
    assert killed.aliases["champion"] == "1"


def test_a_better_model_is_promoted_and_the_killed_run_cost_no_second_version(better: After, first: After) -> None:
    assert (better.run.outcome, better.run.exit_status) == ("promoted", 0)
    assert better.deployment.champion is not None
    assert better.deployment.champion.version == "2"
    assert better.deployment.previous == first.deployment.champion
    assert better.aliases["champion"] == "2"
    assert better.aliases["previous"] == "1"
    assert better.run.output("compare", "loss_challenger") < better.run.output("compare", "loss_champion")


def test_the_same_model_again_is_rejected(equal: After, better: After) -> None:
    assert (equal.run.outcome, equal.run.exit_status) == ("rejected", 0)
    assert equal.run.output("compare", "loss_challenger") == equal.run.output("compare", "loss_champion")
    assert equal.deployment == better.deployment


def test_a_worse_model_is_rejected_with_the_losses_in_the_reason(worse: After, better: After) -> None:
    assert (worse.run.outcome, worse.run.exit_status) == ("rejected", 0)
    assert worse.run.output("compare", "loss_challenger") > worse.run.output("compare", "loss_champion")
    assert worse.deployment == better.deployment


def test_invalid_data_ends_the_run_with_the_reason(invalid: After, better: After) -> None:
    assert (invalid.run.outcome, invalid.run.exit_status) == ("invalid", 3)
    assert "amount" in invalid.run.reason
    assert [step.name for step in invalid.run.steps if step.name.startswith("train")] == []
    assert invalid.deployment == better.deployment


def test_a_champion_damaged_after_promotion_is_rolled_back(damaged: After, first: After) -> None:
    assert (damaged.run.outcome, damaged.run.exit_status) == ("rolled back", 4)
    assert "rollback" in [step.name for step in damaged.run.steps], "a step of its own does it, before the exit task would"
    assert damaged.deployment.champion == first.deployment.champion
    assert damaged.aliases["champion"] == "1"


def test_that_time_moved_on_is_no_drift(equal: After) -> None:
    assert equal.run.output("drift-check", "verdict") == "stable"
    page = (equal.run.folder / "reports" / "drift-check-report.html").read_text(encoding="utf-8")
    assert "time by 1.000" not in page


def test_the_whole_story_is_in_a_chain_that_verifies(world: World, damaged: After) -> None:
    world.ledger.verify_chain(NAME)
    actions = [row.action for row in world.ledger.history(NAME)]
    assert actions == ["promote", "promote", "rollback", "promote", "rollback"]


def test_each_run_leaves_a_page_that_links_to_its_reports(better: After) -> None:
    page = better.run.report.read_text(encoding="utf-8")
    for step in ("validate", "drift-check", "train-boosting", "evaluate", "compare"):
        assert f"reports/{step}-report.html" in page or f"reports/{step}-curve.html" in page
