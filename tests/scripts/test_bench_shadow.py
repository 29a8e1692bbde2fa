"""What is said of a shadow's cost, on invented figures; that a client's failures are counted, on a real connection."""

import asyncio
from pathlib import Path

import pytest

from ratchet.models.package import ModelPackage
from scripts.bench_model import payments, train
from scripts.bench_shadow import HEALTHY, KINDS, RAISES, Round, Seen, ask_steadily, raising, table
from tests.loopback import LoopbackHandler, LoopbackServer


def rounds(p95: float, failed: int = 0) -> list[Round]:
    """The machine stumbles in the second round, with a shadow and without."""
    return [Round(Seen([slow] * 20), Seen([p95 * slow] * 20, failed)) for slow in (1.0, 3.0, 1.2)]


@pytest.mark.parametrize(
    ("p95", "failed", "holds"), [(1.05, 0, True), (1.06, 0, False), (0.9, 1, False)], ids=["within", "slower", "a failure"]
)
def test_a_shadow_may_cost_no_answer_and_no_more_than_5_percent(p95: float, failed: int, holds: bool) -> None:
    held, told = table({kind: rounds(p95, failed) if kind == RAISES else rounds(1.0) for kind in KINDS})
    assert held is holds
    assert f"| 60 | {failed * 3} | {p95 * 1.2:.2f} | 1.20 | {p95:.2f} × " in told[2 + KINDS.index(RAISES)]


def test_a_healthy_one_may_cost_more() -> None:
    held, told = table({kind: rounds(2.0 if kind == HEALTHY else 1.0) for kind in KINDS})
    assert held
    assert "2.00 ×" in told[2 + KINDS.index(HEALTHY)]


def test_failures_before_and_after_count_as_those_beside_it_do() -> None:
    both = Seen([1.0], 1) + Seen([3.0], 2)
    assert (both.milliseconds, both.failed) == ([1.0, 3.0], 3)
    held, told = table({kind: [Round(both, Seen([1.0]))] for kind in KINDS})
    assert not held
    assert all(row.split("|")[3].strip() == "3" for row in told[2:])


class Moody(LoopbackServer):
    """Answers each third request well, refuses one, and hangs up on one."""

    def __init__(self) -> None:
        super().__init__(_MoodyHandler)
        self.asked = 0


class _MoodyHandler(LoopbackHandler):
    def do_POST(self) -> None:
        mood, self.server_of.asked = self.server_of.asked % 3, self.server_of.asked + 1
        self.rfile.read(int(self.headers["Content-Length"]))
        if mood == 2:
            self.close_connection = True
            return
        self.send_response(500 if mood == 1 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def test_each_request_is_sent_once_and_what_is_not_answered_well_has_failed() -> None:
    with Moody() as server:
        seen = asyncio.run(ask_steadily(server.url + "/ask", ["{}", "[]"], rate=300, seconds=0.1))
        assert server.asked == 30
    assert (seen.failed, len(seen.milliseconds)) == (20, 20)


def test_the_package_that_raises_does_so_when_it_is_asked(tmp_path: Path) -> None:
    package = train(tmp_path / "model", seed=0, trees=2, rows=400)
    broken = raising(tmp_path / "raising", package)
    with pytest.raises(Exception, match="more"):
        ModelPackage.load(broken.uri).predict(payments(3, seed=1))
