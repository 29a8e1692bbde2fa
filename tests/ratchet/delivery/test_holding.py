"""Holding records why the champion stays."""

import pytest

from ratchet.delivery.holding import hold
from ratchet.errors import ParameterError


def test_the_reason_is_kept_under_the_run(ledger):
    said = hold("fraud", run_id="run-1", verdict="rejected", reason="no gain: 0.21 against 0.20", ledger=ledger)
    assert (said.verdict, said.reason) == ("rejected", "no gain: 0.21 against 0.20")
    assert ledger.outcome("run-1").reason == "no gain: 0.21 against 0.20"
    assert ledger.deployments() == []


def test_an_unknown_word_gets_the_nearest_one(ledger):
    with pytest.raises(ParameterError, match="did you mean 'rejected'"):
        hold("fraud", run_id="run-1", verdict="reject", reason="", ledger=ledger)
    assert ledger.verdicts("run-1") == {}
