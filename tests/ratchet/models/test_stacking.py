"""A boosting model that reads an autoencoder: what it reads, what its package holds, and what is refused."""

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.errors import PackageError, ParameterError, SchemaError
from ratchet.features.spec import FeatureSpec
from ratchet.models.boosting import CatBoostNative
from ratchet.models.description import Description
from ratchet.models.manifest import write_manifest
from ratchet.models.package import ModelPackage, package_digest
from ratchet.models.stacking import ERROR
from ratchet.models.training import BoostingParameters, train_boosting
from tests.autoencoders import linear_package

pytestmark = pytest.mark.slow  # trained models

MADE = ["encoder_0", "encoder_1", "encoder_error"]
FEW = BoostingParameters(iterations=60, threads=1)


def rows(n: int, seed: int) -> pl.DataFrame:
    """Two columns that usually agree; what is positive is only that they do not, which no tree of few splits sees in either."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    odd = rng.random(n) < 0.1
    b = a + 0.1 * rng.normal(size=n) + np.where(odd, rng.choice([-1.0, 1.0], n), 0.0)
    word = rng.choice(["x", "y"], n)
    return pl.DataFrame({"a": a, "b": b, "word": word, "y": odd.astype(int)}).with_columns(
        pl.when(pl.int_range(n) % 17 == 0).then(None).otherwise(pl.col("b")).alias("b")
    )


SPEC = FeatureSpec("binary", "y", {"a": "number", "b": "number", "word": "string"}, ("a", "b", "word"), classes=("0", "1"))


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stage")
    train = rows(2000, 1)
    write_dataset(train, folder / "train", source="test")
    write_dataset(rows(800, 2), folder / "validation", source="test")
    SPEC.write(folder / "specification.json")
    linear_package(folder / "autoencoder", SPEC.as_anomaly(), train.filter(pl.col("y") == 0), latent=2)
    return folder


def stack(stage, path, encoder="autoencoder", **more):
    how = {"parameters": FEW, "encoder_path": stage / encoder, "encoder_name": "fraud-encoder", "encoder_version": "3", **more}
    return train_boosting(stage / "train", stage / "validation", stage / "specification.json", path, **how)


@pytest.fixture(scope="module")
def result(stage):
    return stack(stage, stage / "stacked")


def test_a_stacked_model_reads_its_features_and_then_what_the_encoder_makes(result):
    frame = rows(50, 3)
    matrix = result.package.matrix(frame)
    assert matrix.columns == ["a", "b", "word", *MADE]
    encoded = ModelPackage.load(result.package.path / "encoder").encode(frame)
    assert np.array_equal(matrix.select(MADE[:2]).to_numpy(), encoded.embedding.astype(np.float64))
    assert np.array_equal(matrix[ERROR].to_numpy(), encoded.errors)
    assert next(iter(result.importance)) == "encoder_1", "the second component is how far the two columns disagree"
    assert set(result.importance) == {"a", "b", "word", *MADE}


def test_stacking_helps_where_what_is_unusual_is_what_is_wanted(stage, result, tmp_path):
    alone = train_boosting(stage / "train", stage / "validation", stage / "specification.json", tmp_path / "alone", parameters=FEW)
    assert result.validation_loss[result.best_iteration - 1] < alone.validation_loss[alone.best_iteration - 1]
    assert alone.package.description.encoder is None
    assert '"encoder"' not in (tmp_path / "alone" / "ratchet.json").read_text()


def test_training_a_request_and_a_batch_agree_to_the_last_bit(stage, result):
    frame, recorded = result.package.examples()
    loaded = ModelPackage.load(stage / "stacked")
    assert np.array_equal(loaded.predict(frame), recorded)
    assert np.array_equal(np.concatenate([loaded.predict(frame[place]) for place in range(len(frame))]), recorded)
    assert np.array_equal(loaded.predict(frame, checked=True), recorded)


def test_an_encoder_of_other_expressions_makes_its_own_features(stage, result, tmp_path):
    other = FeatureSpec("anomaly", "y", {"a": "number", "b": "number"}, ("a",), expressions={"twice": "2 * b"}, classes=("0", "1"))
    linear_package(tmp_path / "other", other, rows(500, 4), latent=1)
    package = stack(stage, tmp_path / "stacked", tmp_path / "other").package
    frame = rows(20, 5)
    assert package.matrix(frame).columns == ["a", "b", "word", "encoder_0", ERROR]
    assert np.array_equal(package.matrix(frame)[ERROR].to_numpy(), ModelPackage.load(tmp_path / "other").encode(frame).errors)


@pytest.mark.parametrize(("outputs", "made"), [(["error"], MADE[2:]), (["embedding"], MADE[:2]), (["error", "embedding"], MADE)])
def test_a_model_reads_of_its_encoder_what_it_was_told_to(stage, result, tmp_path, outputs, made):
    package = stack(stage, tmp_path / "stacked", encoder_outputs=outputs).package
    frame, recorded = ModelPackage.load(package.path).examples()
    assert package.matrix(frame).columns == ["a", "b", "word", *made]
    assert package.matrix(frame).select(made).equals(result.package.matrix(frame).select(made))
    assert np.array_equal(ModelPackage.load(package.path).predict(frame), recorded)
    assert (package.digest == result.digest) is (len(made) == 3), "both is what it reads where nothing is said"


def test_a_description_that_says_nothing_of_outputs_means_both_and_unknown_ones_are_refused(stage, result):
    text = (stage / "stacked" / "ratchet.json").read_text()
    assert '"outputs"' not in text
    assert Description.from_json(text, "here").encoder.outputs == ("embedding", "error")
    for outputs in ([], ["shares"], ["error", "embedding"], "error"):
        values = json.loads(text)
        values["encoder"]["outputs"] = outputs
        with pytest.raises(PackageError, match=r"outputs .* of the encoder are not of"):
            Description.from_json(json.dumps(values), "here")
    with pytest.raises(ParameterError, match=r"encoder_outputs has 'errors'; give 'embedding', 'error', or both"):
        stack(stage, stage / "refused", encoder_outputs=["errors"])


def test_the_same_again_is_the_same_package_and_another_encoder_another(stage, result, tmp_path):
    assert stack(stage, tmp_path / "again").digest == result.digest
    assert stack(stage, tmp_path / "version", encoder_version="4").digest != result.digest
    linear_package(tmp_path / "narrow", SPEC.as_anomaly(), rows(500, 1), latent=1)
    assert stack(stage, tmp_path / "other", tmp_path / "narrow").digest != result.digest


def test_the_package_names_the_encoder_and_holds_a_whole_copy_of_it(stage, result):
    needed = result.package.description.encoder
    original = ModelPackage.load(stage / "autoencoder")
    assert (needed.model, needed.version, needed.digest) == ("fraud-encoder", "3", original.digest)
    copied = {path.name: path.read_bytes() for path in (stage / "stacked" / "encoder").iterdir()}
    assert copied == {path.name: path.read_bytes() for path in original.path.iterdir()}


def test_a_model_that_came_through_mlflow_leaves_mlflow_s_file_behind(stage, tmp_path):
    shutil.copytree(stage / "autoencoder", tmp_path / "downloaded")
    (tmp_path / "downloaded" / "registered_model_meta").write_text("model_name: fraud-encoder\n")
    package = stack(stage, tmp_path / "stacked", tmp_path / "downloaded").package
    assert not (package.path / "encoder" / "registered_model_meta").exists()


@pytest.mark.parametrize("file", ["model.onnx", "preparation.json", "ratchet.json", "MANIFEST.sha256", "examples.parquet"])
def test_a_damaged_encoder_within_is_refused(stage, result, tmp_path, file):
    folder = shutil.copytree(stage / "stacked", tmp_path / "damaged")
    content = bytearray((folder / "encoder" / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "encoder" / file).write_bytes(bytes(content))
    with pytest.raises(PackageError, match="damaged"):
        ModelPackage.load(folder)


def test_another_encoder_put_in_its_place_is_refused_and_changes_the_digest(stage, result, tmp_path):
    """Whoever can write manifests can make all of them hold; the registry's digest, and the name in the description, do not."""
    folder = shutil.copytree(stage / "stacked", tmp_path / "swapped")
    linear_package(tmp_path / "other", SPEC.as_anomaly(), rows(500, 9), latent=2)
    shutil.rmtree(folder / "encoder")
    shutil.copytree(tmp_path / "other", folder / "encoder")
    (folder / "MANIFEST.sha256").unlink()
    write_manifest(folder)
    assert package_digest(folder, "catboost") != result.digest
    with pytest.raises(PackageError, match=r"needs the encoder sha256:.* and holds sha256:"):
        ModelPackage.load(folder)


