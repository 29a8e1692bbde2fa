"""What a wrong command line is told, before anything runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a process for each command


def ratchet(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RATCHET_HOME": str(home), "COLUMNS": "120"}
    command = [sys.executable, "-m", "ratchet.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["delivry"], "no pipeline 'delivry' in the catalogue; did you mean 'delivery'?"),
        (["delivery", "-p", "sorce=a.csv"], "no parameter 'sorce'; did you mean 'source'?"),
        (["delivery", "-p", "source=a.csv"], "needs 'model', 'target'; give -p model=…, -p target=…"),
        (["delivery", "-p", "source=a.csv", "-p", "target=y", "-p", "model=m", "-p", "seed=many"], "it must be a whole number"),
        (["delivery", "-p", "source"], "is not of the form name=value"),
        (["delivery", "--config", "absent.yaml"], "'absent.yaml' cannot be read"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = ratchet("submit", *arguments, home=tmp_path / "home")
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home" / "runs").exists()


def test_the_parameters_can_be_listed(tmp_path: Path) -> None:
    done = ratchet("submit", "delivery", "--parameters", home=tmp_path)
    assert done.returncode == 0
    assert "holdout_share" in done.stdout
    assert "a number, default 0.2" in done.stdout


def test_a_dry_run_here_prints_the_request_and_runs_nothing(tmp_path: Path) -> None:
    given = ["-p", "source=a.csv", "-p", "target=y", "-p", "model=m", "-p", "seed=3"]
    done = ratchet("submit", "delivery", *given, "--dry-run", home=tmp_path / "home")
    request = json.loads(done.stdout)
    assert request["pipeline"].endswith("compiled/pipelines/delivery.yaml")
    assert request["arguments"] == {"source": "a.csv", "target": "y", "model": "m", "seed": 3}
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "given", [["source=postgresql://me:hunter2@h/db"], ["source=a.csv", 'join={"source": "mysql://me:hunter2@h/db", "on": "k"}']]
)
def test_a_password_is_refused_before_it_stands_in_a_file_of_the_run(tmp_path: Path, given: list[str]) -> None:
    pairs = [part for pair in (*given, "target=y", "model=m") for part in ("-p", pair)]
    done = ratchet("submit", "delivery", *pairs, home=tmp_path / "home")
    assert done.returncode == 1
    assert "holds a password; put the whole URL into a variable" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert not (tmp_path / "home").exists()


def test_a_place_that_is_none_is_told_with_those_there_are(tmp_path: Path) -> None:
    done = ratchet("submit", "delivery", "--on", "loca", home=tmp_path)
    assert done.returncode == 2
    for place in ("local", "kubeflow", "vertex"):
        assert f"'{place}'" in done.stderr
