"""kill -9 of everything that takes part in a live rollout, at moments of chance, while clients send requests.

Whatever is killed: the champion answers again, the chain of the ledger holds, and the rollout goes on or has been aborted. What is not on
the path of a request (the challenger's child, the step that advances, the database) costs no client anything.
"""

import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.pipelines.rollout_clients import NAME, Clients, Exchange
from tests.pipelines.rollout_world import Advancer, Live, durable, live, models, registered, until
from tests.postgres import PostgreSQL

__all__ = ["models", "registered"]  # fixtures

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

KINDS = ("worker", "parent", "child", "database", "advance")
PHASES = ("shadow", "canary")
CHECKPOINTS = ("before the transaction", "deployment written", "before the commit", "after the commit", "head written")
BACK_SECONDS = 5.0
SEED = 20261121
AMOUNTS = [pytest.param(10, id="10-kills"), pytest.param(200, id="200-kills", marks=pytest.mark.soak)]


@dataclass
class Siege:
    """An installation whose processes are killed one after another, in every phase."""

    live: Live
    clients: Clients
    postgresql: PostgreSQL
    advancer: Advancer
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    kills: Counter[str] = field(default_factory=Counter)
    became: Counter[str] = field(default_factory=Counter)
    costs: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)

    def kill(self, kind: str, phase: str) -> None:
        """Kill once, and see that everything comes back."""
        state = self.live.ledger.deployment(NAME)
        if state.challenger is None or state.phase != phase or kind == "advance":
            self.live.begin(phase, minimum_requests=40 if kind == "advance" else 300)
        begun = self.live.ledger.deployment(NAME).begun
        point = self._prepare_advancer() if kind == "advance" else ""
        time.sleep(0 if point else self.chance.uniform(0, 0.7))
        found = self.live.ledger.deployment(NAME).phase
        before = time.monotonic()
        back = getattr(self, f"_{kind}")()
        self._expect_champion(kind, before, back)
        self._expect_word(kind, begun)
        self.kills[f"{found}: {kind}{f' at {point!r}' if point else ''}"] += 1

    def _prepare_advancer(self) -> str:
        """Half of the time, have the step stall at a named point of the next transition; return that point."""
        point = self.chance.choice(CHECKPOINTS) if self.kills.total() % 2 else ""
        if point:
            self._restart_advancer(stall_at=point)
            until(lambda: {"checkpoint": point} in self.advancer.told, 60, lambda: self.advancer.told[-3:])
        return point

    def _worker(self) -> float:
        old = self.live.workers
        os.kill(old[0], signal.SIGKILL)
        until(lambda: self.live.workers != old, 30)
        return self._ready()

    def _parent(self) -> float:
        """Kill the gateway's parent and start it again on its port, which its orphaned worker may still hold for a moment."""
        process = self.live.gateway.process
        assert process is not None
        process.kill()
        process.wait()

        def started() -> bool:
            try:
                self.live.gateway.start()
            except TimeoutError:
                return False
            return True

        until(started, 300)  # on a machine that is busy with more than this test
        return self._ready()

    def _child(self) -> float:
        os.kill(self.live.child(), signal.SIGKILL)
        return time.monotonic()

    def _advance(self) -> float:
        self._restart_advancer()
        return time.monotonic()

    def _database(self) -> float:
        self.postgresql.kill()
        time.sleep(self.chance.uniform(0, 1))
        self.postgresql.start()
        return time.monotonic()

    def _ready(self) -> float:
        port = int(self.live.gateway.url.rpartition(":")[2])
        until(lambda: self.live.gateway.ready(port), 300)
        return time.monotonic()

    def _restart_advancer(self, stall_at: str = "") -> None:
        self.advancer.kill()
        self.advancer = Advancer(self.live.settings, f"run-{time.monotonic_ns()}", stall_at=stall_at)

    def _expect_champion(self, kind: str, before: float, back: float) -> None:
        champion = self.live.models[0].version
        answers = until(lambda: self.clients.answers(back, champion), BACK_SECONDS, lambda: (kind, self.clients.exchanges[-3:]))
        self.slowest[kind] = max(self.slowest.get(kind, 0.0), answers[0].done - before)
        harmless = kind not in ("worker", "parent")
        lost: list[Exchange] = self.clients.failures(before)
        self.costs[kind] += len(lost)
        assert not [one for one in lost if harmless or one.sent >= back], (kind, lost[:3])

    def _expect_word(self, kind: str, begun: int) -> None:
        """A later advance comes to a word by evidence that it could read, unless the rollout was ended."""
        said = self.advancer.next("verdict", len(self.advancer.told))
        assert "cannot be read" not in said["reason"], (kind, said)
        ledger = self.live.ledger
        assert ledger.verify_chain(NAME).head in ("confirmed", "behind")
        state = ledger.deployment(NAME)
        assert state.champion == self.live.models[0]
        if state.begun == begun:
            assert ledger.looks(NAME, begun)
            self.became[f"{kind}: goes on"] += 1
        else:
            row = ledger.history(NAME)[-1]
            self.became[f"{kind}: aborted by {row.who.partition(' ')[0]}: {row.why[:60]}"] += 1

    def _promotes(self) -> bool:
        return bool(self.advancer.told[-1].get("verdict") == "promote")

    def expect_promotion(self) -> None:
        """After all that, a challenger that is better is found to be; what the kills left behind may abort one before."""
        for _ in range(3):
            begun = self.live.begin("shadow")
            until(lambda: self._promotes() or self.live.ledger.deployment(NAME).begun != begun, 90, lambda: self.advancer.told[-2:])  # noqa: B023
            if self._promotes():
                break
            print(f"\naborted after the siege: {self.live.ledger.history(NAME)[-1].why}")
        assert self._promotes()
        assert self.live.ledger.verify_chain(NAME).head == "confirmed"


@pytest.fixture
def siege(postgresql: PostgreSQL, registered, models, tmp_path: Path) -> Iterator[Siege]:
    with live(tmp_path / "home", registered, models, durable(postgresql)) as made, Clients(made.gateway.url) as clients:
        siege = Siege(made, clients, postgresql, Advancer(made.settings, "first"))
        try:
            siege.advancer.next("verdict")
            yield siege
        finally:
            siege.advancer.kill()


@pytest.mark.parametrize("amount", AMOUNTS)
def test_whatever_is_killed_the_champion_answers_and_the_rollout_is_not_stuck(siege: Siege, amount: int) -> None:
    for kind, phase in itertools.islice(itertools.cycle(itertools.product(KINDS, PHASES)), amount):
        siege.kill(kind, phase)
    siege.expect_promotion()
    assert siege.kills.total() == amount
    for title, counted in (
        ("kills", siege.kills),
        ("the rollout afterwards", siege.became),
        ("requests lost", siege.costs),
        ("seconds until the champion answers, at most", siege.slowest),
    ):
        print(f"\n{title}:")
        for what, count in sorted(counted.items()):
            print(f"  {count:5.3g}  {what}")
    print(f"\n{len(siege.clients.answers())} requests answered")
