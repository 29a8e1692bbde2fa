"""A Kubeflow server on the loopback, a ledger that both its runs and the client use, and patience that does not wait."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ratchet.catalog import pipeline_path
from ratchet.submit.kubeflow.calls import Patience
from ratchet.submit.parameters import CompiledPipeline
from tests.kubeflow import Kubeflow
from tests.ratchet.submit.tiny import TINY


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real ledger of this test's own."""
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RATCHET_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.db'}")


@pytest.fixture
def kubeflow(ledger: None) -> Iterator[Kubeflow]:
    """The server; its runs find the data no better, unless a test says otherwise."""
    with Kubeflow() as server:
        server.plays = server.deciding("hold", "rejected", "no better than the champion")
        yield server


@pytest.fixture
def place(kubeflow: Kubeflow) -> dict[str, Any]:
    """The section ``kubeflow`` of a configuration."""
    return {"host": kubeflow.url, "experiment": "fraud", "poll": "0", "timeout": "1h"}


@pytest.fixture
def rollout() -> CompiledPipeline:
    """The small recurring pipeline, as Kubeflow is given it."""
    return CompiledPipeline.read(pipeline_path("rollout", kubeflow=True))


@pytest.fixture
def patience() -> Patience:
    """Tries as often as ever, and does not wait in between."""
    return Patience(sleep=lambda seconds: None)


@pytest.fixture
def tiny(tmp_path: Path) -> CompiledPipeline:
    """A portable pipeline of one step."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return CompiledPipeline.read(path)
