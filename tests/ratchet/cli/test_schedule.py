"""``ratchet schedule``: the command as CI gives it, against a server on the loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.kubeflow import Fault, Kubeflow

pytestmark = pytest.mark.slow  # a real client and a server


@pytest.fixture
def server() -> Iterator[Kubeflow]:
    with Kubeflow() as found:
        yield found


@pytest.fixture
def config(server: Kubeflow, tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"model": "fraud", "kubeflow": {"host": server.url}}))
    return path


def schedule(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ratchet.cli.main", "schedule", "rollout", "hourly", "--on", "kubeflow", "--config", str(config)]
    environment = {**os.environ, "RATCHET_HOME": str(config.parent / "home"), "COLUMNS": "120"}
    return subprocess.run([*command, *arguments], capture_output=True, text=True, env=environment, check=False)


def test_a_schedule_is_made_and_the_next_takes_its_place(server: Kubeflow, config: Path) -> None:
    first = schedule(config, "--every", "1h")
    assert (first.returncode, first.stderr) == (0, "")
    assert "recurring run 'hourly' made" in first.stdout
    second = schedule(config, "--cron", "0 * * * *", "-p", "wait=10m")
    assert second.returncode == 0
    (left,) = server.recurring_runs.values()
    assert left["trigger"] == {"cron_schedule": {"cron": "0 0 * * * *"}}
    assert left["runtime_config"]["parameters"] == {"model": "fraud", "wait": "10m"}


def test_one_file_serves_several_pipelines(server: Kubeflow, config: Path) -> None:
    config.write_text(yaml.safe_dump({"source": "gs://b/x.csv", "target": "y", **yaml.safe_load(config.read_text())}))
    done = schedule(config, "--every", "1h")
    assert done.returncode == 0
    assert done.stderr == f"{config}: left out what only other pipelines take: source, target\n"
    (made,) = server.recurring_runs.values()
    assert made["runtime_config"]["parameters"] == {"model": "fraud"}
    assert "no parameter 'source'" in schedule(config, "--every", "1h", "-p", "source=x").stderr


def test_a_removal_that_fails_is_exit_status_1_and_the_same_again_mends_it(server: Kubeflow, config: Path) -> None:
    schedule(config, "--every", "1h")
    server.faults["delete recurring run"] = [Fault(403)]
    done = schedule(config, "--every", "2h")
    assert done.returncode == 1
    assert "give the command again" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert schedule(config, "--every", "2h").returncode == 0
    assert len(server.recurring_runs) == 1


def test_a_dry_run_prints_json_and_does_nothing(server: Kubeflow, config: Path) -> None:
    done = schedule(config, "--every", "1h", "--dry-run")
    assert json.loads(done.stdout)["recurring_run"]["trigger"] == {"periodic_schedule": {"interval_second": "3600"}}
    assert not server.asked


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "a schedule needs one of --cron and --every"),
        (["--cron", "@daily", "-p", "modl=x"], "no parameter 'modl'; did you mean 'model'?"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_is_asked(server: Kubeflow, config: Path, arguments: list[str], says: str) -> None:
    done = schedule(config, *arguments)
    assert done.returncode == 1
    assert says in done.stderr
    assert not server.asked
