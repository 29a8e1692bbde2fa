"""A house with nothing in it but the scripts, so that a test can build in it and break it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = [
    "pyproject.toml",
    "images.lock.yaml",
    "scripts",
    "components/images.py",
    "pipelines/kubeflow.py",
    "ratchet/__init__.py",
    "ratchet/errors.py",
]
PIPELINE = """from kfp import dsl

from components.data_processing.row_count.component import row_count


@dsl.pipeline
def counting(uri: str):
    data = dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset)
    row_count(data=data.output)
"""


@pytest.fixture
def empty_house(tmp_path) -> Path:
    """A copy of the checkout without components, pipelines or anything compiled."""
    for name in KEPT:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    (tmp_path / "components/catalogue.yaml").write_text("")
    (tmp_path / "ratchet/data").mkdir()
    (tmp_path / "ratchet/data/__init__.py").touch()
    return tmp_path


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run this Python in a folder: ``python(folder, "-m", "scripts.compile")``."""

    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder)}
        return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)

    return run


@pytest.fixture
def house(empty_house, python) -> Path:
    """The same with one component and one pipeline, compiled."""
    made = python(empty_house, "-m", "scripts.new_component", "row_count", "data_processing")
    assert made.returncode == 0, made.stderr
    (empty_house / "pipelines/counting").mkdir(parents=True)
    (empty_house / "pipelines/counting/pipeline.py").write_text(PIPELINE)
    written = python(empty_house, "-m", "scripts.compile")
    assert written.returncode == 0, written.stderr
    return empty_house
