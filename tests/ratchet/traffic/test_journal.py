"""What was appended survives the process; what cannot be written is counted, and serving goes on."""

import json
import random
import shutil
import threading
import time

import pytest

from ratchet.traffic.frames import read_journal
from ratchet.traffic.journal import Journal, writer_name
from tests.ratchet.traffic import victims
from tests.ratchet.traffic.examples import both, label, prediction


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal", writer="w", sync_seconds=3600)
    yield journal
    journal.close()


def recorded(folder) -> list[str]:
    return [record.request_id for path in sorted(folder.glob("*.*")) for record in read_journal(path)]


def test_what_is_appended_is_in_the_file_at_once(journal):
    journal.append([*both("a"), label("a")])
    journal.append([prediction("b")])
    journal.append([])
    assert recorded(journal.folder) == ["a", "a", "a", "b"]
    assert journal.health() | {"unsynced_s": 0, "file": ""} == {
        **{"ok": True, "writer": "w", "file": "", "appended": 4, "dropped": 0, "unsynced_s": 0, "error": ""}
    }


def test_a_sealed_file_is_whole_and_the_next_begins(journal):
    assert journal.seal() is None
    journal.append([prediction("a")])
    first = journal.seal()
    journal.append([prediction("b")])
    second = journal.seal()
    assert [[record.request_id for record in read_journal(path)] for path in (first, second)] == [["a"], ["b"]]
    assert first.suffix == second.suffix == ".sealed"
    assert journal.seal() is None


