"""What other people install: the wheel, with the compiled components in it, away from any checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ratchet import catalog

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Path:
    """A folder with the built wheel installed into it, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    into = ["--python", sys.executable, "--target", str(folder / "site")]
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", *into, str(wheel)]
    subprocess.run(install, cwd=folder, check=True, capture_output=True)
    return folder


def run(elsewhere: Path, code: str, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(elsewhere / "site"), "RATCHET_HOME": str(elsewhere / "home")}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_s_catalogue_is_the_checkout_s(elsewhere):
    code = "from ratchet import catalog; print(catalog.__file__, *catalog.names(), *catalog.pipeline_names())"
    file, *names = run(elsewhere, code).split()
    assert Path(file).is_relative_to(elsewhere)
    assert tuple(names) == (*catalog.names(), *catalog.pipeline_names())


@pytest.mark.slow
def test_the_wheel_has_the_files_for_each_place(elsewhere):
    code = "from ratchet.catalog import pipeline_path as path; print(path('delivery'), path('delivery', kubeflow=True))"
    for file, kubeflow in zip(run(elsewhere, code).split(), (False, True), strict=True):
        assert Path(file).is_relative_to(elsewhere)
        assert Path(file).read_bytes() == catalog.pipeline_path("delivery", kubeflow=kubeflow).read_bytes()


def test_a_component_from_the_wheel_is_the_checkout_s(elsewhere):
    code = "from ratchet import catalog; print(catalog.load('drift_check').component_spec)"
    assert run(elsewhere, code).strip() == str(catalog.load("drift_check").component_spec)


ANOTHER_TEAM = """
import sys
from kfp import dsl, local
from ratchet import catalog

champion, ingest, drift_check = map(catalog.load, ("champion", "ingest", "drift_check"))

@dsl.pipeline
def nightly(last_month: str, yesterday: str) -> str:
    live = champion(model="another-team", run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    reference = ingest(source=last_month)
    current = ingest(source=yesterday)
    drift = drift_check(reference=reference.outputs["data"], current=current.outputs["data"], model=live.outputs["package"])
    return drift.outputs["verdict"]

local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root="outputs")
print("verdict:", nightly(last_month=sys.argv[1], yesterday=sys.argv[2]).output)
"""


def readings(path: Path, offset: float) -> str:
    rows = [f"{number},{20 + offset + number % 10 / 10},{'north' if number % 3 else 'south'}" for number in range(600)]
    path.write_text("\n".join(["reading,temperature,site", *rows]) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.pipeline
@pytest.mark.parametrize(("offset", "verdict"), [(0.0, "stable"), (5.0, "drifted")])
def test_another_team_composes_and_runs_a_pipeline_of_its_own(elsewhere, tmp_path, offset, verdict):
    last_month, yesterday = readings(tmp_path / "month.csv", 0.0), readings(tmp_path / "day.csv", offset)
    printed = run(elsewhere, ANOTHER_TEAM, last_month, yesterday)
    assert f"verdict: {verdict}" in printed.splitlines()
