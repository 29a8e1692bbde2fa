"""Pairs against a model of them that is simple enough to be right (stacks of champions), and many hands at once."""

import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.delivery.pairs import Encoder, needed
from ratchet.errors import ConflictError, NeededError, UnknownDeploymentError
from ratchet.settings import Settings

pytestmark = pytest.mark.slow  # a state machine on two databases

BY = {"who": "machine", "why": "chance"}
STACKED, ENCODER = ("fraud", "churn"), "shared-encoder"
ENCODERS = [ModelRef(str(number), f"sha256:{number:064x}", f"/encoders/{number}") for number in range(100, 103)]


class PairMachine(RuleBasedStateMachine):
    """The model: a stack of champions for each of two stacked models and for the encoder that both use.

    A champion is (version, encoder needed, promotion); the encoder's is (version, None, promotion that put it there).
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.stacks: dict[str, list[tuple]] = {name: [] for name in (*STACKED, ENCODER)}
        self.generations = dict.fromkeys(self.stacks, 0)
        self.promotions = 0

    @initialize()
    def open(self) -> None:
        self.ledger = Ledger.open(Settings(home=Path(self.folder.name)))

    @rule(name=st.sampled_from(STACKED), encoder=st.none() | st.sampled_from(ENCODERS))
    def promote(self, name: str, encoder: ModelRef | None) -> None:
        self.promotions += 1
        model = ModelRef(f"m{self.promotions}", f"sha256:{self.promotions:064x}", "/models")
        wanted = Encoder(ENCODER, encoder) if encoder else None
        self.ledger.promote(name, model, generation=self.generations[name], encoder=wanted, **BY)
        self.stacks[name].append((model.version, encoder, self.promotions))
        self.generations[name] += 1
        if encoder and self.top(ENCODER) != encoder.version:
            self.stacks[ENCODER].append((encoder.version, None, self.promotions))
            self.generations[ENCODER] += 1

    @rule(encoder=st.sampled_from(ENCODERS))
    def promote_alone(self, encoder: ModelRef) -> None:
        done = self.ledger.promote(ENCODER, encoder, generation=self.generations[ENCODER], **BY)
        if self.top(ENCODER) == encoder.version:
            assert done.effect == "none"
        else:
            self.stacks[ENCODER].append((encoder.version, None, 0))
            self.generations[ENCODER] += 1

    @precondition(lambda self: any(self.stacks[name] for name in STACKED))
    @rule(name=st.sampled_from(STACKED))
    def rollback(self, name: str) -> None:
        if not self.stacks[name]:
            return
        self.ledger.rollback(name, generation=self.generations[name], may_empty=True, **BY)
        _, encoder, promotion = self.stacks[name].pop()
        self.generations[name] += 1
        below = self.stacks[ENCODER]
        if encoder and below and below[-1][2] == promotion and encoder.version not in self.needed_now():
            below.pop()
            self.generations[ENCODER] += 1

    @precondition(lambda self: self.generations[ENCODER] > 0)
    @rule(may_empty=st.booleans())
    def rollback_alone(self, may_empty: bool) -> None:
        stack = self.stacks[ENCODER]
        arguments = {"generation": self.generations[ENCODER], "may_empty": may_empty, **BY}
        if len(stack) < (1 if may_empty else 2):
            with pytest.raises(UnknownDeploymentError):
                self.ledger.rollback(ENCODER, **arguments)
        elif stack[-1][0] in self.needed_now():
            with pytest.raises(NeededError):
                self.ledger.rollback(ENCODER, **arguments)
        else:
            self.ledger.rollback(ENCODER, **arguments)
            stack.pop()
            self.generations[ENCODER] += 1

    @invariant()
    def says_what_the_model_says(self) -> None:
        if not hasattr(self, "ledger"):
            return
        for name, stack in self.stacks.items():
            state = self.ledger.deployment(name)
            assert state.generation == self.generations[name]
            assert (state.champion.version if state.champion else None) == self.top(name)
            assert (state.previous.version if state.previous else None) == (stack[-2][0] if len(stack) > 1 else None)
            if state.generation:
                assert self.ledger.verify_chain(name).head == "confirmed"

    def top(self, name: str) -> str | None:
        return self.stacks[name][-1][0] if self.stacks[name] else None

    def needed_now(self) -> set[str]:
        return {stack[-1][1].version for name in STACKED if (stack := self.stacks[name]) and stack[-1][1]}

    def teardown(self) -> None:
        self.folder.cleanup()


TestPairMachine = PairMachine.TestCase
TestPairMachine.settings = settings(max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))


def test_whoever_comes_in_between_the_champion_s_encoder_stands(settings):
    """Two promote pairs and one takes the encoder back by itself, all at once: it never is another than the champion needs."""
    ledger = Ledger.open(settings)
    ledger.promote("fraud", ModelRef("0", f"sha256:{0:064x}", "/0"), generation=0, encoder=Encoder("e", ENCODERS[0]), **BY)
    errors: list[BaseException] = []

    def pairs(first: int) -> None:
        for turn in range(8):
            attempt(promote, ModelRef(str(first + turn), f"sha256:{first + turn:064x}", "/m"), Encoder("e", ENCODERS[turn % 3]))

    def takes_back() -> None:
        for _ in range(16):
            attempt(rollback)

    def promote(model: ModelRef, encoder: Encoder) -> None:
        ledger.promote("fraud", model, generation=ledger.deployment("fraud").generation, encoder=encoder, **BY)

    def rollback() -> None:
        ledger.rollback("e", generation=ledger.deployment("e").generation, **BY)

    def attempt(act, *arguments) -> None:
        try:
            act(*arguments)
        except (ConflictError, NeededError, UnknownDeploymentError):
            pass
        except BaseException as error:
            errors.append(error)

    hands = [threading.Thread(target=pairs, args=(first,)) for first in (100, 200)] + [threading.Thread(target=takes_back)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert errors == []
    rows, encoders = ledger.history("fraud"), ledger.history("e")
    assert len(rows) > 1
    assert needed(rows[-1]).model == ledger.deployment("e").champion
    assert all(row.action == "promote" for row in encoders), "each version was needed whenever somebody tried to take it back"
    assert [ledger.verify_chain(name).head for name in ("fraud", "e")] == ["confirmed", "confirmed"]
