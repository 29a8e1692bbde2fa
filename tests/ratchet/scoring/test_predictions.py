from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import read_dataset, write_dataset
from ratchet.features.spec import FeatureSpec
from ratchet.models.boosting import CatBoostNative, pool
from ratchet.models.imports import load_catboost
from ratchet.models.package import Description, ModelPackage, write_package
from ratchet.scoring import predict_rows


@pytest.mark.slow
@pytest.mark.parametrize("model", ["boosting", "autoencoder"])
def test_each_row_gets_what_the_package_says_of_it_in_the_order_of_the_rows(cards, rows, tmp_path, model):
    result = predict_rows(cards / "rows", cards / model, tmp_path / "predicted")
    package = ModelPackage.load(cards / model)
    found = read_dataset(tmp_path / "predicted")
    assert found.columns == ["transaction_id", "time", "prediction", "decision"]
    assert found.select("transaction_id", "time").equals(rows.select("transaction_id", "time"))
    assert np.array_equal(found["prediction"].to_numpy(), package.predict(rows))
    assert found["decision"].to_list() == package.decide(package.predict(rows)).tolist()
    assert dict(result.decisions) == dict(
        zip(package.spec.classes, [found["decision"].to_list().count(name) for name in package.spec.classes], strict=True)
    )
    sink = SimpleNamespace(metadata={})
    result.log_to(sink)
    assert sink.metadata["rows"] == str(rows.height)
    assert sum(row["rows"] for row in result.page().parts[0].rows) == rows.height


def trained(folder: Path, task: str, labels: np.ndarray, classes: tuple[str, ...] = ()) -> tuple[ModelPackage, pl.DataFrame]:
    table = pl.DataFrame({"a": np.linspace(0, 1, len(labels)), "y": labels})
    spec = FeatureSpec(task, "y", {"a": "number"}, ("a",), classes)
    loss = {"regression": "RMSE", "multiclass": "MultiClass"}[task]
    model = load_catboost().CatBoost(
        {"loss_function": loss, "iterations": 5, "allow_writing_files": False, "verbose": False, "thread_count": 1}
    )
    model.fit(pool(spec.matrix(table), labels))
    description = Description("catboost", spec, None, {}, 0, "rows:test")
    return write_package(folder / "model", description, CatBoostNative(model, task).write, table), table


def test_a_regression_has_no_decision(tmp_path):
    package, table = trained(tmp_path, "regression", np.linspace(0, 9, 60))
    write_dataset(table, tmp_path / "rows", source="test")
    result = predict_rows(tmp_path / "rows", package.path, tmp_path / "predicted")
    assert read_dataset(tmp_path / "predicted").equals(pl.DataFrame({"prediction": package.predict(table)}))
    assert dict(result.decisions) == {}
    assert result.page().parts == ()


def test_of_several_classes_each_has_its_probability(tmp_path):
    package, table = trained(tmp_path, "multiclass", np.repeat([0, 1, 2], 20), ("low", "mid", "high"))
    write_dataset(table, tmp_path / "rows", source="test")
    predict_rows(tmp_path / "rows", package.path, tmp_path / "predicted", keep=["a"])
    found = read_dataset(tmp_path / "predicted")
    assert found.columns == ["a", "probability_low", "probability_mid", "probability_high", "decision"]
    assert np.array_equal(found.select("^probability.*$").to_numpy(), package.predict(table))
    assert found["decision"].to_list() == package.decide(package.predict(table)).tolist()


@pytest.mark.slow
def test_nobody_needs_the_target_to_predict(cards, rows, tmp_path):
    write_dataset(rows.drop("fraud"), tmp_path / "unlabelled", source="test")
    predict_rows(tmp_path / "unlabelled", cards / "boosting", tmp_path / "predicted")
    assert replace(ModelPackage.load(cards / "boosting").spec).target == "fraud"
    assert read_dataset(tmp_path / "predicted").height == rows.height
