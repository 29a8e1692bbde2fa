"""What is counted piece by piece is what the whole table shows."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.data import time_order
from ratchet.data.pieces import FramePieces
from ratchet.data.schema import ColumnSchema, Schema
from ratchet.data.tally import Tally, repeated_keys, time_span, times_of

ROWS = 5_000
CHANCE = np.random.default_rng(2)
FRAME = pl.DataFrame(
    {
        "time": [datetime(2024, 1, 1) + timedelta(hours=int(hour)) for hour in CHANCE.permutation(ROWS)],
        "price": CHANCE.lognormal(3, 1, ROWS),
        "sold": CHANCE.integers(0, 2, ROWS),
    }
)
SCALE = (1.0, 2.0, 3.0)
SCHEMA = Schema(
    {"time": ColumnSchema("datetime"), "price": ColumnSchema("number", 0.1, scale=SCALE), "sold": ColumnSchema("integer")},
    time="time",
    target="sold",
    labels={"0": 0.5, "1": 0.5},
)


@pytest.mark.parametrize("size", [pytest.param(1, marks=pytest.mark.slow), 333, ROWS])
def test_a_sample_is_evenly_spaced_in_the_order_of_time(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_order, "SAMPLE", 100)
    frame = FRAME.with_columns(pl.when(pl.col("price") > 20).then("price"))
    table = FramePieces(frame)
    tally = Tally(table, SCHEMA, times_of(table, SCHEMA))
    for piece in frame.iter_slices(size):
        tally.add(piece, piece[:-1])
    assert tally.sample().equals(frame.sort("time").gather_every(50).select("time", "price"))
    assert tally.missing == {"time": 0, "price": frame["price"].null_count(), "sold": 0}
    assert tally.labels == {"0": (frame["sold"] == 0).sum(), "1": (frame["sold"] == 1).sum()}
    assert (tally.rows, tally.newest) == (ROWS, frame["time"].max())
    assert sorted(tally.targets) == ([0, 1] if size > 1 else [])


@settings(deadline=None)
@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 5)), st.sampled_from(["a", "b", None])), max_size=30))
def test_repeated_keys_are_those_that_were_there_before(rows: list[tuple[int | None, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"n": pl.Int64, "s": pl.String}, orient="row")
    columns = {"n": ColumnSchema("integer"), "s": ColumnSchema("string")}
    for key in (("n",), ("s",), ("n", "s")):
        seen: set[object] = set()
        expected = []
        for row in frame.select(key).rows():
            expected.append(row in seen and (len(key) > 1 or row[0] is not None))
            seen.add(row)
        found = repeated_keys(FramePieces(frame), Schema(columns, key=key))
        assert (found.to_list() if found is not None else [False] * len(rows)) == expected


def test_a_key_that_is_converted_is_compared_as_what_it_becomes() -> None:
    frame = pl.DataFrame({"n": ["1", " 1", "2"]})
    found = repeated_keys(FramePieces(frame), Schema({"n": ColumnSchema("integer")}, key=("n",)))
    assert found is not None
    assert found.to_list() == [False, True, False]


def test_the_span_of_time_leaves_a_hundredth_out_at_either_end() -> None:
    times = pl.Series([datetime(1970, 1, 1), *[datetime(2024, 1, 1) + timedelta(days=day) for day in range(300)]])
    assert time_span(times.shuffle(1)) == (datetime(2024, 1, 3), datetime(2024, 10, 23))
    assert time_span(pl.Series([1, 2])) is None
    assert time_span(None) is None
