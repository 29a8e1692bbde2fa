"""Pieces are evened out without a row more or less, and made ahead without waiting for each other."""

import threading
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.data import batches
from ratchet.data.batches import ahead, evened


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 400_000), max_size=12))
def test_rows_keep_their_order_and_pieces_their_size(heights: list[int]) -> None:
    ends = [sum(heights[:place]) for place in range(len(heights) + 1)]
    pieces = list(evened(pl.DataFrame({"a": range(ends[place], ends[place + 1])}, schema={"a": pl.Int64}) for place in range(len(heights))))
    assert [piece.height for piece in pieces if piece.height] == [piece.height for piece in pieces] or sum(heights) == 0
    if pieces:
        assert pl.concat(pieces)["a"].to_list() == list(range(sum(heights)))
    assert all(piece.estimated_size() <= batches.LARGEST for piece in pieces)
    assert all(piece.estimated_size() >= batches.SMALLEST for piece in pieces[:-1])


def test_a_large_table_is_cut() -> None:
    table = pl.DataFrame({"a": pl.zeros(20 << 20, pl.Int64, eager=True)})
    pieces = list(evened(iter([table[:10], table])))
    assert sum(piece.height for piece in pieces) == table.height + 10
    assert len(pieces) == 4
    assert max(piece.estimated_size() for piece in pieces) <= batches.LARGEST


def test_the_next_piece_is_made_while_one_is_worked_on() -> None:
    made = threading.Event()

    def source() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    pieces = ahead(source())
    assert next(pieces) == 1
    assert made.wait(5), "made without being asked for"
    assert list(pieces) == [2]


def test_what_goes_wrong_ahead_is_raised_where_it_is_used() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("the source went away")

    pieces = ahead(source())
    assert next(pieces) == 1
    with pytest.raises(ValueError, match="went away"):
        next(pieces)
