"""Whoever dies at whatever moment, each journal is rolled once."""

import os
import random
import subprocess
import sys
import time

import orjson
import pytest

from ratchet.traffic.frames import frame
from ratchet.traffic.journal import Journal
from ratchet.traffic.rolling import recover, roll_folder
from ratchet.traffic.store import DAY, Rolled, TrafficStore
from tests.ratchet.traffic import victims
from tests.ratchet.traffic.examples import NOON, label, prediction


@pytest.fixture
def store(tmp_path) -> TrafficStore:
    return TrafficStore(tmp_path / "traffic")


def ids(store: TrafficStore) -> list[str]:
    return sorted(store.predictions("fraud").collect()["request_id"].to_list())


def seal(folder, name: str, rows: int = 1) -> None:
    path = folder / f"{name}.sealed"
    path.with_suffix(".written").write_bytes(b"".join(frame(prediction(f"{name}-{row}")) for row in range(rows)))
    path.with_suffix(".written").rename(path)


def test_the_journal_of_a_living_writer_is_left_alone(tmp_path, store):
    journal = Journal(tmp_path, sync_seconds=3600)
    journal.append([prediction("a")])
    assert recover(tmp_path) == []
    assert roll_folder(tmp_path, store).rolled == Rolled()
    journal.append([prediction("b")])
    journal.seal()
    assert roll_folder(tmp_path, store).rolled == Rolled(predictions=2)
    journal.close()


@pytest.mark.slow
def test_the_journal_of_a_killed_writer_is_rolled_once_also_by_two_at_once(tmp_path, store):
    victim = victims.start("write", tmp_path, "victim")
    lines = [victim.stdout.readline() for _ in range(5)]
    lines += victims.kill(victim)
    appended = int([line for line in lines if line.endswith("\n")][-1])
    command = [sys.executable, "-m", "ratchet.traffic.rolling", str(tmp_path), str(store.root)]
    rollers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    rounds = [orjson.loads(roller.communicate()[0]) for roller in rollers]
    assert [one["errors"] for one in rounds] == [[], []]
    rolled = sum(one["rolled"]["predictions"] for one in rounds)
    assert rolled // 2 in (appended + 1, appended + 2), "at most the one append that it had no time to tell of"
    assert len(ids(store)) == rolled
    assert set(ids(store)) >= {f"victim/{number}" for number in range(appended + 1)}
    assert not list(tmp_path.glob("*.sealed")) + list(tmp_path.glob("*.open"))


def test_what_was_killed_while_it_made_a_file_is_cleared_away_later(tmp_path):
    (tmp_path / ".w-1.open").touch()
    made = (tmp_path / ".w-1.open").stat().st_mtime
    recover(tmp_path)
    recover(tmp_path, now=made + 60)
    assert (tmp_path / ".w-1.open").exists()
    recover(tmp_path, now=made + DAY)
    assert not (tmp_path / ".w-1.open").exists()


def test_one_that_cannot_be_rolled_does_not_keep_the_others(tmp_path, store):
    seal(tmp_path, "a")
    (tmp_path / "b.sealed").mkdir()
    seal(tmp_path, "c")
    done = roll_folder(tmp_path, store)
    assert done.rolled.predictions == 2
    (error,) = done.errors
    assert "b.sealed' cannot be rolled and stays" in error


def test_damage_is_counted_and_logged(tmp_path, store, caplog):
    whole = frame(prediction("a"))
    (tmp_path / "w.sealed").write_bytes(whole[:-1] + whole + whole[:9])
    assert roll_folder(tmp_path, store).rolled == Rolled(predictions=1, damaged=1, torn=9)
    assert "1 damaged places, 9 bytes torn off" in caplog.text


def test_no_folder_is_nothing_to_do(tmp_path, store):
    assert roll_folder(tmp_path / "none", store).errors == []


def test_a_round_retains_when_it_is_told_the_time(tmp_path, store):
    seal(tmp_path, "a")
    assert roll_folder(tmp_path, store).retired == []
    for folder in store.root.glob("*/*/date=*"):
        os.utime(folder, (NOON, NOON))
    assert roll_folder(tmp_path, store, now=NOON + 3 * DAY, days=1).retired == ["fraud/predictions/date=2025-11-21"]


@pytest.mark.slow
def test_the_command_prints_its_round(tmp_path, store):
    (tmp_path / "w.sealed").write_bytes(frame(prediction("a")) + frame(label("a")))
    command = [sys.executable, "-m", "ratchet.traffic.rolling", str(tmp_path), str(store.root), "--now", repr(NOON), "--days", "9"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert orjson.loads(done.stdout) == {
        "rolled": {"predictions": 1, "labels": 1, "damaged": 0, "torn": 0},
        "errors": [],
        "retired": [],
    }


def kill_rollers(folder, store: TrafficStore, chance: random.Random, kills: int) -> None:
    expected = []
    for number in range(kills):
        victim = victims.start("roll", folder, store.root)
        victim.stdout.readline()
        for batch in range(20):
            seal(folder, f"w{number}-{batch}", rows=20)
            expected += [f"w{number}-{batch}-{row}" for row in range(20)]
        time.sleep(chance.uniform(0, 0.05))
        victims.kill(victim)
    roll_folder(folder, store)
    assert ids(store) == sorted(expected)
    assert not list(folder.glob("*.sealed"))


@pytest.mark.slow
def test_killed_rollers_lose_and_double_nothing(tmp_path, store):
    kill_rollers(tmp_path, store, random.Random(1), kills=3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_soak_killed_rollers_lose_and_double_nothing(tmp_path, store, seed):
    kill_rollers(tmp_path, store, random.Random(seed), kills=20)
