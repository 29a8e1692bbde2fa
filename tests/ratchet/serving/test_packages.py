import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ratchet.errors import PackageError, RegistryError
from ratchet.serving.packages import Packages
from ratchet.settings import Settings


@pytest.fixture
def apart(stored, tmp_path):
    """A model in a store of its own."""
    shutil.copytree(Path(stored[0].uri), tmp_path / "store")
    return replace(stored[0], uri=str(tmp_path / "store"))


@pytest.fixture
def packages(tmp_path):
    return Packages(tmp_path / "packages", Settings(home=tmp_path))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_what_was_fetched_once_needs_no_storage(packages, apart):
    packages.describe(apart)
    shutil.rmtree(apart.uri)
    assert packages.load(apart).ref == apart


def test_what_was_never_fetched_needs_it(packages, apart):
    shutil.rmtree(apart.uri)
    with pytest.raises(RegistryError, match="nothing is stored"):
        packages.load(apart)


def test_a_damaged_copy_is_fetched_again(packages, apart):
    flip(packages.load(apart).package.path / "model.cbm")
    assert packages.load(apart).package.digest == apart.digest


def test_a_damaged_package_is_never_loaded_nor_kept(packages, apart):
    flip(Path(apart.uri) / "model.cbm")
    with pytest.raises(PackageError, match="damaged"):
        packages.load(apart)
    assert not list(packages.folder.iterdir())


def test_many_workers_may_fetch_at_once(packages, apart):
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(packages.describe, [apart] * 16))
    assert {served.package.digest for served in loaded} == {apart.digest}
    assert len(list(packages.folder.iterdir())) == 1


def test_only_old_copies_that_nobody_names_are_removed(packages, stored):
    for ref in stored[:3]:
        path = packages.describe(ref).package.path
        if ref is not stored[2]:
            os.utime(path, (0, 0))
    packages.prune([stored[0]])
    assert {path.name for path in packages.folder.iterdir()} == {ref.digest.replace(":", "-") for ref in (stored[0], stored[2])}
