"""The small recurring pipeline, on the real runner: it goes on with what another run began, and leaves alone what it cannot judge."""

import pytest

from ratchet.catalog import pipeline_path
from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.delivery.policy import Policy
from ratchet.settings import Settings
from ratchet.submit.local import submit_local
from ratchet.submit.parameters import CompiledPipeline

pytestmark = pytest.mark.pipeline


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path))
    pipeline = CompiledPipeline.read(pipeline_path("rollout"))
    return lambda **given: submit_local(pipeline, pipeline.arguments({"model": "fraud", **given}), on_event=lambda event, step: None)


def test_a_rollout_without_evidence_stays_pending_for_a_later_run(run, tmp_path):
    ledger = Ledger.open(Settings(home=tmp_path))
    ledger.promote("fraud", ModelRef("1", "sha256:aa", "/nowhere/1/model"), generation=0, who="test", why="first")
    ledger.begin("fraud", ModelRef("2", "sha256:bb", "/nowhere/2/model"), Policy(), generation=1, who="test", why="try")
    done = run()
    assert (done.outcome, done.exit_status) == ("pending", 0)
    assert "cannot be read" in done.reason
    assert ledger.deployment("fraud").phase == "shadow"


def test_without_a_rollout_it_holds(run, tmp_path):
    Ledger.open(Settings(home=tmp_path)).promote("fraud", ModelRef("1", "sha256:aa", "/1"), generation=0, who="test", why="first")
    done = run()
    assert (done.outcome, done.exit_status) == ("held", 0)
    assert "no rollout of 'fraud' is under way" in done.reason
