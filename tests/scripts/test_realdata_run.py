import json

import pytest

from scripts.realdata_run import Artifacts


def test_metrics_are_what_evaluate_has_written(tmp_path):
    folder = tmp_path / "delivery-1" / "evaluate"
    folder.mkdir(parents=True)
    scores = {"artifacts": [{"metadata": {"roc_auc": 0.9, "rows": "120", "display_name": "scores"}}]}
    (folder / "executor_output.json").write_text(json.dumps({"artifacts": {"scores": scores}}))
    assert Artifacts(tmp_path).metrics == {"roc_auc": 0.9, "rows": 120.0}


def test_a_run_that_did_not_come_so_far_is_told(tmp_path):
    with pytest.raises(SystemExit, match="0 artifacts features/holdout below"):
        _ = Artifacts(tmp_path).holdout
