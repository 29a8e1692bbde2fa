import json
import re

import pytest

from ratchet.catalog import pipeline_path
from scripts.realdata_run import EVALUATED_BY, TRAINED_BY, Artifacts


def test_metrics_are_what_evaluate_has_written(tmp_path):
    folder = tmp_path / "delivery-1" / "evaluate"
    folder.mkdir(parents=True)
    scores = {"artifacts": [{"metadata": {"roc_auc": 0.9, "rows": "120", "display_name": "scores"}}]}
    (folder / "executor_output.json").write_text(json.dumps({"artifacts": {"scores": scores}}))
    assert Artifacts(tmp_path).metrics == {"roc_auc": 0.9, "rows": 120.0}


def test_of_a_stacked_model_the_second_evaluation_counts_and_the_autoencoder_s_does_not(tmp_path):
    for step, auc in (("evaluate", 0.8), ("evaluate-2", 0.9)):
        folder = tmp_path / "stacked-delivery-1" / step
        folder.mkdir(parents=True)
        scores = {"artifacts": [{"metadata": {"roc_auc": auc}}]}
        (folder / "executor_output.json").write_text(json.dumps({"artifacts": {"scores": scores}}))
    assert Artifacts(tmp_path, "stacked_delivery").metrics == {"roc_auc": 0.9}


@pytest.mark.parametrize("name", TRAINED_BY)
def test_the_steps_that_are_read_are_steps_of_the_compiled_pipeline(name):
    compiled = pipeline_path(name).read_text(encoding="utf-8")
    for step in (TRAINED_BY[name], EVALUATED_BY.get(name, "evaluate"), "features"):
        assert re.search(rf"^ +{step}:$", compiled, re.M), step


def test_a_run_that_did_not_come_so_far_is_told(tmp_path):
    with pytest.raises(SystemExit, match="0 artifacts features/holdout below"):
        _ = Artifacts(tmp_path).holdout
