"""`scripts/engine` where an engine answers, and where none can: the message says what is missing."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.scripts.engines import Engine

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/engine"


def run(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *arguments], env={**os.environ, "PATH": path}, capture_output=True, text=True)


def test_an_engine_that_answers_is_taken_as_it_is(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "bin")
    path = engine.environment["PATH"]
    assert run(path, "check").returncode == 0
    done = run(path, "run", "sh", "-c", 'echo "host: ${DOCKER_HOST-unset}"; exit 7')
    assert done.returncode == 7
    assert done.stdout == f"host: {os.environ.get('DOCKER_HOST', 'unset')}\n"
    assert set(engine.asked) == {"info"}


def test_without_docker_it_says_which_package_brings_it(tmp_path: Path) -> None:
    for name in ("bash", "env"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    for arguments in (["check"], ["run", "true"]):
        done = run(str(tmp_path), *arguments)
        assert done.returncode == 1
        assert "no docker command; on Debian: apt-get install docker.io" in done.stdout + done.stderr


def test_an_engine_that_does_not_answer_and_cannot_be_started_is_told(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "bin")
    engine.answer("info", "Cannot connect to the Docker daemon", 1)
    for name in ("bash", "env", "id"):
        (engine.folder / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run([SCRIPT, "check"], env={"PATH": str(engine.folder)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.startswith("no container engine answers, and ")
