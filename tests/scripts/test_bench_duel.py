"""When the gateway is said to be ahead; the figures here are invented, nothing is timed."""

import pytest

from scripts.bench_duel import verdict
from scripts.bench_load import Figures


def figures(rate: float, p99: float, failed: int = 0) -> Figures:
    return Figures(int(rate * 8), rate, p99 / 3, p99 / 2, p99, failed)


def round_of(rate: float, p99: float, failed: int = 0) -> tuple[Figures, Figures]:
    return figures(rate, p99, failed), figures(1000, 20)


@pytest.mark.parametrize(
    ("rate", "p99", "failed", "holds"),
    [(3000, 4, 0, True), (2999, 4, 0, False), (9000, 20, 0, False), (9000, 4, 1, False)],
    ids=["three times", "less", "a higher P99", "a request that failed"],
)
def test_the_verdict_is_on_three_times_at_a_lower_p99(rate: float, p99: float, failed: int, holds: bool) -> None:
    held, told = verdict([round_of(rate, p99, failed)] * 5, "MLServer, somehow")
    assert held is holds
    assert f"{rate:,}/s against 1,000/s of MLServer, somehow" in told


def test_one_round_on_a_machine_that_stumbled_decides_nothing() -> None:
    good, stumbled = round_of(3500, 4), round_of(500, 90)
    assert verdict([good, stumbled, good], "")[0]
    assert not verdict([stumbled, good, stumbled], "")[0]
