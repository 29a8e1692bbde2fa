"""What a gateway records is in the store a roll later, without what is personal, and nothing that goes wrong there reaches a client."""

import shutil
import time
from dataclasses import replace

import pytest

from ratchet.settings import Settings
from ratchet.traffic.privacy import Privacy
from ratchet.traffic.recorder import Recorder
from ratchet.traffic.sampling import sampled
from tests.ratchet.traffic import victims
from tests.ratchet.traffic.examples import both, label, prediction

PRIVACY = Privacy({"card": "hash", "name": "drop"}, b"salt")
CARD, NAME = "4111-2222-3333-4444", "Ann Example"


@pytest.fixture
def recorder(tmp_path):
    recorder = Recorder(tmp_path / "journal", tmp_path / "traffic", privacy=PRIVACY, roll_seconds=3600)
    yield recorder
    recorder.close()


def ids(recorder: Recorder) -> list[str]:
    return recorder.store.predictions("fraud").collect()["request_id"].to_list()


def test_what_is_recorded_is_in_the_store_after_a_roll(recorder):
    recorder.record(both("a"))
    recorder.record_labels([label("a")])
    recorder.roll()
    assert ids(recorder) == ["a", "a"]
    assert recorder.store.labels("fraud").collect()["request_id"].to_list() == ["a"]
    health = recorder.health()
    assert (health["ok"], health["appended"], health["dropped"], health["roll_errors"]) == (True, 3, 0, [])
    assert health["rolled"] == {"predictions": 2, "labels": 1, "damaged": 0, "torn": 0}


def test_closing_rolls_the_rest_and_leaves_no_journal(tmp_path):
    recorder = Recorder(tmp_path / "journal", tmp_path / "traffic", roll_seconds=0.01)
    for number in range(200):
        recorder.record(both(f"{number}"))
    recorder.close()
    assert sorted(ids(recorder)) == sorted(f"{number}" for number in range(200) for _ in range(2))
    assert not list((tmp_path / "journal").iterdir())


@pytest.mark.slow
def test_the_thread_has_a_child_roll_what_is_recorded_and_what_a_killed_gateway_left(tmp_path):
    victim = victims.start("write", tmp_path / "journal", "victim")
    victim.stdout.readline()
    victims.kill(victim)
    recorder = Recorder(tmp_path / "journal", tmp_path / "traffic", roll_seconds=0.01)
    recorder.record(both("a"))
    while not {"a", "victim/0"} <= set(ids(recorder)):
        assert not recorder.health()["roll_errors"]
        time.sleep(0.01)
    recorder.close()


def test_no_file_holds_what_is_personal(recorder, tmp_path):
    inputs = {"card": CARD, "name": NAME, "amount": 3.5}
    unit = recorder.privacy.unit("card", CARD)
    recorder.record([prediction("a", inputs=inputs, unit=unit, error=f"{CARD} of {NAME} is odd")])
    recorder.record([prediction("b", inputs=inputs | {"card": [CARD]}, unit=unit)])
    journals = [path.read_bytes() for path in (tmp_path / "journal").iterdir()]
    assert b"amount" in journals[0]
    recorder.roll()
    rows = recorder.store.predictions("fraud").collect()
    assert rows["inputs"][0] == f'{{"amount":3.5,"card":"{unit}"}}'
    assert rows["unit"].to_list() == [unit, unit]
    assert rows["error"].to_list() == ["… of … is odd", ""]
    parts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for content in [*journals, *parts, str(rows.to_dicts()).encode()]:
        assert CARD.encode() not in content
        assert NAME.encode() not in content


def test_what_cannot_be_made_private_is_not_written(recorder):
    class Unwritable:
        def __str__(self) -> str:
            raise RuntimeError("no text for this")

    recorder.record([prediction("a", inputs={"card": Unwritable()})])
    assert recorder.health()["dropped"] == 1
    assert "cannot be made private: RuntimeError" in recorder.health()["error"]
    recorder.record([prediction("b")])
    assert recorder.health()["ok"]


def test_outside_a_rollout_a_sample_is_recorded_and_within_one_everything(tmp_path):
    recorder = Recorder(tmp_path / "journal", tmp_path / "traffic", sample=0.3, roll_seconds=3600)
    outside = [f"{number}" for number in range(300)]
    for one in outside:
        recorder.record([prediction(one, rollout=0), prediction(f"within-{one}")])
    recorder.record_labels([label(one) for one in outside])
    recorder.close()
    found = ids(recorder)
    assert [one for one in found if not one.startswith("within")] == [one for one in outside if sampled(one, 0.3)]
    assert sum(one.startswith("within") for one in found) == 300
    assert recorder.store.labels("fraud").collect().height == 300


def test_a_store_that_is_gone_is_told_and_caught_up_with_when_it_is_back(recorder, tmp_path):
    shutil.rmtree(tmp_path / "traffic", ignore_errors=True)
    (tmp_path / "traffic").write_text("in the way")
    recorder.record(both("a"))
    recorder.roll()
    assert not recorder.health()["ok"]
    assert "cannot be rolled and stays" in recorder.health()["roll_errors"][0]
    (tmp_path / "traffic").unlink()
    recorder.record(both("b"))
    recorder.roll()
    assert recorder.health()["ok"]
    assert sorted(ids(recorder)) == ["a", "a", "b", "b"]


@pytest.mark.slow
def test_a_roller_that_cannot_run_is_told_and_recording_goes_on(tmp_path):
    recorder = Recorder(tmp_path / "journal", tmp_path / "traffic", roll_seconds=0.01)
    (tmp_path / "traffic").write_text("in the way")
    recorder.record(both("a"))
    while not recorder.health()["roll_errors"]:
        time.sleep(0.01)
    recorder.record(both("b"))
    assert recorder.health()["dropped"] == 0
    (tmp_path / "traffic").unlink()
    recorder.close()
    assert sorted(ids(recorder)) == ["a", "a", "b", "b"]


def test_settings_make_a_recorder(tmp_path, monkeypatch):
    monkeypatch.setenv("SALT", "salt")
    settings = Settings(home=tmp_path, personal_columns={"card": "hash"}, personal_salt="env:SALT", traffic_sample=0.0)
    recorder = Recorder.from_settings(settings, writer="me")
    recorder.record([prediction("a", inputs={"card": CARD}), replace(prediction("b"), rollout=0)])
    recorder.close()
    rows = recorder.store.predictions("fraud").collect()
    assert rows["inputs"].to_list() == [f'{{"card":"{PRIVACY.unit("card", CARD)}"}}']
    assert recorder.store.root == tmp_path / "traffic"
