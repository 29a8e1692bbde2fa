"""The named points of a transition, in the order in which a crash can meet them."""

from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.ledger import Ledger
from ratchet.delivery.transitions import MAX_TEXT, storable


def test_a_transition_passes_its_points_in_order(settings, model):
    passed = []
    Ledger.open(settings, checkpoint=passed.append).promote("fraud", model(1), generation=0, who="anna", why="first")
    assert passed == ["before the transaction", "deployment written", "before the commit", "after the commit", "head written"]


def test_a_repeated_one_writes_nothing(settings, model):
    passed = []
    ledger = Ledger.open(settings, checkpoint=passed.append)
    for _ in range(2):
        passed.clear()
        ledger.promote("fraud", model(1), generation=0, who="anna", why="first")
    assert passed == ["before the transaction", "head written"]


@given(st.text())
def test_any_text_becomes_one_that_every_database_takes(text):
    kept = storable(text)
    kept.encode("utf-8")
    assert "\0" not in kept
    assert len(kept) <= MAX_TEXT
    assert storable(kept) == kept
