"""What an error becomes: the client's fault below 500, ours above, and when to come again."""

import pytest

from ratchet.errors import NotReadyError, OverloadedError, RequestError, SchemaError, UnanswerableError
from ratchet.serving.inference import outcome
from tests.ratchet.serving.gateways import GOOD, v2


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestError("x", status=404), 404),
        (SchemaError("x"), 422),
        (NotReadyError("x"), 503),
        (OverloadedError("x"), 503),
        (UnanswerableError("x"), 500),
        (ValueError("secret"), 500),
    ],
)
def test_an_error_has_its_status(error, status):
    found, message, headers = outcome(error, None, "")
    assert found == status
    assert "secret" not in message
    assert (b"retry-after" in dict(headers)) == (status == 503)


def test_the_time_of_a_request_is_believed_in_a_rehearsal(desktop):
    desktop.post("/v2/models/fraud/infer", json=v2([GOOD], id="rehearsed", parameters={"time": 1000.0, "key": "card 1"}))
    desktop.app.recorder.roll()
    frame = desktop.app.recorder.store.predictions("fraud").collect()
    [row] = frame.filter(frame["request_id"] == "rehearsed").to_dicts()
    assert row["time"] == 1000.0
    assert row["unit"] == "card 1"
