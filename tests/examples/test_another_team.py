"""The other team's pipeline, compiled from a server of components as a release has them, and run on readings of two days."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from ratchet import catalog

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/another_team/pipeline.py"
RUN = """
import json, sys, warnings
from kfp import components, local
warnings.filterwarnings("ignore", message="You may be attemping to run a task")  # kfp suspects an image whose name lacks "python"
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root="outputs")
print(components.load_component_from_file("sensors.yaml")(last_month=sys.argv[1], today=sys.argv[2]).output)
"""


class Quiet(SimpleHTTPRequestHandler):
    """The files of a folder, and the paths that were asked for."""

    asked: list[str]

    def log_message(self, format: str, *arguments: object) -> None:
        """Remember the path instead of printing it."""
        self.asked.append(self.path)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    """The compiled pipeline, and what compiling it asked of the server."""
    asked: list[str] = []
    handler = type("Handler", (Quiet,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(ROOT / "compiled/components")))
    Thread(target=server.serve_forever, daemon=True).start()
    path = tmp_path_factory.mktemp("sensors") / "sensors.yaml"
    try:
        python([str(EXAMPLE), str(path)], path.parent, BASE_URL=f"http://127.0.0.1:{server.server_port}")
        yield path, asked
    finally:
        server.shutdown()
        server.server_close()


def python(arguments: list[str], folder: Path, **environment: str) -> str:
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "RATCHET_HOME": str(folder / "home"), **environment}
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def readings(path: Path, offset: float) -> str:
    rows = [f"{number},{20 + offset + number % 10 / 10},{'north' if number % 3 else 'south'}" for number in range(600)]
    path.write_text("\n".join(["reading,temperature,site", *rows]) + "\n", encoding="utf-8")
    return str(path)


def test_it_loads_two_components_by_url_at_a_release_tag() -> None:
    source = EXAMPLE.read_text(encoding="utf-8")
    assert "https://raw.githubusercontent.com/kfp-ratchet/ratchet/v" in source
    assert source.count("load_component_from_url(") == 2
    assert source.count("catalog.load(") == 1


@pytest.mark.slow
def test_by_url_and_from_the_catalogue_a_step_is_the_one_that_was_released(compiled: tuple[Path, list[str]]) -> None:
    path, asked = compiled
    assert asked == ["/ingest.yaml", "/champion.yaml"]
    steps = yaml.safe_load(path.read_text(encoding="utf-8"))["deploymentSpec"]["executors"]
    for name in ("ingest", "champion", "drift_check"):
        released = yaml.safe_load(catalog.path(name).read_text(encoding="utf-8"))["deploymentSpec"]["executors"]
        label = f"exec-{name.replace('_', '-')}"
        assert steps[label] == released[label]


@pytest.mark.pipeline
@pytest.mark.parametrize(("offset", "said"), [(0.0, "stable: 0%"), (5.0, "drifted: 33%")])
def test_the_team_is_told_whether_its_sensors_moved(compiled: tuple[Path, list[str]], tmp_path: Path, offset: float, said: str) -> None:
    (tmp_path / "sensors.yaml").write_bytes(compiled[0].read_bytes())
    printed = python(["-c", RUN, readings(tmp_path / "month.csv", 0.0), readings(tmp_path / "today.csv", offset)], tmp_path)
    assert printed.splitlines()[-1] == f"The sensors are {said} of the columns moved."
