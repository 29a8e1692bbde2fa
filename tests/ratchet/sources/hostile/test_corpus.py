"""Every hostile file comes in whole, row by row accounted for, or is refused in words that a person can act on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ratchet.sources.hostile import columnar, encodings, folders, layout, lines, names, packed, sizes, values
from tests.ratchet.sources.hostile.case import Case
from tests.ratchet.sources.hostile.trial import Trial, faults

TOPICS = (layout, encodings, values, names, packed, columnar, lines, folders)
SMALL = [case for topic in TOPICS for case in topic.CASES if not case.megabytes]
LARGE = [case for topic in (*TOPICS, sizes) for case in topic.CASES if case not in SMALL]  # a process each: they are held to a memory
ALL = [pytest.param(case, id=case.name, marks=[pytest.mark.slow] * (place % 9 > 0)) for place, case in enumerate(SMALL)]


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial() as process:
        yield process


def meet(case: Case, trial: Trial, folder: Path) -> None:
    """Make the file of a case, run it through the door, print a line of what came of it, and hold it to the rules."""
    (folder / "in").mkdir()
    report = trial.ask(
        case.make(folder / "in"),
        folder,
        seconds=case.seconds,
        options=dict(case.options),
        judge=dict(case.judge),
        once=case.once,
        show=list(case.values),
    )
    print(line(case, report, size_of(folder / "in"), trial.idle))
    found = faults(case, report, trial.idle)
    assert not found, f"{'; '.join(found)}\n{report['message']}"


def size_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink() and path.is_file())


def line(case: Case, report: dict[str, Any], size: int, idle: float) -> str:
    outcome = f"{report['kept']} kept, {report['aside']} aside" if report["outcome"] == "rows" else report["outcome"]
    cost = f"{report.get('seconds', 0):.2f} s, {report.get('peak', 0) - idle:+.0f} MB"
    said = "; ".join(filter(None, report.get("reasons", []))) or report["message"]
    return f"{case.name} | {size:,} B | {outcome} | {cost} | {said[:400]}"


@pytest.mark.parametrize("case", ALL)
def test_a_hostile_file_comes_in_whole_or_is_refused_in_plain_words(case: Case, trial: Trial, tmp_path: Path) -> None:
    meet(case, trial, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", LARGE, ids=str)
def test_a_file_too_large_in_one_way_takes_bounded_memory(case: Case, tmp_path: Path) -> None:
    with Trial() as process:
        try:
            meet(case, process, tmp_path)
        finally:
            for path in (tmp_path / "in").iterdir():
                path.unlink()


@pytest.mark.slow
def test_the_corpus_is_as_large_as_it_says() -> None:
    everything = [*SMALL, *LARGE]
    assert len(everything) >= 320
    assert len({case.name for case in everything}) == len(everything), "a name says what is hostile, once"
    assert sum(case.rows is None for case in everything) >= 140
