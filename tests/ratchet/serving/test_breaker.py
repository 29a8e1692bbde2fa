from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ratchet.serving.breaker import Breaker

FAILURES, PAUSE, LONGEST = 3, 0.5, 5.0


class Machine(RuleBasedStateMachine):
    """Whatever happens and in whatever order."""

    def __init__(self):
        super().__init__()
        self.now = 100.0
        self.breaker = Breaker(lambda: self.now, failures=FAILURES, pause=PAUSE, longest=LONGEST)
        self.in_row = 0
        self.first: float | None = None
        self.last = 0.0

    @rule(seconds=st.floats(0.0, 10.0))
    def time_passes(self, seconds):
        self.now += seconds

    @precondition(lambda self: self.breaker.allows())
    @rule()
    def a_try_goes_well(self):
        self.breaker.succeeded()
        self.in_row, self.first = 0, None

    @precondition(lambda self: self.breaker.allows())
    @rule()
    def a_try_fails(self):
        self.breaker.failed(f"failure {self.in_row}")
        self.in_row += 1
        self.first = self.now if self.first is None else self.first
        self.last = self.now

    @invariant()
    def it_is_closed_until_there_are_enough_failures_in_a_row(self):
        assert (self.breaker.state == "closed") == (self.in_row < FAILURES)

    @invariant()
    def it_never_refuses_for_longer_than_the_longest_pause(self):
        if self.now - self.last > LONGEST + 1e-6:
            assert self.breaker.allows()

    @invariant()
    def right_after_the_last_of_enough_failures_it_refuses(self):
        if self.in_row >= FAILURES and self.now == self.last:
            assert not self.breaker.allows()

    @invariant()
    def it_says_since_when_and_what(self):
        health = self.breaker.health()
        assert health["since"] == self.first
        assert health["error"] == (f"failure {self.in_row - 1}" if self.in_row else "")


TestBreaker = Machine.TestCase
TestBreaker.settings = settings(max_examples=60, stateful_step_count=30)


def test_each_further_pause_is_twice_as_long_up_to_the_longest():
    now = [0.0]
    breaker = Breaker(lambda: now[0], failures=1, pause=1.0, longest=3.0)
    for pause in (1.0, 2.0, 3.0, 3.0):
        breaker.failed("away")
        now[0] += pause * 0.99
        assert not breaker.allows()
        now[0] += pause * 0.02
        assert breaker.allows()
    breaker.succeeded()
    breaker.failed("away")
    now[0] += 1.01
    assert breaker.allows(), "after a success the pauses begin anew"
