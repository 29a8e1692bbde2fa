from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import DataError, ParameterError, SchemaError
from ratchet.features.build import build_features
from ratchet.features.split_plan import SplitPlan
from ratchet.models.package import ModelPackage
from ratchet.models.training import BoostingParameters, TrainingResult, train_boosting


def from_table(folder: Path, table: pl.DataFrame, features: dict | None = None, **how) -> TrainingResult:
    write_dataset(table, folder / "data", source="test")
    paths = {f"{name}_path": folder / name for name in ("train", "validation", "holdout", "table", "specification")}
    build_features(folder / "data", champion_path=None, **paths, **{"target": "y", **(features or {})})
    places = [folder / name for name in ("train", "validation", "specification")]
    return train_boosting(*places, folder / "model", parameters=BoostingParameters(**{"iterations": 200, **how}))


def table(rows: int = 600) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    x = rng.normal(size=rows)
    kind = rng.choice(["a", "b", "c"], rows)
    return pl.DataFrame({"x": x, "kind": kind, "noise": rng.normal(size=rows), "y": (x + (kind == "b") + rng.normal(0, 0.3, rows) > 0.5)})


def test_the_same_data_parameters_and_seed_give_the_same_digest(trained, package, tmp_path):
    again = trained(tmp_path / "again")
    assert again.digest == ModelPackage.load(package).digest
    assert (again.package.path / "model.cbm").read_bytes() == (package / "model.cbm").read_bytes()
    assert (again.package.path / "ratchet.json").read_bytes() == (package / "ratchet.json").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("changed", [{"seed": 1}, {"depth": 4}, {"cost_false_negative": 5.0}, {"refit": True}, {"members": 2}])
def test_another_seed_or_parameter_gives_another_digest(trained, package, tmp_path, changed):
    assert trained(tmp_path / "other", **changed).digest != ModelPackage.load(package).digest


def test_it_stops_where_the_validation_rows_gain_nothing_more(trained, tmp_path):
    result = trained(tmp_path / "model", iterations=400, early_stopping_rounds=20, learning_rate=0.3)
    assert result.best_iteration < 380
    assert len(result.validation_loss) <= result.best_iteration + 20
    assert result.validation_loss[result.best_iteration - 1] == min(result.validation_loss)
    assert result.package.native.model.tree_count_ == result.best_iteration


def test_a_refit_keeps_the_number_of_trees_and_the_learning_rate_and_the_threshold(trained, package, tmp_path):
    plain, refitted = ModelPackage.load(package), trained(tmp_path / "model", refit=True).package
    one, other = plain.native.model, refitted.native.model
    assert other.tree_count_ == one.tree_count_
    assert other.get_all_params()["learning_rate"] == pytest.approx(one.get_all_params()["learning_rate"])
    assert refitted.threshold == plain.threshold
    assert refitted.training_digest != plain.training_digest


@pytest.mark.slow
@pytest.mark.parametrize("refit", [False, True])
def test_members_of_the_next_seeds_are_averaged_and_the_same_again_has_the_same_digest(trained, tmp_path, holdout, refit):
    def odds(package: ModelPackage) -> np.ndarray:
        probability = package.predict(holdout)
        return np.log(probability / (1 - probability))

    alone = [trained(tmp_path / f"{seed}", seed=seed, refit=refit).package for seed in (5, 6, 7)]
    mean = trained(tmp_path / "mean", seed=5, members=3, refit=refit)
    assert odds(mean.package) == pytest.approx(np.mean([odds(package) for package in alone], axis=0), abs=1e-9)
    assert mean.package.native.model.tree_count_ == sum(package.native.model.tree_count_ for package in alone)
    assert ModelPackage.load(mean.package.path).predict(holdout) == pytest.approx(mean.package.predict(holdout), abs=0)
    assert trained(tmp_path / "again", seed=5, members=3, refit=refit).digest == mean.digest
    assert mean.digest != alone[0].digest


def test_a_dearer_miss_gives_a_lower_threshold(trained, tmp_path):
    cheap, dear = (trained(tmp_path / str(cost), cost_false_negative=cost).threshold for cost in (1.0, 10.0))
    assert dear < cheap


