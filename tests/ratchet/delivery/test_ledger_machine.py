"""The ledger against a model of it that is simple enough to be right: a list of states."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.errors import ConflictError, UnknownDeploymentError
from ratchet.settings import Settings

pytestmark = pytest.mark.slow  # a state machine

BY = {"who": "machine", "why": "chance"}
MODELS = [ModelRef(str(number), f"sha256:{number:064x}", f"/models/{number}") for number in range(4)]


class LedgerMachine(RuleBasedStateMachine):
    """The model: the stack of champions after each generation, and what was answered to each operation."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.settings = Settings(home=Path(self.folder.name))
        self.stacks: list[tuple[ModelRef, ...]] = [()]
        self.done: dict[tuple, int] = {}

    @initialize()
    def open(self) -> None:
        self.ledger = Ledger.open(self.settings)

    @rule(model=st.sampled_from(MODELS), age=st.integers(0, 3))
    def promote(self, model: ModelRef, age: int) -> None:
        generation = max(len(self.stacks) - 1 - age, 0)
        key, stack = ("promote", model, generation), self.stacks[-1]
        if key not in self.done and (not stack or stack[-1] != model) and generation != len(self.stacks) - 1:
            with pytest.raises(ConflictError):
                self.ledger.promote("m", model, generation=generation, **BY)
            return
        answer = self.ledger.promote("m", model, generation=generation, **BY)
        if key in self.done:
            assert (answer.effect, answer.deployment.generation) == ("repeated", self.done[key])
        elif stack and stack[-1] == model:
            assert answer.effect == "none"
        else:
            assert answer.effect == "applied"
            self.stacks.append((*stack, model))
            self.done[key] = len(self.stacks) - 1

    @precondition(lambda self: len(self.stacks) > 1)
    @rule(age=st.integers(0, 3), may_empty=st.booleans())
    def rollback(self, age: int, may_empty: bool) -> None:
        generation = max(len(self.stacks) - 1 - age, 1)
        key, stack = ("rollback", generation), self.stacks[-1]
        arguments = {"generation": generation, "may_empty": may_empty, **BY}
        if key in self.done:
            answer = self.ledger.rollback("m", **arguments)
            assert (answer.effect, answer.deployment.generation) == ("repeated", self.done[key])
        elif generation != len(self.stacks) - 1:
            with pytest.raises(ConflictError):
                self.ledger.rollback("m", **arguments)
        elif len(stack) < (1 if may_empty else 2):
            with pytest.raises(UnknownDeploymentError):
                self.ledger.rollback("m", **arguments)
        else:
            assert self.ledger.rollback("m", **arguments).effect == "applied"
            self.stacks.append(stack[:-1])
            self.done[key] = len(self.stacks) - 1

    @rule()
    def reopen(self) -> None:
        self.ledger = Ledger.open(self.settings)

    @invariant()
    def says_what_the_model_says(self) -> None:
        if not hasattr(self, "ledger"):
            return
        state, stack = self.ledger.deployment("m"), self.stacks[-1]
        assert state.generation == len(self.stacks) - 1
        assert state.champion == (stack[-1] if stack else None)
        assert state.previous == (stack[-2] if len(stack) > 1 else None)
        if state.generation:
            assert self.ledger.verify_chain("m").head == "confirmed"

    def teardown(self) -> None:
        self.folder.cleanup()


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
