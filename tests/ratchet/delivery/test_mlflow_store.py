"""The door to MLflow: quiet, and in Ratchet's own words when it refuses."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ratchet.delivery.mlflow_store import download, is_embedded, open_client
from ratchet.errors import RegistryError
from ratchet.settings import Settings

pytestmark = pytest.mark.slow

FIRST_USE = """
import sys
from pathlib import Path
from ratchet.delivery.mlflow_store import open_client
from ratchet.settings import Settings
with open_client(Settings(home=Path(sys.argv[1]))) as client:
    print(len(client.search_registered_models()))
"""


def test_what_mlflow_refuses_is_told_in_one_line(world):
    refusal = pytest.raises(RegistryError, match="MLflow refused: Registered Model with name=nothing not found")
    with refusal, open_client(world.settings) as client:
        client.get_registered_model("nothing")


def test_processes_that_use_an_empty_store_at_once_do_not_break_it_and_say_nothing(tmp_path):
    def use(number: int) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-c", FIRST_USE, str(tmp_path)], capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(use, range(2)))
    assert [(process.returncode, process.stdout, process.stderr) for process in done] == [(0, "0\n", "")] * 2


def test_a_server_is_not_embedded(tmp_path):
    assert is_embedded(Settings(home=tmp_path))
    assert not is_embedded(Settings(home=tmp_path, tracking_uri="https://mlflow.example.org"))


def test_storage_that_is_away_is_named(tmp_path):
    with pytest.raises(RegistryError, match="nothing-here"):
        download(f"{tmp_path}/nothing-here", str(tmp_path))
