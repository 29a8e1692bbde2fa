"""How long a prediction takes, one row at a time as a gateway meets them and in a batch.

Time is the one thing here that differs from run to run, so it is shown, and enters a verdict only through a wide guard rail.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

Predict = Callable[[pl.DataFrame], object]
Clock = Callable[[], float]
WARM_UP = 3


@dataclass(frozen=True)
class Latency:
    """Measured times of a model's predict call.

    Attributes:
        p50: Median of single-row calls, in milliseconds.
        p90: 90th percentile, likewise.
        p95: 95th percentile.
        p99: 99th percentile.
        calls: Single-row calls measured.
        batch_ms: Median time of one batch, in milliseconds.
        batch_rows: Rows of that batch.
    """

    p50: float
    p90: float
    p95: float
    p99: float
    calls: int
    batch_ms: float
    batch_rows: int

    def metrics(self) -> dict[str, float]:
        """Return them by the names they have in Metrics."""
        single = {f"latency_p{q}_ms": value for q, value in ((50, self.p50), (90, self.p90), (95, self.p95), (99, self.p99))}
        return single | {f"latency_batch_{self.batch_rows}_ms": self.batch_ms}


def measure_latency(
    predict: Predict,
    frame: pl.DataFrame,
    *,
    calls: int = 100,
    batch_rows: int = 1_000,
    budget_s: float = 5.0,
    clock: Clock = time.perf_counter,
) -> Latency:
    """Time a predict call, on other rows each time.

    Args:
        predict: Takes a table of rows.
        frame: Rows to predict, at least one.
        calls: Single-row calls at most.
        batch_rows: Rows of a batch at most.
        budget_s: No new call starts after this many seconds, so that a slow model does not hold the step.
        clock: Seconds, monotonic.
    """
    singles = time_calls([predict], frame, calls=calls, budget_s=budget_s, clock=clock)[0]
    batch = frame.head(batch_rows)
    batches = [_timed(predict, batch, clock) for _ in range(3)]
    p50, p90, p95, p99 = (float(value) for value in np.percentile(singles, [50, 90, 95, 99]))
    return Latency(p50, p90, p95, p99, len(singles), float(np.median(batches)), len(batch))


def time_calls(
    predicts: list[Predict], frame: pl.DataFrame, *, calls: int = 100, budget_s: float = 5.0, clock: Clock = time.perf_counter
) -> list[list[float]]:
    """Return times of single-row calls in milliseconds, the models taking turns, so that a busy moment meets them all alike.

    Args:
        predicts: One callable a model.
        frame: Rows to predict, at least one; taken in turn.
        calls: Calls a model at most.
        budget_s: No new round starts after this many seconds, but there is always one.
        clock: Seconds, monotonic.
    """
    for predict in predicts:
        for _ in range(WARM_UP):
            predict(frame.head(1))
    times: list[list[float]] = [[] for _ in predicts]
    began = clock()
    for place in range(calls):
        row = frame.slice(place % len(frame), 1)
        for predict, taken in zip(predicts, times, strict=True):
            taken.append(_timed(predict, row, clock))
        if clock() - began > budget_s:
            break
    return times


def _timed(predict: Predict, frame: pl.DataFrame, clock: Clock) -> float:
    began = clock()
    predict(frame)
    return (clock() - began) * 1000
