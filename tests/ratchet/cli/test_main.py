"""The command as a whole: its verbs, and an error as one line."""

import os
import subprocess
import sys
from pathlib import Path

from ratchet import __version__


def ratchet(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RATCHET_HOME": str(home)}
    command = [sys.executable, "-m", "ratchet.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_help_names_every_verb(tmp_path: Path) -> None:
    text = ratchet("--help", home=tmp_path).stdout
    for verb in ("submit", "schedule", "status", "history", "promote", "runs", "rollback", "audit", "sample", "serve", "diff"):
        assert verb in text


def test_an_error_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = ratchet("rollback", "fraud", home=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_version_can_be_asked(tmp_path: Path) -> None:
    done = ratchet("--version", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"ratchet {__version__}\n")


def test_a_missing_extra_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("model: fraud\nkubeflow: {host: 'http://127.0.0.1:9'}\n")
    arguments = ["ratchet", "submit", "rollout", "--on", "kubeflow", "--config", str(config), "--no-wait"]
    code = f"import sys; sys.modules['kfp'] = None; sys.argv = {arguments!r}; from ratchet.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: kfp is not installed; pip install 'kfp-ratchet[kubeflow]'\n")
