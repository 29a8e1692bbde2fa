"""The face of conclude: it finishes what was left, and ends well even where nothing works."""

import pytest
from kfp.dsl import Markdown

from components.deployment.conclude.component import conclude

pytestmark = pytest.mark.slow


def test_a_promotion_that_was_not_verified_is_taken_back(runs):
    runs.promoted("run-1")
    summary = runs.output(Markdown, "summary")
    conclude.python_func(summary=summary, model="fraud", run_id="run-1", settings=runs.settings)
    assert runs.read(summary).startswith("## Run: rolled back")
    assert runs.ledger.deployment("fraud").champion is None


def test_it_does_not_fail_where_the_settings_cannot_be_read(runs):
    summary = runs.output(Markdown, "summary")
    conclude.python_func(summary=summary, model="fraud", run_id="run-1", settings="/no/such/settings.yaml")
    assert runs.read(summary).startswith("## Run: error")
