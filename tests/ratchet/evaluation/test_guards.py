import numpy as np
import pytest

from ratchet.evaluation.bootstrap import Interval
from ratchet.evaluation.guards import latency_guard, primary_guard, size_guard
from ratchet.evaluation.primary import choose_primary

NAN = float("nan")


@pytest.mark.parametrize(
    ("task", "low", "high", "broken"),
    [("binary", -0.2, -0.1, True), ("binary", -0.2, 0.1, False), ("regression", 0.1, 0.2, True), ("regression", -0.2, -0.1, False)],
)
def test_the_primary_metric_breaks_only_when_it_is_surely_worse(task: str, low: float, high: float, broken: bool) -> None:
    assert primary_guard(choose_primary(task), 0.5, 0.6, Interval((low + high) / 2, low, high)).broken is broken


def test_a_primary_metric_that_cannot_be_known_breaks() -> None:
    assert primary_guard(choose_primary("binary"), NAN, NAN, Interval(NAN, NAN, NAN)).broken


@pytest.mark.parametrize(
    ("challenger", "champion", "broken"),
    [(50.0, 20.0, True), (39.0, 20.0, False), (9.0, 0.1, False), (12.0, 1.0, True)],
)
def test_latency_breaks_only_beyond_the_ratio_and_beyond_ten_milliseconds(challenger: float, champion: float, broken: bool) -> None:
    assert latency_guard([challenger] * 9, [champion] * 9, maximum_ratio=2).broken is broken


def test_a_hiccup_in_a_few_calls_does_not_break_the_latency_rail() -> None:
    times = np.full(100, 2.0)
    times[:10] = 500.0
    assert not latency_guard(times.tolist(), [2.0] * 100, maximum_ratio=2).broken


def test_a_package_at_the_limit_is_accepted() -> None:
    assert [size_guard(size, maximum_mb=1).broken for size in (1_000_000, 1_000_001)] == [False, True]
