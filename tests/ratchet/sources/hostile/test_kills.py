"""Killed at any moment, a step leaves its Datasets whole or absent, and the next run is not disturbed by what was left."""

import gzip
import random
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.ratchet.sources.hostile.attempt import digest_of
from tests.ratchet.sources.hostile.trial import Trial

TABLE = pl.DataFrame(
    {"id": range(300), "x": [None if n % 97 == 5 else float(n % 13) for n in range(300)], "s": [f"n{n % 7}" for n in range(300)]}
)
RULES = {"schema_text": "columns: {id: {type: integer}, x: {type: number}, s: {type: string}}"}
OLD = pl.DataFrame({"id": range(10)})
STEPS = {"data", "clean", "quarantine"}

pytestmark = pytest.mark.slow


@pytest.fixture
def trial() -> Iterator[Trial]:
    with Trial() as process:
        yield process


def make(folder: Path, rows: int = 300) -> Path:
    path = folder / "data.csv.gz"  # packed, and with quotes: so it is unpacked to scratch
    path.write_bytes(gzip.compress(pl.concat([TABLE] * (rows // 300)).write_csv(quote_style="always").encode(), 1))
    return path


def whole(trial: Trial, source: Path, home: Path) -> dict[str, str]:
    """Return the digests that an undisturbed run leaves, by Dataset."""
    home.mkdir()
    report = trial.ask(source, home, once=True, look=True, judge=RULES)
    assert report["outcome"] == "rows", report["message"]
    assert report["aside"] > 0, "there is something in each of the outputs"
    return dict(report["seen"])


def hold_to_it(home: Path, allowed: dict[str, set[str]]) -> None:
    """Every Dataset that can be seen is one of those that were ever whole."""
    for path in sorted((home / "out").iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            assert digest_of(path) in allowed[path.name], f"{path.name} is half-visible"


@pytest.mark.parametrize("replacing", [False, True], ids=["into an empty place", "over older ones"])
def test_a_step_that_is_killed_at_any_write_leaves_each_dataset_whole_or_absent(replacing: bool, trial: Trial, tmp_path: Path) -> None:
    source = make(tmp_path)
    digests = whole(trial, source, tmp_path / "undisturbed")
    allowed = {name: {digest} for name, digest in digests.items()}
    home, number, killed = tmp_path / "home", int(replacing), 0
    if replacing:
        old = make_old(trial, tmp_path, home)
        allowed = {name: digests | {old[name]} for name, digests in allowed.items()}
    else:
        home.mkdir()
    while True:
        number += 2  # the even writes here, the odd ones there
        report = trial.ask(source, home, once=True, judge=RULES, kill_at=number)
        hold_to_it(home, allowed)
        if report["outcome"] == "rows":
            break
        assert report["outcome"] == "died", report
        killed += 1
    assert killed >= 8, "a sweep that hardly kills proves nothing"
    assert {path.name for path in (home / "out").iterdir()} == {*STEPS, "schema", "report"}, "the next run clears what the killed left"
    assert not list((home / "scratch").iterdir()), "there too"


def make_old(trial: Trial, folder: Path, home: Path) -> dict[str, str]:
    (folder / "old").mkdir()
    OLD.write_csv(folder / "old" / "data.csv")
    home.mkdir()
    report = trial.ask(folder / "old" / "data.csv", home, once=True, look=True)
    assert report["outcome"] == "rows", report["message"]
    return dict(report["seen"])


def test_a_step_that_is_killed_at_any_time_leaves_each_dataset_whole_or_absent(trial: Trial, tmp_path: Path) -> None:
    source = make(tmp_path, rows=150_000)
    start = time.monotonic()
    digests = whole(trial, source, tmp_path / "undisturbed")
    longest, chance = time.monotonic() - start, random.Random(5)
    home = tmp_path / "home"
    home.mkdir()
    for _ in range(8):
        trial.begin({"source": str(source), "home": str(home), "once": True, "judge": RULES})
        time.sleep(chance.uniform(0, longest))
        trial.end()
        if (home / "out").exists():
            hold_to_it(home, {name: {digest} for name, digest in digests.items()})
    report = trial.ask(source, home, once=True, look=True, judge=RULES)
    assert report["seen"] == digests, "a later run is not disturbed by what the killed ones left"
