"""Holding records why the champion stays."""

import pytest

from ratchet.delivery.holding import HOLDING, hold, hold_page
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


@pytest.mark.parametrize("word", HOLDING)
def test_a_person_reads_the_word_why_which_champion_stays_and_what_now(ledger, model, word):
    ledger.promote("fraud", model(1), generation=0, who="test", why="first")
    said = hold("fraud", run_id="run-1", verdict=word, reason="because of *this*", ledger=ledger)
    text = hold_page(said, ledger.deployment("fraud")).markdown()
    assert text.startswith(f"## Hold: {word}\n\nbecause of")
    assert "| champion | 1 |" in text
    assert "| what now | – |" not in text
