"""Models that find anomalies, evaluated and compared as a user would: with labels, with normal ones only, with none."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from kfp.dsl import ClassificationMetrics

from ratchet.data.absent import write_absent
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import ParameterError
from ratchet.evaluation import compare, evaluate
from ratchet.features.spec import FeatureSpec
from ratchet.models.package import ModelPackage
from tests.autoencoders import linear_package

pytestmark = pytest.mark.slow  # trained models

SENSORS = tuple(f"s{i}" for i in range(6))
INPUTS = dict.fromkeys(SENSORS, "number") | {"mode": "string"}
LABELLED = FeatureSpec("anomaly", "fault", INPUTS, tuple(INPUTS), classes=("0", "1"), time="at")
BARE = FeatureSpec("anomaly", "", INPUTS, tuple(INPUTS), classes=("normal", "anomaly"), time="at")


def machine(rows: int, seed: int) -> pl.DataFrame:
    """Six sensors that follow two hidden levels; in one row of 40 two of them do not."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(size=(rows, 2))
    values = levels @ np.array([[1, 1, 1, 0, 0.5, -1], [0, 1, -1, 1, 0.5, 1.0]]) + 0.2 * rng.normal(size=(rows, 6))
    fault = (np.arange(rows) % 40 == 7).astype(np.int64)
    values[fault == 1] += rng.normal(2, 0.5, (fault.sum(), 1)) * np.array([1, 0, 0, 1, 0, 0])
    begin = datetime(2024, 5, 1) + timedelta(days=seed)
    return pl.DataFrame(values, schema=list(SENSORS)).with_columns(
        mode=pl.Series(rng.choice(["idle", "run"], rows)),
        fault=pl.Series(fault),
        at=pl.datetime_range(begin, begin + timedelta(minutes=rows - 1), "1m", eager=True),
    )


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `good` and `poor` (it reproduces nearly anything), with labels and `bare`, `nobody`, and the `holdout`."""
    folder = tmp_path_factory.mktemp("line")
    normal = machine(3_000, 0).filter(pl.col("fault") == 0)
    for name, spec, latent in (("good", LABELLED, 2), ("poor", LABELLED, 5), ("bare-good", BARE, 2), ("bare-poor", BARE, 5)):
        linear_package(folder / name, spec, normal, latent=latent)
    write_absent(folder / "nobody", "no champion yet")
    write_dataset(machine(3_000, 9), folder / "holdout", source="test")
    return folder


def changed(line: Path, folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Path:
    write_dataset(change(read_dataset(line / "holdout")), folder / "changed", source="test")
    return folder / "changed"


def test_with_labels_every_metric_is_that_of_the_models_own_decisions(line: Path) -> None:
    result = evaluate(line / "good", line / "holdout", slice_columns=["mode"], latency_calls=3)
    model, rows = ModelPackage.load(line / "good"), read_dataset(line / "holdout")
    decided = model.decide(model.predict(rows)) == "1"
    fault = (rows["fault"] == 1).to_numpy()
    assert result.metrics["recall"] == decided[fault].mean() > 0.8
    assert result.metrics["false_alarm_rate"] == decided[~fault].mean() < 0.02
    assert (result.primary_name, result.injected, result.kinds) == ("average_precision", "", ())
    assert result.primary_metric > 0.7
    assert result.threshold == model.threshold
    assert [item.positives for item in result.slices] == pytest.approx([0.025, 0.025], abs=0.01)
    assert result.metrics["expected_cost"] == pytest.approx((39 * (fault & ~decided).sum() + (decided & ~fault).sum()) / 3_000)


def test_the_alarms_are_put_down_to_the_sensors_that_failed(line: Path) -> None:
    blamed = evaluate(line / "good", line / "holdout", latency_calls=1).blamed
    assert set(list(blamed)[:2]) == {"s0", "s3"}
    assert set(blamed) == set(INPUTS)


@pytest.mark.parametrize("labels", ["none", "normal"])
def test_without_known_anomalies_recall_is_told_by_injected_kind(line: Path, tmp_path: Path, labels: str) -> None:
    model = "bare-good" if labels == "none" else "good"
    holdout = changed(line, tmp_path, lambda rows: rows.drop("fault") if labels == "none" else rows.with_columns(fault=pl.lit(0)))
    result = evaluate(line / model, holdout, injected={"share": 0.08, "seed": 5}, slice_columns=["mode"], latency_calls=1)
    assert [item.name for item in result.kinds] == ["spike", "swap", "noise", "drift"]
    assert sum(item.rows for item in result.kinds) == pytest.approx(240, abs=10)
    assert result.kinds[0].recall > 0.9
    assert result.kinds[0].error > result.threshold
    assert result.metrics["recall"] == pytest.approx(np.average([i.recall for i in result.kinds], weights=[i.rows for i in result.kinds]))
    assert "(share 0.08, strength 4, seed 5)" in result.injected
    modes = dict(read_dataset(holdout)["mode"].value_counts().rows())
    assert {item.name: item.rows for item in result.slices} == {f"mode = {mode}": rows for mode, rows in modes.items()}, "as it was"
    sink = SimpleNamespace(metadata={})
    result.log_to(sink)
    assert sink.metadata["recall_spike"] == result.kinds[0].recall


def test_a_person_reads_the_errors_by_class_the_kinds_and_what_the_alarms_are_about(line: Path, tmp_path: Path) -> None:
    curves = ClassificationMetrics()
    result = evaluate(line / "bare-good", line / "holdout", slice_columns=["mode"], latency_calls=1)
    result.log_curves_to(curves)
    result.write_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for part in ("Error distribution", "reconstruction error", "threshold", "What the alarms are about", "Injected anomalies", "ROC curve"):
        assert part in page
    assert "Calibration" not in page
    assert "mathdefault" not in page
    points = curves.metadata["confidenceMetrics"]
    assert all(np.isfinite(list(point.values())).all() for point in points)
    assert curves.metadata["confusionMatrix"]["annotationSpecs"] == [{"displayName": "normal"}, {"displayName": "anomaly"}]


def test_the_better_of_two_is_released_with_labels_and_without(line: Path) -> None:
    for kind in ("", "bare-"):
        better, worse = (
            compare(line / f"{kind}{first}", line / f"{kind}{second}", line / "holdout", slice_columns=["mode"])
            for first, second in (("good", "poor"), ("poor", "good"))
        )
        assert (better.verdict, worse.verdict) == ("release", "reject"), kind
        assert better.loss_challenger == worse.loss_champion < better.loss_champion
        assert "the challenger is worse" in worse.reason


def test_both_meet_the_same_injected_rows_and_the_report_has_the_recall_of_both(line: Path, tmp_path: Path) -> None:
    result = compare(line / "bare-good", line / "bare-poor", line / "holdout", injected={"kinds": ["spike", "drift"], "seed": 2})
    assert result.metrics["challenger"]["recall_spike"] > result.metrics["champion"]["recall_spike"]
    assert result.injected.startswith("Injected into 3,000 rows held to be normal: 75 spike, 75 drift")
    assert result.loss_told == "cost of the decision (false negative 19, false positive 1) over the larger of the two"
    result.write_markdown(tmp_path / "summary.md")
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "recall_drift" in summary
    assert "Fixed before training; no threshold was chosen on them." in summary
    again = compare(line / "bare-good", line / "bare-poor", line / "holdout", injected={"kinds": ["spike", "drift"], "seed": 2})
    assert (again.reason, again.metrics) == (result.reason, result.metrics)


def test_the_first_model_must_do_better_than_flagging_all_or_none(line: Path, tmp_path: Path) -> None:
    for model in ("good", "bare-good"):
        result = compare(line / model, line / "nobody", line / "holdout")
        assert (result.verdict, result.opponent) == ("release", "naive baseline")
    deaf = linear_package(tmp_path / "deaf", LABELLED, machine(500, 3), threshold=1e9)
    result = compare(deaf.path, line / "nobody", line / "holdout")
    assert (result.verdict, result.loss_challenger) == ("reject", pytest.approx(result.loss_champion))
    shouting = linear_package(tmp_path / "shouting", LABELLED, machine(500, 3), threshold=0.0)
    assert compare(shouting.path, line / "nobody", line / "holdout").verdict == "reject"


def test_a_model_that_calls_one_usual_row_in_five_an_anomaly_is_rejected_where_one_in_a_hundred_was_asked_for(
    line: Path, tmp_path: Path
) -> None:
    usual = ModelPackage.load(line / "bare-good").predict(machine(3_000, 9).filter(pl.col("fault") == 0))
    low = float(np.quantile(usual, 0.8))
    for wanted, verdict in ((0.01, "reject"), (0.1, "release")):
        parameters = {"false_alarm_rate": wanted}
        made = linear_package(tmp_path / str(wanted), BARE, machine(3_000, 0), threshold=low, parameters=parameters)
        result = compare(made.path, line / "nobody", line / "holdout")
        assert result.verdict == verdict, result.reason
        assert ("of the usual rows where 1.0% was wanted; at most 5 times" in result.reason) == (verdict == "reject")


def test_stated_costs_stand(line: Path) -> None:
    result = compare(line / "good", line / "poor", line / "holdout", cost_false_negative=5.0, cost_false_positive=1.0)
    assert result.loss_told == "cost of the decision (false negative 5, false positive 1) over the larger of the two"


def test_f1_can_be_what_must_not_get_worse(line: Path) -> None:
    result = compare(line / "good", line / "poor", line / "holdout", primary_metric="f1")
    assert result.weighing.primary_challenger == pytest.approx(result.metrics["challenger"]["f1"])
    assert result.weighing.guards[0].name == "f1"
    assert result.weighing.primary.low < result.weighing.primary.difference < result.weighing.primary.high
    assert evaluate(line / "good", line / "holdout", primary_metric="f1", latency_calls=1).primary_metric > 0.7


def test_too_few_rows_to_inject_anomalies_in_are_a_rejection(line: Path, tmp_path: Path) -> None:
    holdout = changed(line, tmp_path, lambda rows: rows.head(5))
    result = compare(line / "bare-good", line / "nobody", holdout)
    assert (result.verdict, result.loss_challenger) == ("reject", 1.0)
    assert "5 rows are too few to inject" in result.reason


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"loss": "alarm"}, "a model that raises none would win; leave it to the rollout"),
        ({"loss": "log"}, "loss 'log' does not fit the task 'anomaly'; choose cost"),
        ({"primary_metric": "brier"}, "primary metric 'brier' does not fit the task 'anomaly'"),
        ({"injected": {"kinds": ["spikes"]}}, "kind 'spikes' is unknown; did you mean 'spike'"),
        ({"injected": {"seeds": 3}}, "unknown part 'seeds'; did you mean 'seed'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_measured(line: Path, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        compare(line / "good", line / "poor", line / "holdout", **more)
