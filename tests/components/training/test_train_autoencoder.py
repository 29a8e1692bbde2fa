"""The face: what a pipeline gives it and what it gives a pipeline."""

import pytest
from kfp import dsl

from components.training.train_autoencoder.component import train_autoencoder
from ratchet.errors import PackageError, ParameterError
from ratchet.models.package import ModelPackage
from tests.ratchet.models.autoencoder.conftest import readings, site

pytestmark = pytest.mark.slow


def train(folder, **parameters):
    site(folder, readings(600))
    model, scores = dsl.Model(uri=str(folder / "model")), dsl.Metrics(uri=str(folder / "scores"))
    made = train_autoencoder.python_func(
        train=dsl.Dataset(uri=str(folder / "train")),
        validation=dsl.Dataset(uri=str(folder / "validation")),
        specification=dsl.Artifact(uri=str(folder / "specification.json")),
        model=model,
        curve=dsl.HTML(uri=str(folder / "curve.html")),
        scores=scores,
        **parameters,
    )
    return model, scores, made


ODD = {  # a value of each parameter that is not its default, to see that each arrives where it belongs
    "scaling": "column",
    "noise": 0.05,
    "masking": 0.15,
    "epochs": 2,
    "batch_size": 64,
    "learning_rate": 0.002,
    "patience": 3,
    "train_on": "all",
    "threshold_by": "rate",
    "false_alarm_rate": 0.02,
    "cost_false_negative": 5.0,
    "cost_false_positive": 3.0,
    "members": 2,
}


def test_a_signed_package_a_page_and_scores_come_out(tmp_path, monkeypatch):
    monkeypatch.setenv("PACKAGE_KEY", "a key of the installation")
    monkeypatch.setenv("RATCHET_SIGNING_KEY", "env:PACKAGE_KEY")
    model, scores, (latent, threshold, digest) = train(tmp_path, hidden=[8.0], latent_size=3, seed=4, **ODD)  # KFP's lists hold floats
    package = ModelPackage.load(model.path, key=b"a key of the installation")
    assert (package.encoder.latent, package.threshold, package.digest) == (latent, threshold, digest)
    assert latent == 3
    assert package.parameters["hidden"] == [8]
    assert {name: package.parameters[name] for name in ODD} == ODD
    assert package.seed == 4
    assert model.metadata["digest"] == digest
    assert model.metadata["kind"] == "autoencoder"
    assert model.metadata["device"] == scores.metadata["device"]
    assert set(scores.metadata) >= {"train_error", "validation_error", "threshold", "alarm_rate"}
    assert "Learning curve" in (tmp_path / "curve.html").read_text()
    with pytest.raises(PackageError, match="signature"):
        ModelPackage.load(model.path, key=b"another key")


def test_a_parameter_that_cannot_train_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ParameterError, match="architecture is 'transformer'"):
        train(tmp_path, architecture="transformer")
    assert not (tmp_path / "model").exists()