def test_an_imputed_column_may_be_missing_in_a_request_even_where_training_had_all_its_values(tmp_path):
    description = from_table(tmp_path, table(200), {"impute": {"x": "median"}}, iterations=5).package.description
    assert {name: part["nullable"] for name, part in description.input_schema().items()} == {"x": True, "kind": False, "noise": False}


@pytest.mark.slow
def test_texts_are_learnt_as_categories_and_the_page_shows_what_is_used(tmp_path):
    result = from_table(tmp_path, table())
    assert list(result.importance)[:2] == ["x", "kind"]
    sink = SimpleNamespace(metadata={})
    result.log_to(sink)
    assert sink.metadata["validation_loss"] < 0.35
    result.page().write_html(tmp_path / "curve.html")
    assert "<svg" in (tmp_path / "curve.html").read_text()


@pytest.mark.slow
def test_several_classes_and_a_number_are_learnt_too(tmp_path):
    rows = table().with_columns(
        y=pl.when(pl.col("x") > 1).then(pl.lit("high")).when(pl.col("x") < -1).then(pl.lit("low")).otherwise(pl.lit("mid"))
    )
    several = from_table(tmp_path / "several", rows).package
    holdout = read_dataset(tmp_path / "several" / "holdout")
    predictions = several.predict(holdout)
    assert predictions.shape == (holdout.height, 3)
    assert np.allclose(predictions.sum(axis=1), 1)
    assert (several.decide(predictions) == holdout["y"].to_numpy()).mean() > 0.95
    assert several.threshold is None
    one = from_table(tmp_path / "one", table().with_columns(y=pl.col("x") * 100)).package
    holdout = read_dataset(tmp_path / "one" / "holdout")
    assert np.abs(one.predict(holdout) - holdout["y"].to_numpy()).mean() < 20
    assert np.array_equal(one.decide(one.predict(holdout)), one.predict(holdout))
    for package in (several, one):
        frame, recorded = package.examples()
        assert np.array_equal(package.predict(frame), recorded)


@pytest.mark.slow
def test_balanced_weights_raise_the_scores_of_the_rare_class(tmp_path):
    rare = table().with_columns(y=pl.col("x") > 1.3)
    plain, balanced = (from_table(tmp_path / weights, rare, class_weights=weights).package for weights in ("none", "balanced"))
    holdout = read_dataset(tmp_path / "none" / "holdout")
    assert balanced.predict(holdout).mean() > plain.predict(holdout).mean()


def test_missing_numbers_are_learnt_and_recorded_as_nullable(tmp_path):
    rows = table().with_columns(x=pl.when(pl.int_range(600) % 5 == 0).then(None).otherwise(pl.col("x")))
    assert from_table(tmp_path, rows).package.description.nullable == ("x",)


def test_training_leaves_nothing_behind(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained(tmp_path / "model", iterations=3)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"iterations": 0}, "iterations is 0"),
        ({"learning_rate": 2.0}, "learning_rate is 2.0"),
        ({"depth": 17}, "depth is 17"),
        ({"class_weights": "auto"}, "class_weights is 'auto'"),
        ({"cost_false_negative": -1.0}, "cost_false_negative is -1.0"),
    ],
)
def test_a_parameter_that_cannot_train_is_refused_and_nothing_is_written(trained, tmp_path, how, message):
    with pytest.raises(ParameterError, match=message):
        trained(tmp_path / "model", **how)
    assert not list(tmp_path.iterdir())


def test_an_infinity_is_refused_with_its_column_and_row(tmp_path):
    rows = table().with_columns(noise=pl.when(pl.int_range(600) == 7).then(float("inf")).otherwise(pl.col("noise")), at=pl.int_range(600))
    with pytest.raises(SchemaError, match="column 'noise' is inf in row 7"):
        from_table(tmp_path, rows, {"plan": SplitPlan(time="at")})
    assert not (tmp_path / "model").exists()


def test_features_that_are_all_constant_are_refused(tmp_path):
    rows = table().with_columns(x=1.0, noise=2.0, id=pl.int_range(600))
    with pytest.raises(DataError, match="CatBoost cannot train on these rows: All features are either constant or ignored"):
        from_table(tmp_path, rows, {"drop_columns": ["kind"], "plan": SplitPlan(key=("id",))})
