"""Logs: one line of JSON a record, whatever is in it."""

import io
import logging

import orjson

from ratchet.serving.logs import JsonFormatter


def test_a_record_is_one_line_with_its_extras():
    stream = io.StringIO()
    log = logging.Logger("g")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    log.addHandler(handler)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        log.exception("failed: %s", "a\nb", extra={"request_id": "r", "odd": object()})
    [line] = stream.getvalue().splitlines()
    told = orjson.loads(line)
    assert (told["level"], told["message"], told["request_id"]) == ("error", "failed: a\nb", "r")
    assert "ValueError" in told["exception"]
