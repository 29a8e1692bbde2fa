"""What a wrong command line is told, before anything runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


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
