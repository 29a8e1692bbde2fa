import asyncio
from pathlib import Path

import numpy as np
import pytest

from ratchet.delivery.deployment import Deployment
from ratchet.serving.companion import Companion
from ratchet.serving.lineup import Lineup
from ratchet.serving.mirror import Reply
from ratchet.serving.recording import Recording
from ratchet.serving.rows import Rows
from ratchet.serving.served import Scored, load
from ratchet.serving.standing import Standing
from ratchet.traffic.privacy import Privacy
from ratchet.traffic.records import FELL_BACK

ROWS = Rows("r", 5.0, "user 1", {"amount": [1.0, 2.0], "card": ["4111", "4222"]})
SCORED = Scored(np.array([0.25, 0.75]), 1.5)


def read(answers):
    """The records as they are read: one a row."""
    return [row for one in answers for row in one.rows()]


@pytest.fixture
def lineup(stored):
    async def made():
        champion = load(Path(stored[0].uri), stored[0], None)
        standing = Standing(Deployment("fraud", stored[0], None, stored[1], "canary", 5, 3, 1, 2), key="card")
        return Lineup(champion, Companion(stored[1], None, begun=2, timeout_ms=1000.0), standing)

    return asyncio.run(made())


def test_a_champion_s_record_says_all_there_is(lineup):
    first, second = read(Recording(Privacy({})).of_champion(ROWS, lineup, lineup.champion, SCORED))
    assert (first.request_id, second.request_id) == ("r#0", "r#1")
    assert (first.deployment, first.version, first.role, first.phase) == ("fraud", "0", "champion", "canary")
    assert (first.time, first.percent, first.generation, first.rollout) == (5.0, 5, 3, 2)
    assert (first.prediction, second.prediction, first.latency_ms) == ((0.25,), (0.75,), 1.5)
    assert first.served
    assert first.inputs == {"amount": 1.0, "card": "4111"}
    assert (first.unit, second.unit) == ("4111", "4222")


@pytest.mark.parametrize(
    ("reply", "canary", "served"),
    [
        (Reply(np.array([0.1, 0.9]), 2.0), True, "challenger"),
        (Reply(None, 1000.0, "no answer in 1000 ms"), True, "champion"),
        (Reply(None, 0.0, "the mirror queue is full", skipped=True), True, "champion"),
    ],
)
def test_in_canary_exactly_one_of_both_was_served_and_has_the_inputs(lineup, reply, canary, served):
    records = read(Recording(Privacy({})).of_both(ROWS, lineup, lineup.champion, SCORED, reply, canary=canary))
    assert len(records) == 4
    assert {record.role for record in records if record.served} == {served}
    assert all((record.inputs is not None) == record.served for record in records)
    companion = records[0]
    assert companion.role == ("skipped" if reply.skipped else "challenger")
    assert companion.error == reply.error + (FELL_BACK if reply.error else "")
    assert bool(companion.prediction) == (not reply.error)


def test_where_the_client_wanted_nobody_else_a_failure_served_nobody(lineup):
    reply = Reply(None, 0.0, "it is away")
    records = read(Recording(Privacy({})).of_both(ROWS, lineup, lineup.champion, SCORED, reply, canary=True, pinned=True))
    assert not any(record.served for record in records)


def test_beside_a_champion_that_answered_only_the_companion_is_recorded(lineup):
    records = read(Recording(Privacy({})).of_both(ROWS, lineup, lineup.champion, SCORED, Reply(np.array([0.1, 0.9])), canary=False))
    assert [record.role for record in records] == ["challenger"] * 2
    assert not any(record.served for record in records)


def test_what_is_personal_is_not_in_the_unit_nor_in_an_error(lineup):
    recording = Recording(Privacy({"card": "hash"}, b"salt"))
    reply = Reply(None, 0.0, "column 'card': '4111' is no number")
    records = read(recording.of_both(ROWS, lineup, lineup.champion, SCORED, reply, canary=True))
    assert not any("4111" in record.unit + record.error for record in records)
    assert records[0].unit == records[2].unit != records[1].unit
    assert {record.unit for record in read(Recording(Privacy({"card": "drop"})).of_champion(ROWS, lineup, lineup.champion, SCORED))} == {""}


def test_probabilities_of_classes_stay_together(lineup):
    scored = Scored(np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]), 1.0)
    records = read(Recording(Privacy({})).of_champion(ROWS, lineup, lineup.champion, scored))
    assert [record.prediction for record in records] == [(0.1, 0.2, 0.7), (0.3, 0.3, 0.4)]
