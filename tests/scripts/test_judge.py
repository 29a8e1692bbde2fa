"""A small edition of ``make judge``: every cell runs, the lines that say how often the judge is wrong hold, and a wrong one is seen."""

import numpy as np
import pytest

from scripts.judge import CELLS, NEVER, Cell, Line, kayenta_fails, mcnemar_promotes, simulate, table


def places(*words: str) -> list[int]:
    return [place for place, cell in enumerate(CELLS) if all(word in cell.told for word in words)]


@pytest.mark.parametrize("place", range(len(CELLS)), ids=lambda place: CELLS[place].told)
def test_every_cell_gives_the_figures_that_its_lines_name(place: int) -> None:
    (outcome,) = simulate(place, 0, 1)
    assert {line.key for line in CELLS[place].lines} <= set(outcome)
    assert simulate(place, 0, 1) == [outcome], "the same seed, the same evidence"


@pytest.mark.slow
@pytest.mark.parametrize("place", places("worse by the margin 0.01", "10%") + places("in bursts") + places("errors in 100%"))
def test_the_lines_hold_in_a_small_edition(place: int) -> None:
    outcomes = simulate(place, 0, 300)
    for line in CELLS[place].lines:
        assert line.holds(line.figure(np.array([float(outcome[line.key]) for outcome in outcomes]))), line.told


@pytest.mark.slow
def test_peeking_at_mcnemar_promotes_wrongly_far_more_often_than_it_says() -> None:
    (place, *_) = places("worse by the margin 0.01", "10%", "independent")
    assert np.mean([outcome["usual"] for outcome in simulate(place, 0, 300)]) > 0.15


def test_a_single_look_at_mcnemar_is_right_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    kinds = (rng.choice(3, 4_000, p=[0.055, 0.045, 0.9]) for _ in range(500))
    promoted = [mcnemar_promotes((kind == 1) * 1.0, (kind == 0) * 1.0, 0.01, every=4_000) for kind in kinds]
    assert 0.02 <= np.mean(promoted) <= 0.08


def test_kayentas_classifier_sees_a_shift_and_no_difference() -> None:
    rng = np.random.default_rng(0)
    same, slow = rng.normal(10, 1, 600), rng.normal(15, 1, 600)
    assert kayenta_fails(rng.normal(10, 1, 600), slow) == 100
    assert kayenta_fails(same, same[::-1]) == NEVER


def test_a_line_that_does_not_hold_says_so() -> None:
    line = Line("promoted", "p", at_most=0.05)
    assert line.row("cell", 0.04) == "| cell | promoted | 4.00% | ≤ .05 | yes |"
    assert line.row("cell", 0.06).endswith("| **no** |")
    assert Line("pairs", "n", "median").row("cell", NEVER) == "| cell | pairs | never | shown | yes |"


@pytest.mark.parametrize(("verdict", "failed"), [("wait", 0), ("pass", 1)])
def test_the_table_counts_the_lines_that_do_not_hold(verdict: str, failed: int, capsys: pytest.CaptureFixture[str]) -> None:
    cell = Cell("a challenger that is worse", lambda rng: {}, (Line("promoted", "p", at_most=0.05),))
    assert table([(cell, [{"p": verdict == "pass"}] * 3)]) == failed
    assert ("every line holds" in capsys.readouterr().out) == (failed == 0)
