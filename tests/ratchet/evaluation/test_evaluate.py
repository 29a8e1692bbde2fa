"""One model on real data, as a user sees it."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import sklearn.metrics as sk

from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import EmptySampleError, SchemaError, TargetError
from ratchet.evaluation import evaluate
from ratchet.models.package import ModelPackage

Trained = Callable[..., tuple[Path, Path]]
pytestmark = pytest.mark.realdata


def test_the_metrics_of_a_real_model_are_scikit_learns(adult: tuple[Path, Path]) -> None:
    result = evaluate(*adult, slice_columns=["sex", "age"], latency_calls=5)
    model, rows = ModelPackage.load(adult[0]), read_dataset(adult[1])
    labels, scores = model.spec.labels(rows), model.predict(rows)
    assert result.metrics["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, scores))
    assert result.primary_metric == pytest.approx(sk.average_precision_score(labels, scores))
    assert result.metrics["f1"] == pytest.approx(sk.f1_score(labels, scores >= model.threshold))
    assert [list(row) for row in result.curves.confusion] == sk.confusion_matrix(labels, scores >= model.threshold).tolist()
    assert {"sex = Male", "sex = Female"} <= {item.name for item in result.slices}


def test_a_person_reads_plots_and_slices_in_one_page(adult: tuple[Path, Path], tmp_path: Path) -> None:
    evaluate(*adult, slice_columns=["sex"], latency_calls=5).write_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for part in ("ROC curve", "Calibration", "Score distribution", "Slices", "sex = Female", "Latency", "P99"):
        assert part in page


def test_kfp_takes_the_metrics_and_the_curves(adult: tuple[Path, Path]) -> None:
    from kfp.dsl import ClassificationMetrics, Metrics

    result = evaluate(*adult, latency_calls=5)
    scores, curves = Metrics(), ClassificationMetrics()
    result.log_to(scores)
    result.log_curves_to(curves)
    assert {"roc_auc", "brier", "latency_p99_ms", "rows"} <= set(scores.metadata)
    points = curves.metadata["confidenceMetrics"]
    assert 10 < len(points) <= 101
    assert all(np.isfinite(list(point.values())).all() for point in points)


def test_costs_stated_here_replace_those_of_training(adult: tuple[Path, Path]) -> None:
    plain, dear = (evaluate(*adult, cost_false_negative=cost, cost_false_positive=1.0, latency_calls=1) for cost in (1.0, 50.0))
    missed = plain.curves.confusion[1][0]
    assert dear.metrics["expected_cost"] - plain.metrics["expected_cost"] == pytest.approx(49 * missed / plain.rows)


def test_a_regression_is_measured_in_the_targets_unit(trained: Trained, real_data: Callable[[str], Path]) -> None:
    hours = pl.read_csv(real_data("bike_sharing/hour.csv"), try_parse_dates=True).sample(4_000, seed=0)
    result = evaluate(*trained(hours, "cnt", drop=("instant", "dteday", "casual", "registered")), latency_calls=1)
    assert (result.task, result.primary_name) == ("regression", "rmse")
    assert result.metrics["r2"] > 0.7
    result.log_curves_to(SimpleNamespace())  # type: ignore[arg-type]  # nothing to log


def test_several_classes_are_measured_by_accuracy(trained: Trained, adults: pl.DataFrame, tmp_path: Path) -> None:
    result = evaluate(*trained(adults, "relationship", drop=("class",)), latency_calls=1)
    assert (result.task, result.primary_name, len(result.curves.confusion)) == ("multiclass", "accuracy", 6)
    assert result.primary_metric == result.metrics["accuracy"] > 0.7
    result.write_html(tmp_path / "report.html")


def holdout_of(adult: tuple[Path, Path], change: pl.Expr, path: Path) -> Path:
    write_dataset(read_dataset(adult[1]).with_columns(change), path, source="test")
    return path


def test_rows_without_a_label_are_left_out_and_counted(adult: tuple[Path, Path], tmp_path: Path) -> None:
    late = pl.when(pl.int_range(pl.len()) % 2 == 0).then("class").alias("class")
    result = evaluate(adult[0], holdout_of(adult, late, tmp_path / "late"), latency_calls=1)
    rows = read_dataset(adult[1]).height
    assert (result.rows, result.unlabelled) == ((rows + 1) // 2, rows // 2)


def test_without_any_label_the_error_says_so(adult: tuple[Path, Path], tmp_path: Path) -> None:
    none = pl.lit(None, dtype=pl.String).alias("class")
    with pytest.raises(EmptySampleError, match="none with a label in 'class'"):
        evaluate(adult[0], holdout_of(adult, none, tmp_path / "none"))


def test_a_holdout_of_one_class_is_refused_with_its_class(adult: tuple[Path, Path], tmp_path: Path) -> None:
    only = pl.lit(ModelPackage.load(adult[0]).spec.classes[0]).alias("class")
    with pytest.raises(TargetError, match=r"all [\d,]+ rows of the holdout have class = "):
        evaluate(adult[0], holdout_of(adult, only, tmp_path / "one"))


def test_a_lost_input_column_is_named(adult: tuple[Path, Path], tmp_path: Path) -> None:
    write_dataset(read_dataset(adult[1]).drop("education"), tmp_path / "lost", source="test")
    with pytest.raises(SchemaError, match="'education'"):
        evaluate(adult[0], tmp_path / "lost")
