"""Answers that are written as one are read as if each row had been written by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.traffic.answers import ABSENT, Answers
from ratchet.traffic.frames import LARGEST, JournalReader, frame
from ratchet.traffic.parts import table
from ratchet.traffic.privacy import Privacy
from ratchet.traffic.recorder import Recorder
from ratchet.traffic.records import decode, encode
from tests.ratchet.traffic.examples import NOON, answers, label

CELLS = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4) | st.just(ABSENT)
PROBABILITY = st.floats(0, 1)


@st.composite
def some_answers(draw: st.DrawFn) -> Answers:
    count = draw(st.integers(1, 4))

    def each(of: st.SearchStrategy) -> st.SearchStrategy:
        return st.lists(of, min_size=count, max_size=count)

    return answers(
        draw(st.text("abc", min_size=1)),
        count=count,
        unit=draw(st.text(max_size=3) | each(st.text(max_size=3))),
        inputs=draw(st.none() | st.dictionaries(st.text(max_size=3), each(CELLS), max_size=3)),
        prediction=draw(st.none() | each(PROBABILITY) | each(st.lists(PROBABILITY, min_size=3, max_size=3))),
    )


@given(some_answers())
def test_what_is_read_is_what_each_row_by_itself_would_be(made):
    alone = [decode(encode(row)) for row in made.rows()]
    assert list(JournalReader(frame(made))) == alone
    assert table(list(JournalReader(frame(made)))).equals(table(alone))


def test_rows_are_named_and_share_what_is_the_request_s():
    first, second = answers("r", unit=["a", "b"], inputs={"x": [1, ABSENT], "y": [None, 2]}).rows()
    assert (first.request_id, second.request_id, first.unit, second.unit) == ("r#0", "r#1", "a", "b")
    assert (first.inputs, second.inputs) == ({"x": 1, "y": None}, {"y": 2})
    assert (first.time, first.rollout, first.served) == (NOON, 5, True)
    assert [one.request_id for one in answers("r", count=1, inputs=None, prediction=[0.5]).rows()] == ["r"]


def test_a_torn_tail_costs_all_rows_of_the_last_request_and_no_other():
    whole = frame(answers("first")) + frame(label("first#0"))
    torn = whole + frame(answers("second"))[:-1]
    reader = JournalReader(torn)
    assert [one.request_id for one in reader] == ["first#0", "first#1", "first#0"]
    assert (reader.damaged, reader.torn) == (0, len(torn) - len(whole))


def test_answers_too_large_for_one_record_are_written_a_row_at_a_time():
    made = answers("r", count=3, inputs={"text": ["x" * (LARGEST // 2)] * 3}, prediction=[0.1, 0.2, 0.3])
    assert list(JournalReader(frame(made))) == made.rows()


@pytest.mark.parametrize("count", [0, -1, "2", None])
def test_answers_to_no_row_are_no_record(count):
    with pytest.raises(ValueError, match="no number of rows"):
        decode(encode(answers("a", count=count, inputs=None, prediction=None)))


@pytest.mark.parametrize("wrong", [{"count": 3}, {"inputs": {"x": [1]}}, {"prediction": [0.5]}, {"unit": ["a"]}])
def test_columns_of_another_length_are_no_record(wrong):
    with pytest.raises(ValueError, match="values for"):
        decode(encode(answers("a", **wrong)))


def test_what_is_personal_is_hashed_or_left_out_in_every_row(tmp_path):
    privacy = Privacy({"card": "hash", "name": "drop"}, b"salt")
    recorder = Recorder(tmp_path / "journal", tmp_path / "traffic", privacy=privacy)
    inputs = {"card": ["4111", None], "name": ["Ann", "Bob"], "amount": [1.0, 2.0]}
    recorder.record([answers("r", inputs=inputs, error="'Bob' of '4111' is too long")])
    assert recorder.health()["appended"] == 2
    recorder.close()
    rows = recorder.store.predictions("fraud").collect().sort("request_id")
    assert rows["inputs"].to_list() == [
        f'{{"amount":1.0,"card":"{privacy.apply({"card": "4111"})["card"]}"}}',
        '{"amount":2.0,"card":null}',
    ]
    assert rows["error"].to_list() == ["'…' of '…' is too long"] * 2
