import asyncio
import socket

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.serving.details import DTYPES
from ratchet.serving.frames import Line, pack, pack_rows, pack_scored, receive, unpack, unpack_rows, unpack_scored


def test_rows_arrive_as_they_were():
    frame = pl.DataFrame({"amount": [1.5, None], "shop": ["a", None], "at": ["2026-01-01", None], "n": [2**62, None]}).with_columns(
        pl.col("at").str.to_datetime(), pl.lit(None).alias("nothing")
    )
    assert unpack_rows(bytes(pack_rows(frame))).equals(frame)


@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(1, 20))
def test_frames_arrive_whole_and_in_order_however_they_are_cut(bodies, size):
    heard, lost = [], []
    line = Line(lambda header, body: heard.append((header["id"], body)), lost.append)
    stream = b"".join(pack({"id": i}, body) for i, body in enumerate(bodies))
    for start in range(0, len(stream), size):
        line.data_received(stream[start : start + size])
    assert heard == list(enumerate(bodies))
    assert not lost


@pytest.mark.parametrize("noise", [b"\xff" * 16, b"\2\0\0\0\0\0\0\0[]", b"\2\0\0\0\0\0\0\0{x"])
def test_what_is_no_frame_closes_the_line_once_and_says_why(noise):
    lost = []
    line = Line(lambda header, body: None, lost.append)
    line.data_received(noise)
    line.connection_lost(None)
    assert len(lost) == 1
    assert "no answer" in lost[0]


def test_a_half_frame_is_waited_for():
    frame = pack({"id": 1}, b"body")
    assert unpack(frame[:-1]) is None
    assert unpack(frame) == ({"id": 1}, b"body", len(frame))


def test_a_blocking_reader_meets_the_end_of_the_line():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(pack({"id": 1}, b"xyz") + b"\1\0")
        ours.shutdown(socket.SHUT_WR)
        assert receive(theirs) == ({"id": 1}, b"xyz")
        assert receive(theirs) is None


def test_a_line_that_was_closed_before_it_was_made_closes_its_socket():
    async def story():
        ours, theirs = socket.socketpair()
        lost = []
        line = Line(lambda header, body: None, lost.append)
        line.close("not wanted any more")
        await asyncio.get_running_loop().create_unix_connection(lambda: line, sock=ours)
        with theirs:
            assert await asyncio.to_thread(theirs.recv, 1) == b""
        assert lost == ["not wanted any more"]

    asyncio.run(story())


@given(st.integers(0, 5), st.integers(0, 3), st.sets(st.sampled_from(["embedding", "shares"])), st.integers(1, 4))
def test_what_a_model_answered_arrives_as_it_was(rows, width, names, columns):
    predictions = np.arange(float(rows * max(width, 1)))
    predictions = predictions.reshape(rows, width) if width else predictions
    details = {name: np.linspace(-1, 1, rows * columns).reshape(rows, columns).astype(DTYPES[name]) for name in names}
    layout, body = pack_scored(predictions, details)
    header = {"outcome": [[rows, 1.0, ""]], **layout}
    again, more = unpack_scored(header, body)
    assert (again.tolist(), again.shape) == (predictions.tolist(), predictions.shape)
    assert {name: (values.dtype, values.tolist()) for name, values in more.items()} == {
        name: (DTYPES[name], values.tolist()) for name, values in details.items()
    }
    for wrong in (body + b"\0" * 8, body[:-8]):
        if wrong != body:
            with pytest.raises(ValueError):
                unpack_scored(header, wrong)


def test_a_detail_that_nobody_knows_closes_the_line():
    lost = []
    line = Line(lambda header, body: unpack_scored(header, body), lost.append)
    line.data_received(pack({"outcome": [[1, 1.0, ""]], "width": 0, "details": [["weights", 9]]}, b"\0" * 80))
    assert "no answer" in lost[0]
