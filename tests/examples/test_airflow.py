"""The DAG, run by a real Airflow in an environment of its own, submitting to a Kubeflow on the loopback."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kubeflow import Kubeflow

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/airflow"
LOCK = EXAMPLE / "requirements.txt"
ENVIRONMENT = ROOT / ".airflow"
CONF = {"model_name": "card-fraud", "dataset_path": "/lake/transactions/2026-11.parquet"}
INSIDE = """
import datetime, json
import ratchet_delivery as example
from airflow.sdk.api.datamodels._generated import AssetReferenceAssetEventDagRun
from airflow.sdk.execution_time.comms import AssetEventDagRunReferenceResult
from airflow.sdk.execution_time.context import TriggeringAssetEventsAccessor

def updated(**extra):  # what a task finds when its run was triggered by an update of the asset
    asset = AssetReferenceAssetEventDagRun(name=example.TRANSACTIONS.name, uri=example.TRANSACTIONS.uri, extra={})
    when = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    nobody = {f"source_{name}": None for name in ("task_id", "dag_id", "run_id", "map_index")}
    return AssetEventDagRunReferenceResult(asset=asset, extra=extra, source_aliases=[], timestamp=when, **nobody)

dag = example.ratchet_delivery()
events = TriggeringAssetEventsAccessor.build([updated(dataset_path="/lake/old.csv"), updated(dataset_path="/lake/new.csv")])
nothing = TriggeringAssetEventsAccessor.build([])
print(json.dumps({
    "timetable": type(dag.timetable).__name__,
    "asset": example.TRANSACTIONS.uri,
    "catchup": dag.catchup,
    "schedule": example.command(nothing, {"model_name": "", "dataset_path": ""}),
    "event": example.command(events, {"model_name": "", "dataset_path": ""}),
    "both": example.command(events, {"model_name": "card-fraud", "dataset_path": "by-hand.csv"}),
}))
"""

Airflow = Callable[..., subprocess.CompletedProcess[str]]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def airflow_environment() -> Path:
    """The environment's programs, installed once for each lock."""
    installed = ENVIRONMENT / "installed"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not installed.is_file() or installed.read_text(encoding="utf-8") != digest:
        ENVIRONMENT.mkdir(exist_ok=True)
        (ENVIRONMENT / ".gitignore").write_text("*\n", encoding="utf-8")
        uv = [sys.executable, "-m", "uv", "--quiet"]
        made = run(*uv, "venv", "--clear", "--python", sys.executable, str(ENVIRONMENT / "venv"))
        if made.returncode == 0:  # named by its interpreter: `python -m uv` takes VIRTUAL_ENV to be the one that it runs in itself
            into = ["--python", str(ENVIRONMENT / "venv/bin/python")]
            made = run(*uv, "pip", "install", *into, "--require-hashes", "-r", str(LOCK))
        if made.returncode:
            pytest.skip(f"Airflow could not be installed: {made.stderr.strip().splitlines()[-1:]}")
        installed.write_text(digest, encoding="utf-8")
    return ENVIRONMENT / "venv/bin"


@pytest.fixture
def airflow(airflow_environment: Path, tmp_path: Path) -> Airflow:
    """A command of Airflow, whose state lies under a temporary folder and whose DAGs are the example's."""
    surroundings = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLE),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "NO_PROXY": "127.0.0.1,localhost",
        "PATH": f"{airflow_environment}:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(EXAMPLE),
        "PYTHONWARNINGS": "ignore",
        "RATCHET_COMMAND": str(Path(sys.executable).parent / "ratchet"),
        "RATCHET_DELIVERY_CONFIG": str(tmp_path / "delivery.yaml"),
    }
    return lambda program, *arguments: run(str(airflow_environment / program), *arguments, **surroundings)


@pytest.fixture
def kubeflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kubeflow]:
    """The server, named in the configuration that the DAG submits with; its runs write to the ledger that is asked for the outcome."""
    monkeypatch.setenv("RATCHET_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path / "home"))
    with Kubeflow() as server:
        place = {"host": server.url, "poll": "1s"}
        parameters = {"target": "fraud", "model": "default", "source": "/lake/default.csv", "kubeflow": place}
        (tmp_path / "delivery.yaml").write_text(json.dumps(parameters), encoding="utf-8")
        yield server


def test_the_lock_has_a_hash_for_each_package_and_names_no_index() -> None:
    text = LOCK.read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9._-]+(?:\[[^]]*\])?==[^\n]*\\\n    --hash", text, re.MULTILINE)
    assert len(pins) == len([line for line in text.splitlines() if line and line[0] not in " #"])
    assert "://" not in text


@pytest.mark.slow
def test_it_runs_on_a_schedule_on_a_data_event_and_on_a_person_s_word(airflow: Airflow) -> None:
    done = airflow("python", "-c", INSIDE)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["timetable"], said["asset"], said["catchup"]) == ("AssetOrTimeSchedule", "file:///lake/transactions", False)
    assert "-p" not in said["schedule"]
    assert said["event"][-2:] == ["-p", "source=/lake/new.csv"]
    assert said["both"][-4:] == ["-p", "model=card-fraud", "-p", "source=by-hand.csv"]


@pytest.mark.slow
@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("verdict", "state", "told"),
    [("rejected", "success", "rejected"), ("invalid", "failed", "ratchet submit ended with 3: the data is invalid")],
)
def test_it_submits_with_the_conf_and_ends_as_the_run_ended(
    airflow: Airflow, kubeflow: Kubeflow, verdict: str, state: str, told: str
) -> None:
    kubeflow.plays = kubeflow.deciding("hold", verdict, "as the test asked")
    assert airflow("airflow", "db", "migrate").returncode == 0
    done = airflow("airflow", "dags", "test", "ratchet_delivery", "-c", json.dumps(CONF))
    said = done.stdout + done.stderr
    assert f"state={state}" in said, said
    assert told in said
    (started,) = kubeflow.runs.values()
    wanted = {"model": CONF["model_name"], "source": CONF["dataset_path"], "target": "fraud"}
    assert started["runtime_config"]["parameters"] == wanted
