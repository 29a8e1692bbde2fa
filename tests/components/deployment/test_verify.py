"""The face of verify: the word that the pipeline branches on, and a summary with the numbers."""

import pytest
from kfp.dsl import Markdown

from components.deployment.verify.component import verify

pytestmark = pytest.mark.slow


def test_an_intact_champion_is_healthy_and_a_cut_one_asks_for_a_rollback(runs):
    runs.promoted("run-1")
    summary = runs.output(Markdown, "summary")
    verdict, reason = verify.python_func(summary=summary, model="fraud", run_id="run-1", settings=runs.settings)
    assert verdict == "healthy"
    assert "100 recorded rows as recorded" in reason
    assert "| largest difference | 0 |" in runs.read(summary)

    runs.damage("1")
    verdict, reason = verify.python_func(summary=summary, model="fraud", run_id="run-2", settings=runs.settings)
    assert verdict == "rollback"
    assert "model.cbm" in reason
    assert runs.read(summary).startswith("## Verify: rollback")
