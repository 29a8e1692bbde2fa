import json
import shutil

import numpy as np
import polars as pl
import pytest

from ratchet.data.absent import write_absent
from ratchet.errors import PackageError, SchemaError
from ratchet.models.manifest import MANIFEST, write_manifest
from ratchet.models.package import ModelPackage, load_champion


def rewritten(package, folder, **changes):
    """Return a copy whose ratchet.json says otherwise, under a manifest that holds."""
    shutil.copytree(package, folder)
    values = json.loads((folder / "ratchet.json").read_text()) | changes
    (folder / "ratchet.json").write_text(json.dumps(values))
    (folder / MANIFEST).unlink()
    write_manifest(folder)
    return folder


def test_it_holds_exactly_what_the_architecture_says(package):
    names = sorted(path.name for path in package.iterdir())
    assert names == ["MANIFEST.sha256", "MLmodel", "examples.parquet", "model.cbm", "ratchet.json"]


def test_it_says_what_it_reads_what_it_predicts_and_how_it_was_trained(package):
    values = json.loads((package / "ratchet.json").read_text())
    assert values["input_schema"]["weekday"] == {"kind": "string", "nullable": False, "categories": "open"}
    assert values["input_schema"]["nswprice"] == {"kind": "number", "nullable": False}
    assert values["spec"]["classes"] == ["DOWN", "UP"]
    assert values["spec"]["split"]["trained_until"].startswith("1996-")
    assert values["output"] == "probability"
    assert values["training_digest"].startswith("rows:")
    assert 0 < values["threshold"] < 1


def test_predictions_are_those_of_any_batch_and_need_the_raw_columns_only(package, holdout):
    model = ModelPackage.load(package)
    whole = model.predict(holdout)
    assert whole.shape == (holdout.height,)
    assert whole.dtype == np.float64
    raw = holdout.select("period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer", "weekday")
    assert np.array_equal(model.predict(raw), whole)
    assert np.array_equal(np.concatenate([model.predict(raw[[i]]) for i in range(20)]), whole[:20])
    assert model.predict(raw.head(0)).shape == (0,)


def test_the_recorded_rows_are_predicted_as_when_they_were_recorded(package):
    model = ModelPackage.load(package)
    frame, recorded = model.examples()
    assert frame.height == 100
    assert set(frame.columns) == set(model.spec.inputs)
    assert np.array_equal(model.predict(frame), recorded)


def test_decisions_are_class_names(package, holdout):
    model = ModelPackage.load(package)
    assert model.decide(np.array([0.0, model.threshold, 1.0])).tolist() == ["DOWN", "UP", "UP"]
    accuracy = (model.decide(model.predict(holdout)) == holdout["class"].to_numpy()).mean()
    assert accuracy > 0.6


def test_an_unknown_category_and_a_missing_value_are_predicted(package, holdout):
    model = ModelPackage.load(package)
    odd = holdout.head(3).with_columns(weekday=pl.Series(["holiday", None, ""]), nswprice=pl.Series([None, float("nan"), 0.1]))
    assert np.isfinite(model.predict(odd)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop("nswprice"), "column 'nswprice' is missing; did you mean 'vicprice'"),
        (lambda rows: rows.with_columns(pl.col("nswprice").cast(pl.String)), "'nswprice' is String .* takes a number"),
        (lambda rows: rows.with_columns(weekday=1), "'weekday' is Int32 .* takes a string"),
        (lambda rows: rows.with_columns(nswprice=pl.Series([0.1, float("inf"), 0.2])), "'nswprice' is inf in row 1"),
    ],
    ids=["missing", "text for a number", "number for a text", "infinite"],
)
def test_rows_that_do_not_fit_are_refused_by_name(package, holdout, change, message):
    with pytest.raises(SchemaError, match=message):
        ModelPackage.load(package).predict(change(holdout.head(3)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "format 99 .* upgrade kfp-ratchet"),
        ({"kind": "pickle"}, "kind 'pickle'"),
        ({"input_schema": None}, "ratchet.json is not readable"),
    ],
)
def test_a_package_of_another_version_is_refused(package, tmp_path, changes, message):
    with pytest.raises(PackageError, match=message):
        ModelPackage.load(rewritten(package, tmp_path / "other", **changes))


def test_a_native_file_that_is_no_model_is_refused_even_under_a_manifest_that_holds(package, tmp_path):
    folder = rewritten(package, tmp_path / "other")
    (folder / "model.cbm").write_bytes((package / "model.cbm").read_bytes()[:1000])
    (folder / MANIFEST).unlink()
    write_manifest(folder)
    with pytest.raises(PackageError, match="is no CatBoost model"):
        ModelPackage.load(folder)


def test_a_package_is_never_written_over_and_a_failed_one_leaves_nothing(trained, package, tmp_path):
    with pytest.raises(PackageError, match="is there already"):
        trained(package, iterations=2)
    with pytest.raises(PackageError, match="pass a model package"):
        ModelPackage.load(tmp_path)
    assert not [path for path in package.parent.iterdir() if path != package]


def test_a_signed_package_needs_its_key(trained, tmp_path):
    made = trained(tmp_path / "signed", key=b"secret", iterations=2).package
    assert ModelPackage.load(made.path, key=b"secret").digest == made.digest
    with pytest.raises(PackageError, match="does not fit the configured key"):
        ModelPackage.load(made.path, key=b"another")


def test_no_champion_is_none(package, tmp_path):
    write_absent(tmp_path / "none", "no champion yet")
    assert load_champion(tmp_path / "none") is None
    champion = load_champion(package)
    assert champion is not None
    assert champion.size_bytes == sum(file.stat().st_size for file in package.iterdir())