def test_a_package_that_lost_its_encoder_or_got_one_is_refused(stage, result, tmp_path):
    for name, change in {
        "lost": lambda folder: shutil.rmtree(folder / "encoder"),
        "empty": lambda folder: (folder / "more").mkdir(),
    }.items():
        folder = shutil.copytree(stage / "stacked", tmp_path / name)
        change(folder)
        with pytest.raises(PackageError, match=r"lacks 'encoder/|no plain file"):
            ModelPackage.load(folder)
    alone = train_boosting(stage / "train", stage / "validation", stage / "specification.json", tmp_path / "alone", parameters=FEW)
    shutil.copytree(stage / "autoencoder", alone.package.path / "encoder")
    with pytest.raises(PackageError, match="does not list: 'encoder/"):
        ModelPackage.load(alone.package.path)


def test_with_a_key_both_packages_are_signed_and_both_signatures_are_checked(stage, result, tmp_path):
    key = b"a key"
    linear_package(tmp_path / "unsigned", SPEC.as_anomaly(), rows(500, 1))
    with pytest.raises(PackageError, match="not signed"):
        stack(stage, tmp_path / "stacked", tmp_path / "unsigned", key=key)
    signed = shutil.copytree(tmp_path / "unsigned", tmp_path / "signed")
    (signed / "MANIFEST.sha256").unlink()
    write_manifest(signed, key)
    package = stack(stage, tmp_path / "stacked", signed, key=key).package
    assert ModelPackage.load(package.path, key=key).digest == package.digest
    with pytest.raises(PackageError, match="signature does not fit"):
        ModelPackage.load(package.path, key=b"another")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            replace(SPEC, inputs={"a": "number", "word": "string"}, plain=("a", "word")),
            "'b' as number, and .* does not read it",
        ),
        (replace(SPEC, inputs={**SPEC.inputs, "a": "integer"}), "reads column 'a' as number, and .* reads it as integer"),
        (replace(SPEC, expressions={"encoder_1": "a + b"}), "'encoder_1' has the name of a column"),
    ],
)
def test_an_encoder_that_was_not_trained_from_the_same_specification_is_refused(stage, tmp_path, spec, message):
    spec.write(tmp_path / "specification.json")
    with pytest.raises(SchemaError, match=message):
        train_boosting(
            stage / "train", stage / "validation", tmp_path / "specification.json", tmp_path / "x", encoder_path=stage / "autoencoder"
        )


