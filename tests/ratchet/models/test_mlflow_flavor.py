import numpy as np
import pytest

from ratchet.features.spec import FeatureSpec
from ratchet.models.manifest import ADDED_BY_MLFLOW
from ratchet.models.package import ModelPackage
from tests.autoencoders import linear_package

pytestmark = pytest.mark.slow  # MLflow


@pytest.mark.filterwarnings("ignore")  # MLflow's own import warns in its own ways
def test_mlflow_loads_a_package_and_predicts_the_same(package, holdout, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    rows = holdout.head(200)
    loaded = mlflow.pyfunc.load_model(str(package))
    ours = ModelPackage.load(package).predict(rows)
    assert np.array_equal(loaded.predict(rows.select(list(loaded.metadata.signature.inputs.input_names())).to_pandas()), ours)
    with pytest.raises(mlflow.exceptions.MlflowException, match="nswprice"):
        loaded.predict(rows.drop("nswprice").to_pandas())


@pytest.mark.filterwarnings("ignore")
def test_a_package_comes_back_from_mlflows_store_as_it_went_in(package, holdout, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.create_experiment("e", artifact_location=str(tmp_path / "artifacts"))
    run = client.create_run(experiment)
    client.log_artifacts(run.info.run_id, str(package), "package")
    fetched = ModelPackage.load(client.download_artifacts(run.info.run_id, "package", str(tmp_path)))
    (fetched.path / ADDED_BY_MLFLOW).write_text("model_name: elec2\n")
    assert ModelPackage.load(fetched.path).digest == ModelPackage.load(package).digest
    assert np.array_equal(fetched.predict(holdout), ModelPackage.load(package).predict(holdout))


@pytest.mark.filterwarnings("ignore")
def test_mlflow_loads_an_autoencoder_and_answers_with_the_error_of_each_row(holdout, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    inputs = {"nswprice": "number", "nswdemand": "number", "vicdemand": "number", "weekday": "string"}
    spec = FeatureSpec("anomaly", "", inputs, tuple(inputs), ("normal", "anomaly"))
    package = linear_package(tmp_path / "model", spec, holdout, latent=1)
    loaded = mlflow.pyfunc.load_model(str(package.path))
    assert [column["name"] for column in loaded.metadata.signature.inputs.to_dict()] == list(inputs)
    rows = holdout.head(200).select(list(inputs))
    assert np.array_equal(loaded.predict(rows.to_pandas()), package.encode(rows).errors)
