"""What ``make bench`` prints and when it fails; the figures here are invented, nothing is timed."""

from pathlib import Path

import pytest

from scripts.bench import GATEWAY, USUAL, Line, check_answers, machine, make_work, ratios, row
from scripts.bench_load import Figures


def line(who: str, rate: float, p99: float, rows: int = 1, failed: int = 0) -> Line:
    return Line(who, rows, Figures(int(rate * 8), rate, p99 / 3, p99 / 2, p99, failed), 250.0)


def test_a_row_of_the_table_names_what_failed() -> None:
    assert row(line("a server", 1234.5, 6)) == "| a server | 1 | 1,234 | 2.00 | 3.00 | 6.00 | 250 |"
    assert row(line("a server", 1234.5, 6, failed=2)).endswith("(2 failed)")


def test_the_ratios_are_of_requests_of_the_same_size() -> None:
    lines = [line(GATEWAY, 3000, 4), line(GATEWAY, 1000, 8, rows=32), line("the same, and a challenger", 9, 9)]
    table = ratios([*lines, line(USUAL[0], 100, 40), line(USUAL[0], 50, 4, rows=32)])
    assert table[2:] == [f"| {USUAL[0]} | 1 | 30.00 × | 0.10 × | 1.00 × |", f"| {USUAL[0]} | 32 | 20.00 × | 2.00 × | 1.00 × |"]


def test_the_machine_is_named() -> None:
    assert "cores of" in machine()
    assert "polars " in machine()


class Told:
    """A server that answers what it is given."""

    form, url = "infer", "http://127.0.0.1"

    def __init__(self, answers: dict[str, list[float]]) -> None:
        self.answers = answers

    def answer(self, body: str) -> dict:
        return {"predictions": self.answers[body]}


@pytest.mark.slow
def test_an_answer_that_is_not_the_packages_stops_the_bench(tmp_path: Path) -> None:
    work = make_work(tmp_path, trees=2, rows=400)
    right = {}
    for (form, rows), file in work.bodies.items():
        bodies = file.read_text(encoding="utf-8").splitlines()
        if form == "infer":
            right |= {body: both[0].tolist() for body, both in zip(bodies, work.expected[rows], strict=True)}
    check_answers(Told(right), work)
    with pytest.raises(SystemExit, match="the package says"):
        check_answers(Told({body: [value + 1e-8 for value in values] for body, values in right.items()}), work)
    challenger = work.expected[1][0][1].tolist()
    first = next(iter(right))
    check_answers(Told({**right, first: challenger}), work, either=True)
