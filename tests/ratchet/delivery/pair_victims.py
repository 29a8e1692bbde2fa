"""Processes that are killed while they move a stacked model and its encoder. Run as a program; `test_pairs_kills` asks it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.delivery.pairs import Encoder
from ratchet.settings import Settings
from tests.ratchet.delivery.victims import forked, kill

MOVE = ("before the transaction", "deployment written", "other deployment written", "before the commit", "after the commit", "head written")
NAMES = ("fraud", "fraud-encoder")
BY = {"who": "victim", "why": "chance"}


class Pairs:
    """A pair that is promoted and rolled back in turn: generation 1, 2, 3, … of both, version "1" or "2"."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.generation = 0
        forked(lambda: self.promote(1, self.ledger()))
        self.generation = 1

    def ledger(self, checkpoint: Callable[[str], None] = lambda phase: None) -> Ledger:
        return Ledger.open(self.settings, checkpoint=checkpoint)

    def promote(self, number: int, ledger: Ledger) -> str:
        model, encoder = (ModelRef(str(number), f"sha256:{digit}{number:063x}", f"/{number}") for digit in "ab")
        return ledger.promote(NAMES[0], model, generation=self.generation, encoder=Encoder(NAMES[1], encoder), run_id="", **BY).effect

    def move(self, ledger: Ledger) -> str:
        """Promote the second pair where the first one stands, else roll back to the first."""
        if self.generation % 2:
            return self.promote(2, ledger)
        return ledger.rollback(NAMES[0], generation=self.generation, **BY).effect

    def once(self, phase: str) -> tuple[str, str]:
        """Kill one move at a phase; return the phase and what stood then, "old" or "new", of both. Then let the step come again."""
        killed = kill(lambda at: self.move(self.ledger(at)), MOVE, phase, 0.0)
        stood = forked(self.look)
        forked(lambda: self.again(stood))
        self.generation += 1
        return killed, stood

    def look(self) -> str:
        ledger = self.ledger()
        states = [ledger.deployment(name) for name in NAMES]
        for state in states:
            assert ledger.verify_chain(state.name).rows == state.generation
        moved = {state.generation - self.generation for state in states}
        assert len(moved) == 1, f"one moved and the other did not: {states}"
        assert len({state.champion.version for state in states}) == 1, "they are not of one pair"
        return "new" if moved.pop() else "old"

    def again(self, stood: str) -> None:
        ledger = self.ledger()
        assert self.move(ledger) == ("repeated" if stood == "new" else "applied")
        wanted = "2" if self.generation % 2 else "1"
        for name in NAMES:
            state, report = ledger.deployment(name), ledger.verify_chain(name)
            assert (state.champion.version, state.generation) == (wanted, self.generation + 1)
            assert report.head == "confirmed"


def main() -> None:
    asked: dict[str, Any] = json.loads(sys.stdin.read())
    work = Pairs(Settings(**asked["settings"]))
    answers = [work.once(phase) for phase in MOVE for _ in ("promote", "roll back")]
    Path(asked["answer"]).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main()
