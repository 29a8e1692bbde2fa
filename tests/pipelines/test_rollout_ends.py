"""How fast and how quietly a challenger goes under load: by an abort, by a person's word, by a run that died; and one that does harm.

Each time clients are asking a real gateway all the time, and not one of them may notice.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from threading import Thread

import psutil
import pytest
from sqlalchemy import text

from ratchet.delivery.ledger import Ledger
from ratchet.delivery.policy import Policy
from ratchet.settings import Settings
from tests.pipelines.rollout_clients import NAME, Clients
from tests.pipelines.rollout_world import POLICY, Advancer, Live, durable, live, models, raising, registered, until
from tests.postgres import PostgreSQL

__all__ = ["models", "raising", "registered"]  # fixtures

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

GONE_SECONDS = 1.0
LEASE = 6.0
CHAMPION, CHALLENGER = "1", "2"


@pytest.fixture(scope="module")
def gateway(postgresql: PostgreSQL, registered: Settings, models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One installation for this file; each test leaves it with version 1 as the champion and nothing under trial, or finds it so."""
    with live(tmp_path_factory.mktemp("ends") / "home", registered, models, durable(postgresql)) as made:
        yield made


@pytest.fixture
def clients(gateway: Live) -> Iterator[Clients]:
    with Clients(gateway.gateway.url, threads=3, pause=0.002, labels=False) as clients:
        yield clients


def in_canary(gateway: Live, clients: Clients, **policy: object) -> int:
    """Begin a canary at 50% and wait until its challenger answers clients."""
    begun = gateway.begin("canary", steps=(50,), **policy)
    since = time.monotonic()
    until(lambda: len(clients.answers(since, CHALLENGER)) > 50, 30, lambda: gateway.health)
    assert clients.answers(since, CHAMPION)
    return begun


def gone(clients: Clients, taken: float) -> float:
    """Assert that what was sent a second after a moment was answered by the champion alone, and that nobody noticed.

    Returns:
        Seconds from the moment until the last request was sent that the challenger answered; negative when that was before.
    """
    until(lambda: len(clients.answers(taken + GONE_SECONDS, CHAMPION)) > 200, 30)
    assert not clients.answers(taken + GONE_SECONDS, CHALLENGER)
    assert not clients.failures()
    return max((one.sent for one in clients.answers(version=CHALLENGER)), default=0.0) - taken


def rollback(settings: Settings) -> subprocess.CompletedProcess[str]:
    """Roll back by the command."""
    environment = {**os.environ, "RATCHET_HOME": str(settings.home), "RATCHET_LEDGER_URL": settings.ledger_url}
    command = [sys.executable, "-m", "ratchet.cli.main", "rollback", NAME]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_after_an_abort_the_challenger_answers_nobody(gateway: Live, clients: Clients) -> None:
    in_canary(gateway, clients)
    gateway.abort()
    print(f"\nthe last request that went to the challenger was sent {gone(clients, time.monotonic()):.3f} s after the abort")
    until(lambda: gateway.health["companion"] is None, 10, lambda: gateway.health)


def test_a_rollback_by_the_command_takes_the_challenger_away(gateway: Live, clients: Clients) -> None:
    in_canary(gateway, clients)
    asked = time.monotonic()
    done = rollback(gateway.settings)
    assert done.returncode == 0, done.stderr
    assert "its challenger is taken away" in done.stdout
    ended = time.monotonic()
    last = ended + gone(clients, ended)
    print(f"\nthe last request that went to the challenger was sent {last - asked:.3f} s after the command began")
    print(f"and {ended - last:.3f} s before it ended")
    assert gateway.ledger.deployment(NAME).champion == gateway.models[0]
    assert gateway.ledger.history(NAME)[-1].action == "abort"


def waiting(ledger: Ledger) -> int:
    """Return how many transactions wait for another one."""
    with ledger.database.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar() or 0)


