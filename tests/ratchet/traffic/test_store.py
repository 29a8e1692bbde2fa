"""Journals in, tables out: each journal once, whoever rolls it and however often somebody is killed at it."""

import os
import shutil
import threading
from zlib import crc32

import polars as pl
import pytest

from ratchet.errors import StoreError
from ratchet.traffic.frames import HEADER, frame
from ratchet.traffic.parts import LABELS, PREDICTIONS
from ratchet.traffic.store import DAY, Rolled, TrafficStore
from tests.ratchet.traffic.examples import NOON, both, label, prediction


@pytest.fixture
def store(tmp_path) -> TrafficStore:
    return TrafficStore(tmp_path / "traffic")


@pytest.fixture
def write(tmp_path):
    """Writes a sealed journal."""

    def journal(records, name="w-1"):
        path = tmp_path / f"{name}.sealed"
        path.write_bytes(b"".join(map(frame, records)))
        return path

    return journal


def ids(table: pl.LazyFrame) -> list[str]:
    return table.collect()["request_id"].to_list()


def test_an_empty_store_has_the_same_columns(store):
    assert store.predictions("fraud").collect().schema == PREDICTIONS
    assert store.predictions("fraud", rollout=5, since=0).collect().schema == PREDICTIONS
    assert store.labels("fraud").collect().schema == LABELS
    assert store.first_labels("fraud", as_of=0).collect().is_empty()
    assert store.retain(NOON, 1) == []


def test_a_journal_becomes_parts_by_deployment_kind_day_and_rollout(store, write):
    path = write(
        [*both("a"), label("a"), prediction("b", rollout=0), prediction("c", time=NOON + DAY), prediction("d", deployment="churn")]
    )
    assert store.roll(path) == Rolled(5, 1, 0, 0)
    assert not path.exists()
    assert [str(part.relative_to(store.root))[:-17] for part in sorted(store.root.glob("**/*.parquet"))] == [
        "churn/predictions/date=2025-11-21/w-1.r5",
        "fraud/labels/date=2025-11-21/w-1",
        "fraud/predictions/date=2025-11-21/w-1.r0",
        "fraud/predictions/date=2025-11-21/w-1.r5",
        "fraud/predictions/date=2025-11-22/w-1.r5",
    ]
    assert ids(store.predictions("fraud")) == ["b", "a", "a", "c"]
    assert ids(store.predictions("fraud", rollout=5)) == ["a", "a", "c"]
    assert ids(store.predictions("fraud", rollout=0)) == ["b"]
    assert ids(store.predictions("fraud", rollout=5, since=NOON + 1)) == ["c"]
    assert ids(store.predictions("churn")) == ["d"]
    assert ids(store.labels("fraud")) == ["a"]


def test_the_parts_of_another_rollout_are_not_even_opened(store, write):
    store.roll(write([prediction("old", rollout=1), prediction("new", rollout=2)]))
    (part,) = store.prediction_parts("fraud", rollout=1)
    part.write_bytes(b"damaged")
    assert ids(store.predictions("fraud", rollout=2)) == ["new"]
    with pytest.raises(StoreError, match="is damaged"):
        store.predictions("fraud")


def test_a_kill_at_any_step_of_rolling_costs_and_doubles_nothing(store, write, tmp_path):
    records = [*both("a"), label("a"), prediction("b", deployment="churn")]
    store.roll(write(records))
    parts = sorted(store.root.glob("**/*.parquet"))
    for killed_after in range(len(parts) + 1):
        for part in parts[killed_after:]:
            part.rename(part.with_name(part.name.rsplit(".", 2)[0] + ".part"))  # written, and not renamed yet
        store.roll(write(records))
        assert sorted(store.root.glob("**/*.parquet")) == parts
        assert ids(store.predictions("fraud")) == ["a", "a"]
    assert not list(store.root.glob("**/*.part"))


