"""The embedded store without MLflow: the same rows as MLflow's own client reads and writes, and MLflow wherever that is not sure."""

import sqlite3
import subprocess
import sys

import pytest

from ratchet.delivery import registered
from ratchet.delivery.mlflow_store import open_client
from ratchet.delivery.registered import REVISION, open_registered
from ratchet.errors import RegistryError
from ratchet.settings import Settings


@pytest.fixture(params=["without MLflow", "by MLflow"])
def way(request, monkeypatch):
    """Each test runs both ways, so that the two cannot come to differ."""
    if request.param == "by MLflow":
        monkeypatch.setattr(registered, "REVISION", "another revision")
    return request.param


def test_the_store_of_the_installed_mlflow_is_of_the_revision_that_is_touched(world, name):
    world.register(name, 0)
    with sqlite3.connect(world.settings.tracking().removeprefix("sqlite:///")) as store:
        found = store.execute("SELECT version_num FROM alembic_version").fetchall()
    assert found == [(REVISION,)], "MLflow's tables changed: compare its stores' code with ratchet.delivery.registered, then set REVISION"


def test_versions_are_what_mlflow_shows_deleted_ones_left_out(world, name, way):
    for package in range(3):
        world.register(name, package)
    with open_client(world.settings) as client:
        client.delete_model_version(name, "2")
        shown = {(str(one.version), one.source, tuple(sorted(one.tags.items()))) for one in client.search_model_versions(f"name='{name}'")}
    with open_registered(world.settings) as ours:
        found = ours.versions(name)
        assert ours.versions("nothing") == []
    assert {(one.version, one.source, tuple(sorted(one.tags.items()))) for one in found} == shown
    assert {one.version for one in found} == {"1", "3"}


def test_aliases_that_are_set_moved_and_dropped_are_so_for_mlflow(world, name, way):
    for package in range(2):
        world.register(name, package)
    with open_registered(world.settings) as ours:
        ours.set_alias(name, "champion", "1")
        ours.set_alias(name, "challenger", "2")
        ours.set_alias(name, "champion", "2")
        ours.drop_alias(name, "challenger")
        ours.drop_alias(name, "never-there")
        assert ours.aliases(name) == {"champion": "2"}
    assert world.aliases(name) == {"champion": "2"}
    with open_client(world.settings) as client:
        assert str(client.get_model_version_by_alias(name, "champion").version) == "2"


def test_an_alias_of_a_version_or_a_model_that_is_not_there_is_refused(world, name, way):
    world.register(name, 0)
    with pytest.raises(RegistryError), open_registered(world.settings) as ours:
        ours.set_alias(name, "champion", "7")
    with pytest.raises(RegistryError), open_registered(world.settings) as ours:
        ours.aliases("nothing")
    assert world.aliases(name) == {}


def test_a_store_that_is_not_there_is_made_by_mlflow(tmp_path, way):
    with open_registered(Settings(home=tmp_path)) as ours:
        assert ours.versions("nothing") == []


def test_what_is_no_store_is_told_by_mlflow_and_left_as_it_is(tmp_path, way):
    (tmp_path / "mlflow.db").write_bytes(b"something else" * 100)
    with pytest.raises(Exception, match="not a database"), open_registered(Settings(home=tmp_path)):
        pass
    assert (tmp_path / "mlflow.db").read_bytes() == b"something else" * 100


def test_a_store_that_cannot_be_written_is_an_error_in_our_words(world, name, monkeypatch):
    world.register(name, 0)
    monkeypatch.setattr(registered, "_SET", "INSERT INTO no_such_table VALUES (?, ?, ?)")
    with pytest.raises(RegistryError, match=r"refused: no such table.*see that it can be written"), open_registered(world.settings) as ours:
        ours.set_alias(name, "champion", "1")


def test_a_process_that_asks_for_a_version_loads_no_mlflow(world, name):
    world.register(name, 0)
    code = (
        "import sys; from pathlib import Path; from ratchet.delivery.registry import find_version; from ratchet.settings import Settings; "
        "print(find_version(sys.argv[1], '1', Settings(home=Path(sys.argv[2]))).version, 'mlflow' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, name, str(world.settings.home)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False", "False"]
