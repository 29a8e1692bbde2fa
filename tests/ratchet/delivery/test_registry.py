"""A model package in MLflow: once, whole, with where it comes from."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from ratchet.data.tables import read_dataset, write_dataset
from ratchet.delivery import tables
from ratchet.delivery.mlflow_store import open_client
from ratchet.delivery.registry import REFERENCE_ROWS, Lineage, find_version, register_model
from ratchet.delivery.storage import describe_package
from ratchet.errors import PackageError, RegistryError, UnknownDeploymentError

pytestmark = pytest.mark.slow  # a real MLflow store


def versions(world, name):
    with open_client(world.settings) as client:
        return [str(version.version) for version in client.search_model_versions(f"name='{name}'")]


def test_a_version_holds_the_package_its_reference_and_its_schema(world, name):
    model = world.register(name, 0)
    assert model.version == "1"
    assert model.digest == describe_package(world.packages[0], world.settings)[1]
    stored = Path(model.uri)
    for file in world.packages[0].iterdir():
        assert (stored / file.name).read_bytes() == file.read_bytes()
    assert read_dataset(stored.parent / "beside" / "reference").equals(read_dataset(world.reference))
    assert (stored.parent / "beside" / "schema.yaml").read_text() == world.schema.read_text()


def test_its_run_says_where_it_comes_from(world, name):
    world.register(name, 0, generation=0, run_id="run-1")
    with open_client(world.settings) as client:
        version = client.get_model_version(name, "1")
        run = client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"auc": 0.875}, "infinity cannot be kept, and is left out"
    assert run.data.params == {"kind": "catboost", "seed": "0", "iterations": "8"}
    assert run.data.tags["ratchet.run_id"] == "run-1"
    assert run.data.tags["ratchet.source"] == "the test"
    assert run.data.tags["ratchet.training_digest"].startswith("rows:")
    assert version.tags["ratchet.digest"] == run.data.tags["ratchet.digest"]


def test_registering_again_in_the_same_state_gives_the_same_version(world, name):
    first = world.register(name, 0)
    assert world.register(name, 0, run_id="another run") == first
    assert versions(world, name) == ["1"]
    assert world.register(name, 1).version == "2"
    assert world.register(name, 0, generation=4).version == "3", "a later state is another operation"


def test_the_ledger_knows_a_version_once_it_is_registered(world, name):
    assert world.ledger.version(name, "1") is None
    model = world.register(name, 0)
    assert world.ledger.version(name, "1") == find_version(name, "1", world.settings) == model
    with (
        world.ledger.database.writing() as connection
    ):  # as one that was registered before the ledger kept notes, or by a step that was killed
        connection.execute(tables.versions.delete().where(tables.versions.c.deployment == name))
    assert world.register(name, 0, run_id="again") == world.ledger.version(name, "1") == model


@pytest.mark.filterwarnings("ignore")  # MLflow warns about its own type hints when it is imported
def test_mlflow_s_own_loader_predicts_the_same(world, name):
    from mlflow.pyfunc import load_model

    from ratchet.models.package import ModelPackage

    model = world.register(name, 0)
    rows, recorded = ModelPackage.load(model.uri).examples()
    assert load_model(model.uri).predict(rows.to_pandas()) == pytest.approx(recorded, abs=1e-9)


def test_a_damaged_package_is_not_registered(world, name, tmp_path):
    broken = shutil.copytree(world.packages[0], tmp_path / "broken")
    (broken / "model.cbm").write_bytes(b"not a model")
    with pytest.raises(PackageError, match="damaged"):
        register_model(broken, world.reference, world.schema, lineage=Lineage(name, 0, "run", {}, {}), settings=world.settings)
    with pytest.raises(UnknownDeploymentError):
        find_version(name, "1", world.settings)


def test_a_large_reference_is_kept_as_evenly_spaced_rows(world, name, tmp_path):
    rows = 2 * REFERENCE_ROWS + 7
    write_dataset(pl.DataFrame({"place": range(rows)}), tmp_path / "large", source="the test")
    lineage = Lineage(name, 0, "run", {}, {})
    model = register_model(world.packages[0], tmp_path / "large", world.schema, lineage=lineage, settings=world.settings)
    kept = read_dataset(Path(model.uri).parent / "beside" / "reference")["place"]
    assert len(kept) == REFERENCE_ROWS
    assert set(kept.diff().drop_nulls()) == {2, 3}
    assert (kept[0], kept[-1]) == (0, rows - 3)


def test_a_version_that_is_not_there_is_named_with_those_that_are(world, name):
    world.register(name, 0)
    with pytest.raises(UnknownDeploymentError, match=r"no version '7'.*known: 1"):
        find_version(name, "7", world.settings)


def test_a_version_that_ratchet_did_not_register_is_refused(world, name):
    with open_client(world.settings) as client:
        client.create_registered_model(name)
        client.create_model_version(name, source="/somewhere")
    with pytest.raises(RegistryError, match="no tag"):
        find_version(name, "1", world.settings)
