"""What ``make realdata`` prints and when it fails; the figures here are invented (tests/pipelines/test_real_data.py runs it)."""

from pathlib import Path

import pytest

from ratchet.submit.local import LocalRun
from scripts.realdata import configured, overrides, report
from scripts.realdata_sets import DATA_SETS, DataSet, Reach

ADULT = next(data for data in DATA_SETS if data.name == "adult")


def run(outcome: str) -> LocalRun:
    nowhere = Path("nowhere")
    return LocalRun("1", outcome, "because", 0, (), nowhere, nowhere, nowhere, 41.6)


def test_ours_stand_beside_the_published_with_where_they_are_published_and_what_was_set():
    told, holds = report(ADULT, run("promoted"), {"roc_auc": 0.9301, "log_loss": 0.2747, "accuracy": 0.87})
    assert holds
    assert told.splitlines()[0] == "adult: promoted in 42 s; because"
    assert "  set        slice_columns = ['sex', 'race']" in told
    assert "  ours       roc_auc 0.9301, log_loss 0.2747, accuracy 0.8700" in told
    assert "log_loss 0.2697: CatBoost, tuned (a split that is not published) (catboost/benchmarks, quality_benchmarks)" in told
    assert "  reach      roc_auc ≥ 0.928: holds" in told


@pytest.mark.parametrize(("outcome", "auc"), [("promoted", 0.927), ("rejected", 0.94), ("error", 0.94), ("promoted", float("nan"))])
def test_a_reach_that_does_not_hold_or_another_word_fails(outcome, auc):
    told, holds = report(ADULT, run(outcome), {"roc_auc": auc, "log_loss": 0.2747, "accuracy": 0.87})
    assert not holds
    assert ("DOES NOT HOLD" in told) == (auc != 0.94)


def test_a_reach_may_be_another_figure():
    reach = Reach("r2", "r2_same_month")
    assert reach.holds({"r2": 0.9, "r2_same_month": 0.1})
    assert not reach.holds({"r2": 0.1, "r2_same_month": 0.2})
    assert not reach.holds({"r2": 0.9})
    assert reach.told == "r2 ≥ r2_same_month"


@pytest.mark.parametrize("data", DATA_SETS, ids=lambda data: data.name)
def test_every_override_is_printed_but_what_names_the_data(data: DataSet):
    given = configured(data)
    assert {line.split(" = ")[0] for line in overrides(given)} == set(given) - {"source", "model", "target"}
    assert {"model", "target"} <= set(given)
    assert "source" not in given


def test_there_are_six_data_sets_and_every_one_is_shown_by_a_figure():
    assert [data.name for data in DATA_SETS] == ["elec2", "bank_marketing", "fraud_handbook", "amazon_access", "adult", "bike_sharing"]
    assert all(data.shown for data in DATA_SETS)
