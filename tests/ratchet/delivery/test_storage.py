"""What comes from storage is verified before anybody gets it."""

import shutil
from pathlib import Path

import pytest

from ratchet.delivery.ledger import ModelRef
from ratchet.delivery.storage import check_package, describe_package, fetch, package_of
from ratchet.errors import PackageError, RegistryError

pytestmark = pytest.mark.slow  # a real MLflow store


def places(folder: Path) -> dict[str, Path]:
    return {f"{what}_path": folder / what for what in ("model", "reference", "schema")}


def test_a_file_uri_and_a_path_are_the_same_place(world, name, tmp_path):
    model = world.register(name, 0)
    for number, uri in enumerate((model.uri, f"file://{model.uri}")):
        fetch(ModelRef(model.version, model.digest, uri), settings=world.settings, **places(tmp_path / str(number)))
        assert describe_package(tmp_path / str(number) / "model", world.settings)[1] == model.digest


def test_what_mlflow_can_fetch_is_fetched_by_it(world, name, tmp_path):
    """A scheme that is not a local path goes through MLflow's own artifact client; its extra file is allowed."""
    from ratchet.delivery.mlflow_store import download

    model = world.register(name, 0)
    folder = Path(download(model.uri, str(tmp_path)))
    (folder / "registered_model_meta").write_text("model_name: x\n")
    check_package(folder, model, world.settings)


def test_a_package_that_was_exchanged_for_another_good_one_is_refused(world, name):
    model = world.register(name, 0)
    shutil.rmtree(model.uri)
    shutil.copytree(world.packages[1], model.uri)
    with pytest.raises(PackageError, match=r"version 1 .* was registered: it was replaced"), package_of(model, world.settings):
        pass


def test_an_output_that_is_there_already_is_replaced_whole(world, name, tmp_path):
    model = world.register(name, 0)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "left over").write_text("from a run that was killed")
    fetch(model, settings=world.settings, **places(tmp_path))
    describe_package(tmp_path / "model", world.settings)


def test_a_place_with_nothing_in_it_is_named(world, tmp_path):
    model = ModelRef("7", "sha256:00", str(tmp_path / "gone"))
    with pytest.raises(RegistryError, match=r"nothing is stored at .*gone"):
        fetch(model, settings=world.settings, **places(tmp_path))
    assert not (tmp_path / "model").exists()


def test_with_a_signing_key_an_unsigned_package_is_refused(world, name):
    model = world.register(name, 0)
    with pytest.raises(PackageError, match="not signed"), package_of(model, world.settings.model_copy(update={"signing_key": "secret"})):
        pass
