from dataclasses import replace

import pytest

from ratchet.delivery.deployment import Deployment, ModelRef
from ratchet.serving.standing import Standing, load_standing, read_standing, save_standing

STATE = Deployment("fraud").promoted(ModelRef("1", "sha256:aa", "/1")).trying(ModelRef("2", "sha256:bb", "/2"), "canary", 5)


def test_it_is_read_as_it_was_written(tmp_path):
    standing = Standing(STATE, "card", 250.0, 1234.5)
    save_standing(tmp_path / "deep" / "fraud.json", standing)
    assert load_standing(tmp_path / "deep" / "fraud.json") == standing


@pytest.mark.parametrize(
    ("phase", "timed_in_shadow", "background"),
    [("shadow", False, True), ("shadow", True, False), ("canary", False, False), ("watch", False, True)],
)
def test_only_whom_nobody_times_or_waits_for_runs_in_the_background(phase, timed_in_shadow, background):
    state = replace(STATE, phase=phase)
    assert Standing(state, timed_in_shadow=timed_in_shadow).in_background == background


def test_where_no_canary_follows_the_shadow_is_timed(stall):
    stall.begin(1, strategy="blue_green")
    assert read_standing(stall.ledger, stall.name).timed_in_shadow


def test_a_worker_that_is_behind_does_not_write_over_a_later_state(tmp_path):
    path = tmp_path / "fraud.json"
    later = Standing(replace(STATE, generation=9))
    save_standing(path, later)
    save_standing(path, Standing(STATE))
    assert load_standing(path) == later


@pytest.mark.parametrize("content", ["", "{", "[]", '{"deployment": "{}"}', '{"surprise": 1, "deployment": "{}"}'])
def test_a_file_that_cannot_be_read_is_no_file(tmp_path, content):
    (tmp_path / "fraud.json").write_text(content)
    assert load_standing(tmp_path / "fraud.json") is None
    assert load_standing(tmp_path / "absent.json") is None


def test_the_ledger_says_it_with_the_policy_and_the_lease(stall):
    assert read_standing(stall.ledger, stall.name) == Standing(stall.ledger.deployment(stall.name))
    stall.begin(1, phase="canary", percent=5, key="card", timeout_ms=70.0, lease=60.0)
    standing = read_standing(stall.ledger, stall.name)
    assert (standing.key, standing.timeout_ms) == ("card", 70.0)
    assert standing.lease == stall.ledger.lease(stall.name).timestamp()
    assert standing.deployment == stall.ledger.deployment(stall.name)
