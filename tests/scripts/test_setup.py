"""`make setup` where it cannot succeed: the message says what is missing and how to get it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[2] / "scripts/setup"


@pytest.fixture
def machine(tmp_path):
    """A machine whose only Python is what the test puts there."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "env"):
        (tools / name).symlink_to(shutil.which(name))
    (tmp_path / "scripts").mkdir()
    shutil.copy(SETUP, tmp_path / "scripts/setup")
    return tmp_path


def set_up(machine, python3=""):
    if python3:
        (machine / "bin/python3").write_text(f"#!/usr/bin/env bash\n{python3}\n")
        (machine / "bin/python3").chmod(0o755)
    environment = {"PATH": str(machine / "bin"), "HOME": os.environ.get("HOME", "/")}
    return subprocess.run([machine / "scripts/setup"], env=environment, capture_output=True, text=True)


def test_without_python_it_asks_for_one(machine):
    done = set_up(machine)
    assert done.returncode == 1
    assert "no Python 3.11 or later" in done.stderr


def test_an_old_python_is_named_and_refused(machine):
    done = set_up(machine, 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    assert done.returncode == 1
    assert "python3 is 'Python 3.9.2'" in done.stderr
    assert "make setup PYTHON=" in done.stderr
    assert not (machine / ".venv").exists()


def test_a_python_without_venv_is_told_which_package_brings_it(machine):
    done = set_up(machine, 'case "$2" in *ensurepip*) exit 1;; esac')
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (machine / ".venv").exists()
