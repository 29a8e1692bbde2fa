from datetime import timedelta

import pytest

from ratchet.errors import ExpressionError
from ratchet.features.durations import parse_duration

WRITTEN = {
    "45s": timedelta(seconds=45),
    "30m": timedelta(minutes=30),
    "12h": timedelta(hours=12),
    "2w": timedelta(weeks=2),
    "0": timedelta(0),
}


@pytest.mark.parametrize(("text", "span"), WRITTEN.items())
def test_a_span_is_a_number_and_a_unit(text, span):
    assert parse_duration(text, "over") == span


@pytest.mark.parametrize("text", ["7", "7 d", "-7d", "7.5d", "d", "7D", "seven days", "999999d", 7, "７d "])
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(ExpressionError, match=r"over is .*; write"):
        parse_duration(text, "over")
