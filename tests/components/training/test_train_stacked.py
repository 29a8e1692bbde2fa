"""The face: what it is given reaches the package, which holds the autoencoder and names it."""

import numpy as np
import polars as pl
import pytest
from kfp import dsl

from components.training.train_stacked.component import train_stacked
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import SchemaError
from ratchet.features.spec import FeatureSpec
from ratchet.models.package import ModelPackage
from tests.autoencoders import linear_package

SPEC = FeatureSpec("binary", "y", {"x": "number", "z": "number"}, ("x", "z"), classes=("no", "yes"))


@pytest.fixture
def splits(tmp_path):
    rng = np.random.default_rng(0)
    for name, rows in {"train": 400, "validation": 100}.items():
        x, z = rng.normal(size=(2, rows))
        y = np.where(x + rng.normal(size=rows) > 0, "yes", "no")
        write_dataset(pl.DataFrame({"x": x, "z": z, "y": y}), tmp_path / name, source="test")
    SPEC.write(tmp_path / "specification.json")
    return tmp_path


def train(folder, **parameters):
    model, scores = dsl.Model(uri=str(folder / "model")), dsl.Metrics(uri=str(folder / "scores"))
    made = train_stacked.python_func(
        train=dsl.Dataset(uri=str(folder / "train")),
        validation=dsl.Dataset(uri=str(folder / "validation")),
        specification=dsl.Artifact(uri=str(folder / "specification.json")),
        encoder=dsl.Model(uri=str(folder / "encoder")),
        model=model,
        curve=dsl.HTML(uri=str(folder / "curve.html")),
        scores=scores,
        **parameters,
    )
    return made, model, scores


def test_a_stacked_package_a_curve_and_scores_come_out(splits):
    encoder = linear_package(splits / "encoder", SPEC.as_anomaly(), read_dataset(splits / "train"), latent=1)
    (trees, threshold, digest), model, scores = train(
        splits, encoder_name="fraud-encoder", encoder_version="7", iterations=20, threads=1, cost_false_negative=4.0
    )
    package = ModelPackage.load(model.path)
    assert (package.digest, package.threshold, package.parameters["cost_false_negative"]) == (digest, threshold, 4.0)
    needed = package.description.encoder
    assert (needed.model, needed.version, needed.digest) == ("fraud-encoder", "7", encoder.digest)
    assert package.nested.digest == encoder.digest
    assert (model.metadata["digest"], model.metadata["encoder"], model.metadata["trees"]) == (digest, "fraud-encoder 7", str(trees))
    assert scores.metadata["trees"] == str(trees)
    page = (splits / "curve.html").read_text(encoding="utf-8")
    assert "fraud-encoder version 7" in page
    assert "encoder_error" in page


def test_it_reads_of_the_encoder_what_it_is_told(splits):
    linear_package(splits / "encoder", SPEC.as_anomaly(), read_dataset(splits / "train"), latent=1)
    _, model, _ = train(splits, encoder_outputs=["error"], iterations=20, threads=1)
    package = ModelPackage.load(model.path)
    assert package.matrix(read_dataset(splits / "validation")).columns == ["x", "z", "encoder_error"]


def test_a_model_that_is_no_autoencoder_of_the_same_columns_is_refused(splits):
    other = FeatureSpec("anomaly", "y", {"x": "number", "w": "number"}, ("x", "w"), classes=("no", "yes"))
    linear_package(splits / "encoder", other, read_dataset(splits / "train").with_columns(w=pl.col("z")), latent=1)
    with pytest.raises(SchemaError, match="'w' as number, and the model that is to be stacked on it does not read it"):
        train(splits)
