"""Who is measured beside us: their locks, and that each runs the same two pipelines."""

import re

import pytest

from scripts.bench_environments import ROOT, environment_of, install
from scripts.bench_frameworks import NOTHING, SMALL, frameworks, locked

PIN = re.compile(r"^([a-z0-9-]+)==([^ ;]+)", re.MULTILINE)
OTHERS = ("zenml", "metaflow")


@pytest.mark.parametrize("name", OTHERS)
def test_the_libraries_that_do_the_work_have_our_versions(name):
    theirs, ours = (set(PIN.findall((ROOT / lock).read_text())) for lock in (f"scripts/bench_{name}.txt", "requirements/dev.txt"))
    same = ("catboost", "pandas", "numpy", "pyarrow")
    assert len({pin for pin in theirs if pin[0] in same} & ours) == len(same)


@pytest.mark.parametrize("name", OTHERS)
def test_a_lock_is_hashed_and_names_no_index(name):
    text = (ROOT / "scripts" / f"bench_{name}.txt").read_text()
    assert len(PIN.findall(text)) <= text.count("--hash=sha256:")
    assert "http" not in text
    assert locked(name) in text


def test_each_runs_ten_steps_of_nothing_and_the_small_pipeline():
    assert [framework.steps[NOTHING] for framework in frameworks()] == [10, 10, 10]
    assert [framework.steps[SMALL] for framework in frameworks()] == [6, 5, 5]


@pytest.mark.pipeline
def test_ours_does_nothing_ten_times_and_comes_to_an_end(tmp_path):
    ours = frameworks()[0]
    assert ours.prepare(tmp_path) == ""
    done = ours.run(NOTHING, tmp_path)
    assert sum(process.argument("--function_to_execute") == "nothing" for process in done.processes) == 10


def test_an_environment_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.bench_environments.FOLDER", tmp_path)
    environment_of("zenml").mkdir()
    (environment_of("zenml") / "installed").write_text((ROOT / "scripts" / "bench_zenml.txt").read_text())
    assert install("zenml") == ""
    assert not (tmp_path / ".gitignore").exists()
