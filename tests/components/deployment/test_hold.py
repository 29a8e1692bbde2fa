"""The face of hold: the reason is kept, the ledger's deployment untouched."""

import pytest
from kfp.dsl import Markdown

from components.deployment.hold.component import hold

pytestmark = pytest.mark.slow  # a real MLflow store


def test_the_first_reason_of_a_run_stands(runs):
    summary = runs.output(Markdown, "run-1-hold")
    arguments = {"summary": summary, "model": "fraud", "run_id": "run-1", "settings": runs.settings}
    assert hold.python_func(verdict="invalid", reason="'amount' is about 100 times larger", **arguments)[0] == "invalid"
    assert hold.python_func(verdict="rejected", reason="later", **arguments) == ("invalid", "'amount' is about 100 times larger")
    assert runs.ledger.outcome("run-1").exit_status == 3
    assert runs.ledger.deployments() == []
    assert runs.read(summary).startswith("## Hold: invalid\n\n'amount' is about 100 times larger")
