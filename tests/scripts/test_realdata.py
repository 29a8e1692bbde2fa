"""What ``make realdata`` prints and when it fails; the figures here are invented (tests/pipelines/test_real_data.py runs it)."""

import sys
from pathlib import Path

import pytest

from ratchet.submit.local import LocalRun
from scripts.realdata import configured, main, mean_of, overrides, report
from scripts.realdata_set import DataSet
from scripts.realdata_sets import DATA_SETS

ADULT, ECG = (next(data for data in DATA_SETS if data.name == name) for name in ("adult", "ecg5000"))


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


def test_each_seed_is_printed_and_their_mean_is_held_to_the_reach():
    seeds = [{"accuracy": accuracy, "f1": 0.9} for accuracy in (0.943, 0.946, 0.947)]
    told, holds = report(ECG, run("promoted"), mean_of(seeds), seeds)
    assert holds, told
    assert "accuracy 0.9453, always_normal nan" in told
    assert ", mean of the seeds\n" in told
    assert [line.split() for line in told.splitlines() if "seed 1" in line] == [["seed", "1:", "accuracy", "0.9460"]]
    assert sum("seed " in line for line in told.splitlines()) == 3
    assert "  aim        accuracy ≥ 0.970: not yet" in told
    assert not report(ECG, run("promoted"), mean_of(seeds[:1]), seeds[:1])[1]


def test_an_aim_that_came_true_is_said_and_one_that_did_not_is_no_failure():
    assert [report(ECG, run("promoted"), {"accuracy": accuracy})[1] for accuracy in (0.98, 0.95, 0.94)] == [True, True, False]
    assert "  aim        accuracy ≥ 0.970: came true" in report(ECG, run("promoted"), {"accuracy": 0.98})[0]


@pytest.mark.parametrize("data", DATA_SETS, ids=lambda data: data.name)
def test_every_override_is_printed_but_what_names_the_data(data: DataSet):
    given = configured(data)
    assert {line.split(" = ")[0] for line in overrides(given)} == set(given) - {"source", "model", "target"}
    assert "model" in given
    assert ("target" in given) == (data.name != "bike_anomalies")
    assert "source" not in given


def test_the_data_sets_of_each_pipeline_are_told_apart_and_every_one_is_shown_by_a_figure():
    by_pipeline = {
        name: [data.name for data in DATA_SETS if data.pipeline == name] for name in dict.fromkeys(d.pipeline for d in DATA_SETS)
    }
    assert by_pipeline == {
        "delivery": ["elec2", "bank_marketing", "fraud_handbook", "amazon_access", "adult", "bike_sharing"],
        "autoencoder_delivery": ["ecg5000", "fraud_autoencoder", "bike_anomalies"],
        "stacked_delivery": ["fraud_stacked"],
    }
    assert all(data.shown for data in DATA_SETS)


def test_a_name_that_is_no_data_set_is_refused_before_anything_runs(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["realdata", "ecg5000", "ecg500"])
    with pytest.raises(SystemExit) as refused:
        main()
    assert refused.value.code == 2
    assert "no data set ecg500; there are elec2, bank_marketing," in capsys.readouterr().err