def test_rolled_by_many_at_once_is_rolled_once(store, write):
    for number in range(20):
        path = write([prediction(f"{number}-{row}") for row in range(50)], f"w-{number}")
        start, rolled = threading.Barrier(4), []

        def roll(path=path, start=start, rolled=rolled) -> None:
            start.wait()
            rolled.append(store.roll(path))

        threads = [threading.Thread(target=roll) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(one.predictions for one in rolled) == [0, 0, 0, 50]
    found = ids(store.predictions("fraud"))
    assert len(found) == len(set(found)) == 1000


def test_a_damaged_journal_gives_all_that_is_whole_and_says_what_was_not(store, tmp_path):
    frames = [frame(prediction(name)) for name in "abc"]
    path = tmp_path / "w.sealed"
    path.write_bytes(frames[0] + frames[1][:-1] + b"x" + frames[2] + frames[0][:-3])
    assert store.roll(path) == Rolled(2, 0, 1, len(frames[0]) - 3)
    assert ids(store.predictions("fraud")) == ["a", "c"]


def test_a_journal_of_a_newer_version_stays(store, tmp_path):
    path, payload = tmp_path / "w.sealed", b'["p2"]'
    path.write_bytes(HEADER.pack(len(payload), crc32(payload)) + payload)
    with pytest.raises(StoreError, match="'p2'"):
        store.roll(path)
    assert path.exists()


def test_a_journal_stays_while_the_store_cannot_be_written(store, write):
    path = write([prediction("a")])
    store.root.write_text("a file where the folder should be")
    with pytest.raises(OSError):
        store.roll(path)
    store.root.unlink()
    assert store.roll(path).predictions == 1


def test_the_first_label_that_was_received_stands(store, write):
    store.roll(write([label("a", "late", received=30), label("b", "b", received=10), label("c", float("nan"), received=1)], "w-1"))
    store.roll(write([label("a", "first", received=20), label("a", "again", received=25), label("c", "c", received=2)], "w-2"))
    assert store.first_labels("fraud", as_of=30).collect().rows() == [("a", 20.0, "first"), ("b", 10.0, "b"), ("c", 2.0, "c")]
    assert store.first_labels("fraud", as_of=15).collect().rows() == [("b", 10.0, "b"), ("c", 2.0, "c")]


def test_retention_deletes_whole_days_and_only_those_that_are_over(store, write):
    store.roll(write([prediction(f"{day}", time=NOON - day * DAY) for day in range(5)]))
    store.roll(write([label("a", received=NOON - 4 * DAY)], "w-2"))
    for folder in store.root.glob("*/*/date=*"):
        os.utime(folder, (NOON - 4 * DAY,) * 2)
    assert store.retain(NOON, 2) == [
        "fraud/labels/date=2025-11-17",
        "fraud/predictions/date=2025-11-17",
        "fraud/predictions/date=2025-11-18",
    ]
    assert ids(store.predictions("fraud")) == ["2", "1", "0"]
    assert ids(store.labels("fraud")) == []
    assert not list(store.root.glob("**/.gone*"))
    assert store.retain(NOON, 2) == []


def test_what_a_rehearsal_recorded_of_long_ago_is_kept_as_long(store, write):
    store.roll(write([prediction("years ago", time=0.0)]))
    written = next(store.root.glob("*/*/date=*")).stat().st_mtime
    assert store.retain(written + DAY, 2) == []
    assert store.retain(written + 3 * DAY, 2) == ["fraud/predictions/date=1970-01-01"]


def test_what_a_killed_retention_left_is_deleted_by_the_next(store, write):
    store.roll(write([prediction("a")]))
    (folder,) = store.root.glob("*/*/date=*")
    shutil.copytree(folder, folder.with_name(".gone-date=2025-01-01-0"))
    assert ids(store.predictions("fraud")) == ["a"]
    store.retain(NOON, 90)
    assert not list(store.root.glob("**/.gone*"))