def test_what_is_no_encoder_and_half_a_name_are_refused(stage, result, tmp_path):
    with pytest.raises(PackageError, match="of kind 'catboost', which encodes nothing"):
        stack(stage, tmp_path / "x", "stacked")
    with pytest.raises(ParameterError, match="encoder_name is 'fraud-encoder' and encoder_version ''; give both"):
        stack(stage, tmp_path / "x", encoder_version="")


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_several_classes_and_numbers_can_be_stacked_too(stage, tmp_path, task):
    def answers(frame: pl.DataFrame) -> pl.DataFrame:
        y = (pl.col("a") * 10).floor() % 3 if task == "multiclass" else pl.col("a") * 2
        return frame.with_columns(y.cast(pl.Int64 if task == "multiclass" else pl.Float64).alias("y"))

    spec = replace(SPEC, task=task, classes=("0", "1", "2") if task == "multiclass" else ())
    spec.write(tmp_path / "specification.json")
    for name in ("train", "validation"):
        write_dataset(answers(rows(400, 6)), tmp_path / name, source="test")
    linear_package(tmp_path / "autoencoder", spec.as_anomaly(), rows(400, 6), latent=2)
    package = stack(tmp_path, tmp_path / "stacked").package
    assert package.predict(rows(5, 7)).shape == ((5, 3) if task == "multiclass" else (5,))


def test_no_row_and_one_row_are_predicted(result):
    assert result.package.predict(rows(3, 8)[:0]).shape == (0,)
    assert result.package.predict(rows(1, 8)).shape == (1,)


def test_the_native_model_alone_cannot_be_asked_by_mistake(result):
    assert isinstance(result.package.native, CatBoostNative)
    with pytest.raises(Exception, match=r"encoder_|feature"):
        result.package.native.predict(result.package.spec.matrix(rows(400, 8)))
