"""The face of promote: promoted once, held when overtaken, with the reason in its summary."""

import pytest

pytestmark = pytest.mark.slow  # a real MLflow store


def test_a_promotion_and_one_that_comes_too_late(runs):
    runs.register("run-1", 0)
    assert runs.promote("run-1", "1", 0) == ("1", "promoted", "lower loss")
    assert runs.promote("run-1", "1", 0.0) == ("1", "promoted", "lower loss")
    assert runs.read(runs.summary).startswith("## Promote: promoted\n\nlower loss")

    champion, verdict, reason = runs.promote("run-2", "1", 0)
    assert (champion, verdict) == ("1", "held")
    assert "run run-1" in reason
    assert runs.ledger.outcome("run-2").word == "held"
    assert len(runs.ledger.history("fraud")) == 1
