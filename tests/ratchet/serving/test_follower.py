import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ratchet.serving.follower import Follower
from ratchet.settings import Settings


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def there(request, stall, tmp_path):
    """A deployment, once on each database."""
    if request.param == "sqlite":
        return stall
    url = request.getfixturevalue("postgresql").new_database()
    made = replace(stall, settings=Settings(home=tmp_path / "pg", ledger_url=url))
    made.promote(0)
    return made


def wait(true):
    for _ in range(1500):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def test_each_change_is_told_once(there):
    told = []
    follower = Follower(there.name, there.settings, told.append)
    assert all(follower.look() for _ in range(3))
    assert [standing.deployment.generation for standing in told] == [1]
    there.promote(1)
    begun = there.begin(2, percent=0, key="card")
    assert all(follower.look() for _ in range(3))
    assert [standing.deployment.generation for standing in told] == [1, 3]
    assert (told[-1].deployment.begun, told[-1].key) == (begun, "card")
    follower.stop()


def test_a_renewed_lease_is_told(there):
    begun = there.begin(1, lease=60.0)
    told = []
    follower = Follower(there.name, there.settings, told.append)
    follower.look()
    until = datetime(2050, 1, 1, tzinfo=UTC)
    there.ledger.renew_lease(there.name, begun, until, "a run")
    follower.look()
    assert told[-1].lease == until.timestamp()
    follower.stop()


def test_the_thread_tells_by_itself_and_ends(there):
    told = []
    follower = Follower(there.name, there.settings, told.append, seconds=0.02)
    follower.start()
    wait(lambda: told)
    there.promote(1)
    wait(lambda: told[-1].deployment.generation == 2)
    follower.stop()
    assert not follower._thread.is_alive()


def test_a_missing_file_is_a_failure_and_stays_missing(stall):
    told = []
    follower = Follower(stall.name, stall.settings, told.append)
    follower.look()
    file = stall.settings.root / "ledger.db"
    file.rename(file.with_name("away"))
    assert [follower.look() for _ in range(5)] == [False] * 5
    assert follower.health()["state"] == "open"
    assert not file.exists()
    file.with_name("away").rename(file)
    wait(follower.look)
    assert follower.health()["state"] == "closed"
    assert len(told) == 1
    follower.stop()


def test_a_locked_file_is_a_failure_until_it_is_free(stall):
    told = []
    follower = Follower(stall.name, stall.settings, told.append)
    other = sqlite3.connect(stall.settings.root / "ledger.db")
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert not follower.look()
    assert "locked" in follower.health()["error"]
    other.rollback()
    other.close()
    wait(follower.look)
    assert told
    follower.stop()


def test_a_file_name_with_odd_characters_is_found(stall, tmp_path):
    odd = replace(stall, settings=Settings(home=tmp_path / "what? 100% #1"))
    odd.promote(0)
    told = []
    follower = Follower(odd.name, odd.settings, told.append)
    assert follower.look(), follower.health()
    follower.stop()


def test_a_look_that_hangs_is_an_error_in_its_health(stall):
    now = [0.0]
    follower = Follower(stall.name, stall.settings, lambda standing: None, clock=lambda: now[0])
    follower.look()
    assert not follower.health()["error"]
    now[0] = 60.0
    assert follower.health()["error"] == "no answer for 60 s"
    follower.stop()
