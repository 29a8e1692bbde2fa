"""The face of advance_rollout: its word, and the report that says why."""

import pytest
from kfp.dsl import HTML, Markdown

from components.deployment.advance_rollout.component import advance_rollout
from ratchet.delivery.policy import Policy
from ratchet.errors import ExpressionError

pytestmark = pytest.mark.slow


def advance(runs, run_id, **more):
    runs.report = runs.output(HTML, f"{run_id}-rollout")
    runs.summary = runs.output(Markdown, f"{run_id}-summary")
    return advance_rollout.python_func(
        report=runs.report, summary=runs.summary, model="fraud", run_id=run_id, settings=runs.settings, **more
    )


def test_where_nothing_is_tried_the_run_holds(runs):
    runs.promoted("run-1")
    verdict, outcome, reason, version, generation, run_id = advance(runs, "run-2")
    assert (verdict, outcome, version, generation, run_id) == ("hold", "held", "", 1, "run-2")
    assert "no rollout of 'fraud' is under way" in reason
    assert "no rollout" in runs.read(runs.report)
    assert runs.read(runs.summary).startswith("## Rollout of fraud: hold")


def test_a_trial_without_traffic_is_pending_with_a_report(runs):
    runs.promoted("run-1")
    champion = runs.ledger.deployment("fraud").champion
    runs.ledger.begin("fraud", champion, Policy(), generation=1, who="test", why="try")
    verdict, outcome, reason, version, *_ = advance(runs, "run-2", as_of="2026-01-01")
    assert (verdict, outcome, version) == ("pending", "pending", "1")
    assert "no request has been recorded" in reason
    assert "Policy" in runs.read(runs.report)


def test_a_wait_that_is_no_duration_is_refused(runs):
    runs.promoted("run-1")
    with pytest.raises(ExpressionError, match="wait is 'a while'"):
        advance(runs, "run-2", wait="a while")
