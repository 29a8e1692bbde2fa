"""``ratchet submit --on kubeflow``: the command as CI gives it, against a server on the loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubeflow import Fault, Kubeflow

pytestmark = pytest.mark.slow  # a real client and a server


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kubeflow]:
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RATCHET_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    with Kubeflow() as found:
        yield found


@pytest.fixture
def config(server: Kubeflow, tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    section = {"host": server.url, "experiment": "fraud", "poll": "0"}
    parameters = {"source": "/mnt/ratchet/cards.csv", "target": "fraud", "model": "card-fraud"}
    path.write_text(yaml.safe_dump({**parameters, "kubeflow": section}))
    return path


def submit(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ratchet.cli.main", "submit", "delivery", "--on", "kubeflow", "--config", str(config), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "120"}, check=False)


@pytest.mark.parametrize(
    ("step", "verdict", "word", "status"),
    [("hold", "rejected", "rejected", 0), ("hold", "invalid", "invalid", 3), ("rollback", "rolled back", "rolled back", 4)],
)
def test_the_exit_status_is_the_ledger_s_word(server: Kubeflow, config: Path, step: str, verdict: str, word: str, status: int) -> None:
    server.plays = server.deciding(step, verdict, "because of this")
    done = submit(config, "-p", "seed=7")
    assert (done.returncode, done.stderr) == (status, "")
    (run,) = server.runs.values()
    assert done.stdout.endswith(f"{server.url}/#/runs/details/{run['run_id']}\n{word}\nbecause of this\n")
    assert run["runtime_config"]["parameters"]["seed"] == 7


def test_a_failed_run_is_exit_status_1(server: Kubeflow, config: Path) -> None:
    server.plays = server.failing("Train", "no column 'amuont'")
    done = submit(config)
    assert done.returncode == 1
    assert done.stdout.endswith("error\nstep 'Train' failed: no column 'amuont'\n")


@pytest.mark.parametrize("faults", [[Fault(401)], [Fault(403)], [Fault(404)], [Fault(409)]], ids=lambda faults: str(faults[0].status))
def test_a_refusal_is_one_line_and_exit_status_1(server: Kubeflow, config: Path, faults: list[Any]) -> None:
    server.faults["create run"] = faults
    done = submit(config)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: Kubeflow at {server.url} refused to start the run 'delivery card-fraud ")
    assert len(done.stderr.splitlines()) == 1
    assert not server.runs


def test_no_wait_ends_when_the_run_has_started(server: Kubeflow, config: Path) -> None:
    done = submit(config, "--no-wait")
    assert done.returncode == 0
    assert next(iter(server.runs)) in done.stdout
    assert not server.of_route("get run")


def test_a_dry_run_prints_json_and_asks_nobody(server: Kubeflow, config: Path) -> None:
    done = submit(config, "--dry-run")
    request = json.loads(done.stdout)
    assert request["host"] == server.url
    assert request["version"]["uploadfile"].endswith("compiled/kubeflow/delivery.yaml")
    assert request["run"]["runtime_config"]["parameters"]["target"] == "fraud"
    assert not server.asked


def test_a_wrong_parameter_is_refused_before_anything_is_asked(server: Kubeflow, config: Path) -> None:
    done = submit(config, "-p", "sorce=a.csv")
    assert done.returncode == 1
    assert "did you mean 'source'?" in done.stderr
    assert not server.asked


def test_a_wrong_setting_of_the_section_is_refused(server: Kubeflow, config: Path) -> None:
    config.write_text(config.read_text().replace("experiment:", "experimnt:"))
    done = submit(config)
    assert done.returncode == 1
    assert "kubeflow.experimnt is not a setting; did you mean 'experiment'?" in done.stderr
    assert not server.asked
