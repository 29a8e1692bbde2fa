"""The face of rollback: what the run promoted is taken back, once."""

import pytest
from kfp.dsl import Markdown

from components.deployment.rollback.component import rollback


@pytest.mark.slow
def test_what_the_run_promoted_is_taken_back(runs):
    runs.promoted("run-1")
    arguments = {"summary": runs.output(Markdown, "summary"), "model": "fraud", "why": "does not load", "settings": runs.settings}
    assert rollback.python_func(run_id="run-1", **arguments) == ("", "rolled back", "does not load")
    assert rollback.python_func(run_id="run-1", **arguments) == ("", "rolled back", "does not load")
    assert runs.read(arguments["summary"]).startswith("## Roll back: rolled back")
    assert [row.action for row in runs.ledger.history("fraud")] == ["promote", "rollback"]
    assert runs.ledger.outcome("run-1").exit_status == 4
