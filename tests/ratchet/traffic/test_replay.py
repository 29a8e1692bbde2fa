"""What a replay refuses before it sends anything, and how values and times are written; against a gateway it is tested as a component."""

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest

from ratchet.errors import ParameterError
from ratchet.traffic.replay import Replay, Sent, plain, seconds

ROWS = pl.DataFrame({"amount": [1.0], "fraud": [0]})
NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("replay", "told"),
    [
        (Replay(NOWHERE, "fraud", target="fruad"), "no column 'fruad'.*fraud"),
        (Replay(NOWHERE, "fraud", key="card"), "no column 'card'"),
        (Replay(NOWHERE, "fraud", rate=0.0), r"rate 0\.0.*above 0"),
        (Replay(NOWHERE, "fraud", label_delay="7d"), "longer than an hour.*time column"),
        (Replay("gateway:8080", "fraud"), "'gateway:8080' is no URL.*http://"),
        (Replay(NOWHERE, "fraud"), r"127\.0\.0\.1:9 does not serve 'fraud'.*refused"),
    ],
    ids=["target", "key", "rate", "delay", "no URL", "nobody there"],
)
def test_what_cannot_be_replayed_is_refused_by_name(replay, told):
    with pytest.raises(ParameterError, match=told):
        replay.send(ROWS)


def test_times_are_seconds_in_utc():
    noon = datetime(2018, 8, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert seconds(noon) == datetime(2018, 8, 1, 10, tzinfo=UTC).timestamp()
    assert seconds(datetime(2018, 8, 1)) == seconds(date(2018, 8, 1)) == datetime(2018, 8, 1, tzinfo=UTC).timestamp()
    assert seconds(17) == 17.0


def test_values_are_as_json_has_them():
    assert plain(datetime(2018, 8, 1, 12)) == "2018-08-01T12:00:00"
    assert [plain(value) for value in (float("nan"), float("inf"), 1.5, None, "x")] == [None, None, 1.5, None, "x"]


def test_a_failure_is_told():
    sent = Sent(requests=3, failed=1, errors=["status 0: refused"], milliseconds=[1.0, 2.0])
    assert sent.verdict == "failed"
    assert "status 0: refused" in sent.page().markdown()
