"""Metaflow's ten steps, in its own environment where ``make bench`` has made it."""

import pytest

from scripts.bench_environments import environment_of
from scripts.bench_frameworks import NOTHING, frameworks


@pytest.mark.pipeline
def test_there_are_ten_steps(tmp_path):
    if not (environment_of("metaflow") / "installed").exists():
        pytest.skip("Metaflow is not installed; make bench installs it")
    done = frameworks()[2].run(NOTHING, tmp_path)
    assert len(done.processes) == 11, "a process a step, and the one that starts them"
