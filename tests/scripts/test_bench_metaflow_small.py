"""Metaflow's side, in its own environment where ``make bench`` has made it."""

import pytest

from scripts.bench_environments import environment_of
from scripts.bench_frameworks import SMALL, frameworks


@pytest.mark.pipeline
@pytest.mark.realdata
def test_the_small_pipeline_makes_the_plain_script_s_model(real_data, tmp_path):
    real_data("elec2/electricity-normalized.csv")
    if not (environment_of("metaflow") / "installed").exists():
        pytest.skip("Metaflow is not installed; make bench installs it")
    done = frameworks()[2].run(SMALL, tmp_path)
    assert "AUC 0.8754" in done.output
    assert len(done.processes) == 6, "a process a step, and the one that starts them"
