import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ratchet.serving.follower import Follower
from ratchet.serving.standing import read_standing
from ratchet.serving.withdrawal import Withdrawal


@pytest.fixture
def parts(stall):
    """A withdrawal with a clock that the test moves, and what reads the ledger for it."""
    now = [0.0]
    follower = Follower(stall.name, stall.settings, lambda standing: None, clock=lambda: now[0])
    yield Withdrawal(stall.name, follower, clock=lambda: now[0]), now, lambda: read_standing(stall.ledger, stall.name)
    follower.stop()


def test_without_a_challenger_there_is_nothing_to_withdraw(parts):
    withdrawal, now, read = parts
    now[0] = 1e12
    assert withdrawal.reason(read()) is None


def test_a_lease_is_a_reason_once_it_has_run_out(parts, stall):
    withdrawal, now, read = parts
    stall.begin(1, lease=60.0)
    standing = read()
    now[0] = standing.lease - 1
    assert withdrawal.reason(standing) is None
    now[0] = standing.lease + 1
    assert "lease" in withdrawal.reason(standing).why
    asyncio.run(withdrawal.abort())
    assert read().deployment.challenger is None
    assert stall.ledger.history(stall.name)[-1].who == "gateway"


def test_in_a_watch_a_failing_model_is_no_reason(parts, stall):
    withdrawal, _, read = parts
    stall.begin(1)
    standing = read()
    watch = replace(standing, deployment=replace(standing.deployment, phase="watch", challenger=None))
    assert not any(withdrawal.observe(watch, failed=True) for _ in range(50))
    assert withdrawal.guard.rejected, "it is reported"
    assert withdrawal.reason(watch) is None


def test_errors_of_one_rollout_are_not_held_against_the_next(parts, stall):
    withdrawal, _, read = parts
    stall.begin(1)
    first = read()
    assert any(withdrawal.observe(first, failed=True) for _ in range(50))
    assert withdrawal.reason(first)
    stall.abort()
    stall.begin(1)
    assert withdrawal.reason(read()) is None
    assert not withdrawal.observe(read(), failed=False)
    assert withdrawal.guard.requests == 1


def test_a_ledger_that_is_away_is_told_later(parts, stall):
    withdrawal, now, read = parts
    stall.begin(1, lease=60.0)
    now[0] = read().lease + 1
    file = stall.settings.root / "ledger.db"
    file.rename(file.with_name("away"))
    asyncio.run(withdrawal.abort())
    assert not withdrawal.due
    assert not file.exists()
    file.with_name("away").rename(file)
    now[0] += 10
    assert withdrawal.due
    asyncio.run(withdrawal.abort())
    assert read().deployment.challenger is None


def test_a_lease_that_was_renewed_since_it_was_read_aborts_nothing(parts, stall):
    withdrawal, now, read = parts
    begun = stall.begin(1, lease=60.0)
    now[0] = read().lease + 1
    assert withdrawal.reason(read())
    stall.ledger.renew_lease(stall.name, begun, datetime(2050, 1, 1, tzinfo=UTC), "a run")
    asyncio.run(withdrawal.abort())
    assert read().deployment.challenger is not None


def test_what_somebody_else_has_ended_already_is_left(parts, stall):
    withdrawal, now, read = parts
    stall.begin(1, lease=60.0)
    now[0] = read().lease + 1
    stall.abort()
    asyncio.run(withdrawal.abort())
    assert stall.ledger.history(stall.name)[-1].who == "the test"