def test_a_rollback_by_the_command_wins_when_the_challenger_is_promoted_in_between(gateway: Live, clients: Clients) -> None:
    """The promotion holds the row until the command, which has read the state before it, waits for that row."""
    begun = in_canary(gateway, clients)
    answers: list[subprocess.CompletedProcess[str]] = []
    thread = Thread(target=lambda: answers.append(rollback(gateway.settings)))

    def at(phase: str) -> None:
        if phase == "before the commit":
            thread.start()
            until(lambda: waiting(gateway.ledger), 60)

    facts = {"policy": Policy(**{**POLICY, "watch": 600.0}).as_dict(), "rollout": begun}
    state = gateway.ledger.deployment(NAME)
    promoting = Ledger.open(gateway.settings, checkpoint=at)
    promoting.promote(
        NAME, gateway.models[1], generation=state.generation, who="run", why="better", run_id="racing", watch=True, evidence=facts
    )
    thread.join(120)
    taken = time.monotonic()
    assert answers[0].returncode == 0, answers[0].stderr
    assert [row.action for row in gateway.ledger.history(NAME)][-3:] == ["begin", "promote", "rollback"]
    print(f"\nthe last request that went to the promoted challenger was sent {-gone(clients, taken):.3f} s before the command ended")
    state = gateway.ledger.deployment(NAME)
    assert (state.champion, state.challenger, state.phase) == (gateway.models[0], None, "stable")
    assert gateway.ledger.verify_chain(NAME).head == "confirmed"


def test_the_challenger_of_a_run_that_died_goes_by_itself(gateway: Live, clients: Clients) -> None:
    gateway.abort()
    advancer = Advancer(gateway.settings, "dying", wait="10m")
    try:
        assert advancer.next("verdict")["verdict"] == "hold", "there is nothing under trial yet"
        in_canary(gateway, clients, lease=LEASE, minimum_requests=10**9)
        time.sleep(LEASE)  # the rollout is older than that already
        last = gateway.ledger.history(NAME)[-1]
        assert last.action == "begin", f"a run that is at work keeps its rollout alive, but {last.who} did {last.action}: {last.why}"
    finally:
        advancer.kill()
    until(lambda: gateway.ledger.deployment(NAME).challenger is None, LEASE + 30)
    taken = time.monotonic()
    row = gateway.ledger.history(NAME)[-1]
    assert (row.who, row.action) == ("gateway", "abort")
    assert "lease" in row.why
    print(f"\nthe last request that went to the challenger was sent {gone(clients, taken):.3f} s after the gateway had said so")
    assert gateway.ledger.verify_chain(NAME).head == "confirmed"


def hang(gateway: Live) -> None:
    """Stop the child, as a model does that never returns."""
    os.kill(gateway.child(), signal.SIGSTOP)


def crash(gateway: Live) -> None:
    """Let the child die as by a bad pointer in native code."""
    os.kill(gateway.child(), signal.SIGSEGV)


HARMS = [
    pytest.param(hang, "shadow", id="hangs-shadow"),
    pytest.param(crash, "shadow", id="crashes-shadow"),
    pytest.param(hang, "canary", id="hangs-canary"),
    pytest.param(crash, "canary", id="crashes-canary", marks=pytest.mark.soak),
]


@pytest.mark.parametrize(("harm", "phase"), HARMS)
def test_a_challenger_that_does_harm_costs_no_client_anything(
    gateway: Live, clients: Clients, harm: Callable[[Live], None], phase: str
) -> None:
    alone = time.monotonic()
    until(lambda: len(clients.answers(alone)) > 300, 30)
    gateway.begin(phase, steps=(50,), timeout_ms=500.0)
    beside = time.monotonic()
    until(lambda: len(clients.answers(beside)) > 300, 30)
    child = gateway.child()
    harmed = time.monotonic()
    harm(gateway)
    until(lambda: gateway.ledger.deployment(NAME).challenger is None, 30, lambda: gateway.health)
    ended = time.monotonic()
    assert gateway.ledger.history(NAME)[-1].who == "gateway"
    assert "failed in a gateway" in gateway.ledger.history(NAME)[-1].why
    until(lambda: len(clients.answers(ended + GONE_SECONDS, CHAMPION)) > 100, 30)
    assert not clients.failures()
    if phase == "shadow":
        assert not clients.answers(beside, CHALLENGER)
    until(lambda: not psutil.pid_exists(child), 30)
    told = {"alone": clients.p95(alone, beside), "beside it": clients.p95(beside, harmed), "with the harm": clients.p95(harmed, ended)}
    print(f"\n{harm.__name__} in {phase}: P95 of clients, ms: {', '.join(f'{what} {p95:.1f}' for what, p95 in told.items())}")


def test_a_challenger_that_raises_costs_no_client_anything(gateway: Live, clients: Clients, raising) -> None:
    gateway.begin("shadow", challenger=raising)
    until(lambda: gateway.ledger.deployment(NAME).challenger is None, 30, lambda: gateway.health)
    row = gateway.ledger.history(NAME)[-1]
    assert row.who == "gateway"
    assert row.facts["errors"] == row.facts["requests"]
    ended = time.monotonic()
    until(lambda: len(clients.answers(ended, CHAMPION)) > 100, 30)
    assert not clients.failures()
    assert {one.version for one in clients.answers()} == {CHAMPION}
