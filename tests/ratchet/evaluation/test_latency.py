import itertools

import polars as pl

from ratchet.evaluation.latency import measure_latency, time_calls

ROWS = pl.DataFrame({"x": [1, 2, 3]})


def test_percentiles_come_from_the_clock() -> None:
    ticks = itertools.count(step=0.005)
    latency = measure_latency(lambda frame: None, ROWS, calls=10, clock=lambda: next(ticks))
    assert (round(latency.p50, 6), round(latency.p99, 6), latency.calls, latency.batch_rows) == (5.0, 5.0, 10, 3)


def test_a_slow_model_is_timed_once_and_not_all_day() -> None:
    ticks = itertools.count(step=10.0)
    times = time_calls([lambda frame: None, lambda frame: None], ROWS, calls=1_000, budget_s=5.0, clock=lambda: next(ticks))
    assert [len(taken) for taken in times] == [1, 1]


def test_each_call_is_of_one_row() -> None:
    heights: list[int] = []
    time_calls([lambda frame: heights.append(frame.height)], ROWS, calls=5)
    assert set(heights) == {1}