def test_threads_that_append_while_another_seals_lose_nothing(journal):
    def append(name: int) -> None:
        for number in range(300):
            journal.append([prediction(f"{name}-{number}")])

    threads = [threading.Thread(target=append, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        journal.seal()
    journal.seal()
    assert sorted(recorded(journal.folder)) == sorted(f"{name}-{number}" for name in range(4) for number in range(300))


def test_two_writers_of_one_name_never_collide(journal):
    other = Journal(journal.folder, writer="w")
    for number in range(3):
        for one in (journal, other):
            one.append([prediction(f"{number}")])
            one.seal()
    other.close()
    assert len(list(journal.folder.glob("*.sealed"))) == 6


def test_a_writer_s_name_is_its_own_and_fits_a_file(tmp_path):
    assert writer_name() != writer_name()
    journal = Journal(tmp_path, writer="../a b/" + "x" * 500)
    journal.append([prediction()])
    journal.close()
    assert len(list(tmp_path.glob("*.sealed"))) == 1


def test_the_thread_syncs(tmp_path):
    now = [1000.0]
    journal = Journal(tmp_path, sync_seconds=0.005, clock=lambda: now[0])
    journal.append([prediction()])
    now[0] = 1005.0
    while journal.health()["unsynced_s"]:
        time.sleep(0.001)
    journal.close()


def test_what_waits_for_the_disk_is_told(tmp_path):
    now = [1000.0]
    journal = Journal(tmp_path, sync_seconds=3600, clock=lambda: now[0])
    journal.append([prediction()])
    now[0] = 1005.0
    assert journal.health()["unsynced_s"] == 5.0
    journal.sync()
    assert journal.health()["unsynced_s"] == 0.0
    journal.close()


def test_after_closing_records_are_dropped_and_counted(journal):
    journal.append([prediction("a")])
    assert journal.close().suffix == ".sealed"
    journal.append([prediction("b")])
    journal.sync()
    assert journal.seal() is None
    assert journal.close() is None
    assert recorded(journal.folder) == ["a"]
    assert (journal.health()["dropped"], journal.health()["ok"]) == (1, False)


def test_a_journal_that_was_never_written_to_leaves_no_file(tmp_path):
    Journal(tmp_path).close()
    assert not list(tmp_path.iterdir())


class Unwritable:
    """A value that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text for this")


@pytest.mark.parametrize("inputs", [{"x": Unwritable()}, {"x": "y" * 2**24}], ids=["unshowable", "too large"])
def test_a_record_that_cannot_be_written_is_dropped_and_counted_and_the_next_is_written(journal, inputs):
    journal.append([prediction("a"), prediction("b", inputs=inputs)])
    assert (journal.health()["dropped"], journal.health()["ok"]) == (2, False)
    assert "a record" in journal.health()["error"]
    journal.append([prediction("c")])
    assert recorded(journal.folder) == ["c"]
    assert journal.health()["ok"]


def test_a_full_disk_costs_what_did_not_fit_and_no_other_record(tmp_path):
    said, _ = victims.start("fill", tmp_path).communicate()
    full, back = map(json.loads, said.splitlines())
    assert not full["ok"]
    assert "bytes fit; is the disk full?" in full["error"]
    assert full["dropped"] > 0
    assert full["appended"] + full["dropped"] == 200
    assert (back["ok"], back["error"], back["appended"]) == (True, "", full["appended"] + 1)
    (path,) = tmp_path.iterdir()
    reader = read_journal(path)
    assert [record.request_id for record in reader] == [f"full-{number:03}" for number in range(full["appended"])] + ["the disk is back"]
    assert (reader.damaged, reader.torn) == (0, 0)


def test_a_folder_that_is_removed_comes_back_with_all_that_was_in_the_file(journal):
    journal.append([prediction("a")])
    shutil.rmtree(journal.folder)
    journal.append([prediction("b")])
    journal.sync()
    journal.append([prediction("c")])
    assert recorded(journal.folder) == ["a", "b", "c"]
    assert journal.health()["ok"]


def test_a_folder_that_is_removed_is_made_again_when_the_file_is_sealed(journal):
    journal.append([prediction("a")])
    shutil.rmtree(journal.folder)
    path = journal.seal()
    assert [record.request_id for record in read_journal(path)] == ["a"]


def test_while_the_folder_cannot_be_made_health_says_so_and_nothing_is_lost(journal):
    journal.append([prediction("a")])
    shutil.rmtree(journal.folder)
    journal.folder.write_text("in the way")
    journal.sync()
    journal.append([prediction("b")])
    assert journal.seal() is None
    assert not journal.health()["ok"]
    assert f"no journal can be made in {str(journal.folder)!r}" in journal.health()["error"]
    journal.folder.unlink()
    journal.sync()
    assert journal.health()["ok"]
    assert recorded(journal.folder) == ["a", "b"]


def test_a_journal_without_a_disk_at_its_start_drops_counts_and_recovers(tmp_path):
    (tmp_path / "journal").write_text("in the way")
    journal = Journal(tmp_path / "journal", sync_seconds=3600)
    journal.append([prediction("a")])
    assert (journal.health()["ok"], journal.health()["dropped"]) == (False, 1)
    (tmp_path / "journal").unlink()
    journal.sync()
    journal.append([prediction("b")])
    assert journal.health()["ok"]
    assert recorded(tmp_path / "journal") == ["b"]
    journal.close()


def kill_a_writer(folder, chance: random.Random) -> None:
    victim = victims.start("write", folder, f"victim-{chance.random()}")
    first = victim.stdout.readline()
    time.sleep(chance.uniform(0, 0.1))
    appended = int([first, *(line for line in victims.kill(victim) if line.endswith("\n"))][-1])
    readers = [read_journal(path) for path in sorted(folder.glob("victim*"))]
    found = [int(record.request_id.split("/")[1]) for reader in readers for record in reader]
    assert found[: 3 * (appended + 1)] == [number for number in range(appended + 1) for _ in range(3)]
    assert len(found) <= 3 * (appended + 2), "at most the one append that it had no time to tell of"
    assert sum(reader.damaged for reader in readers) == 0


@pytest.mark.parametrize("seed", range(10))
def test_a_killed_writer_loses_nothing_that_was_appended(tmp_path, seed):
    kill_a_writer(tmp_path, random.Random(seed))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_soak_a_killed_writer_loses_nothing_that_was_appended(tmp_path, seed):
    kill_a_writer(tmp_path, random.Random(seed))
