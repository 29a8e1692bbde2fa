"""The head outside the database only moves forward, and only along its own chain."""

import logging

from ratchet.delivery.audit import Head
from ratchet.delivery.heads import advance_head, read_head


def promote(ledger, model, count):
    for number in range(count):
        ledger.promote("fraud", model(number), generation=number, who="run", why="better")


def test_the_head_names_the_last_row_after_each_transition(ledger, model, settings):
    for number in range(3):
        row = ledger.promote("fraud", model(number), generation=number, who="run", why="better").row
        assert read_head(settings.audit_heads(), "fraud") == Head("fraud", number + 1, row.hash)


def test_a_slow_writer_does_not_take_it_back(ledger, model, settings):
    promote(ledger, model, 3)
    head, old = read_head(settings.audit_heads(), "fraud"), ledger.history("fraud")[:2]
    advance_head(settings.audit_heads(), "fraud", lambda first: old[first - 1 :])
    assert read_head(settings.audit_heads(), "fraud") == head


def test_a_crash_in_the_middle_of_writing_leaves_the_old_head(ledger, model, settings):
    promote(ledger, model, 2)
    head = read_head(settings.audit_heads(), "fraud")
    (settings.audit_heads() / "fraud.new").write_text("{half")
    assert read_head(settings.audit_heads(), "fraud") == head
    ledger.promote("fraud", model(9), generation=2, who="run", why="better")
    assert read_head(settings.audit_heads(), "fraud").generation == 3


def test_a_transition_is_not_lost_when_its_head_cannot_be_written(ledger, model, settings, caplog):
    settings.audit_heads().parent.mkdir(exist_ok=True)
    settings.audit_heads().write_text("a file where the folder should be")
    with caplog.at_level(logging.ERROR):
        promote(ledger, model, 1)
    assert ledger.deployment("fraud").champion == model(0)
    assert "its audit head was not written" in caplog.text
