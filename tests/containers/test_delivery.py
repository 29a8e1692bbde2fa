"""The main jobs with each step in a container of its image, beside the same jobs in subprocesses: the same data, model and verdicts.

kfp's DockerRunner counts a container that vanished as a success, so what is looked at is what the steps left.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.images import image
from ratchet.catalog import pipeline_path
from ratchet.data.cards import write_cards
from ratchet.delivery.deployment import Deployment
from ratchet.delivery.ledger import Ledger
from ratchet.settings import Settings
from ratchet.submit.events import outputs_of
from ratchet.submit.local import submit_local
from ratchet.submit.parameters import CompiledPipeline

pytestmark = pytest.mark.containers
ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "pipelines/delivery/configs/card_transactions.yaml"
NAME = "card-fraud"
FAMILIES = ("tabular", "deep")
TRAINED = {"delivery": "train-boosting", "autoencoder_delivery": "train-autoencoder"}  # the step that makes the model
BRIEF = {"delivery": {}, "autoencoder_delivery": {"epochs": 3}}


@dataclass(frozen=True)
class Ran:
    """What a run left: its artifacts' folder, its log, and the deployment."""

    folder: Path
    log: str
    deployment: Deployment
    outcome: str

    def outputs(self, step: str) -> dict[str, Any]:
        return outputs_of(self.folder, step)

    def metadata(self, step: str, artifact: str) -> dict[str, Any]:
        (path,) = self.folder.glob(f"*/{step}/executor_output.json")
        return json.loads(path.read_text(encoding="utf-8"))["artifacts"][artifact]["artifacts"][0]["metadata"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "cards.csv"
    write_cards(path, months=[1], seed=7, customers=400)
    return path


@pytest.fixture(scope="module", params=list(TRAINED))
def job(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def arguments(job: str, source: Path, home: Path) -> dict[str, Any]:
    """The story's parameters, and settings from a file, which reaches a step wherever it runs."""
    home.mkdir()
    settings = home / "settings.yaml"
    settings.write_text(yaml.safe_dump({"home": str(home)}), encoding="utf-8")
    values = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return {**values, **BRIEF[job], "source": str(source), "strategy": "direct", "settings": str(settings)}


@pytest.fixture(scope="module")
def in_subprocesses(job: str, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("laptop") / "home"
    pipeline = CompiledPipeline.read(pipeline_path(job))
    run = submit_local(pipeline, pipeline.arguments(arguments(job, source, home)))
    return Ran(run.folder, run.log.read_text(encoding="utf-8"), Ledger.open(Settings(home=home)).deployment(NAME), run.outcome)


@pytest.fixture(scope="module")
def in_containers(job: str, built: Callable[[str], str], source: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("containers")
    home, root = folder / "home", folder / "artifacts"
    asked = arguments(job, source, home)
    root.mkdir()
    for writable in (home, root):
        writable.chmod(0o777)  # the images run as a user of their own
    text = pipeline_path(job).read_text(encoding="utf-8")
    for family in FAMILIES:
        text = text.replace(image(family), built(family))
    compiled = folder / f"{job}.yaml"
    compiled.write_text(text, encoding="utf-8")
    request = folder / "request.json"
    mounts = {str(source): True, str(home): False}
    request.write_text(json.dumps({"pipeline": str(compiled), "arguments": asked, "root": str(root), "mounts": mounts}), encoding="utf-8")
    command = [sys.executable, "-u", "-m", "tests.containers.runner", str(request)]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    ledger = Ledger.open(Settings(home=home))
    run_id = str(outputs_of(root, "champion")["run_id"])
    return Ran(root, done.stdout, ledger.deployment(NAME), ledger.outcome(run_id).word)


def test_every_step_ran_in_its_image(job: str, in_containers: Ran, in_subprocesses: Ran, built: Callable[[str], str]) -> None:
    steps = {path.parent.name for path in in_subprocesses.folder.glob("*/*/executor_output.json")}
    assert steps == {path.parent.name for path in in_containers.folder.glob("*/*/executor_output.json")}
    assert {"ingest", TRAINED[job], "register", "promote", "verify", "conclude"} <= steps
    deep = int(job == "autoencoder_delivery")
    assert in_containers.log.count(f"Found image '{built('tabular')}'") == len(steps) - deep
    assert in_containers.log.count(f"Found image '{built('deep')}'") == deep


def test_the_data_are_the_same(in_containers: Ran, in_subprocesses: Ran) -> None:
    digest = in_containers.metadata("ingest", "data")["content_digest"]
    assert digest.startswith("rows:")
    assert digest == in_subprocesses.metadata("ingest", "data")["content_digest"]


def test_the_model_is_the_same(in_containers: Ran, in_subprocesses: Ran) -> None:
    assert in_containers.deployment.champion is not None
    assert in_subprocesses.deployment.champion is not None
    assert in_containers.deployment.champion.digest == in_subprocesses.deployment.champion.digest


def test_the_verdicts_and_the_losses_are_the_same(in_containers: Ran, in_subprocesses: Ran) -> None:
    assert (in_containers.outcome, in_subprocesses.outcome) == ("promoted", "promoted")
    for step in ("validate", "compare", "verify"):
        assert in_containers.outputs(step) == in_subprocesses.outputs(step)


def test_what_the_containers_wrote_is_their_user_s(in_containers: Ran) -> None:
    assert {path.stat().st_uid for path in in_containers.folder.glob("*/*/executor_output.json")} == {10001}
