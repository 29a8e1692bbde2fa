"""The locks: one version of a package everywhere, a hash for each, and all that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BASE = PYPROJECT["project"]["dependencies"]
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
EVERYTHING = [*BASE, *(item for extra in EXTRAS.values() for item in extra), *PYPROJECT["dependency-groups"]["dev"]]
ASKED = {
    "bootstrap": ["uv"],
    "dev": EVERYTHING,
    "tabular": [*BASE, *(item for extra in ("tabular", "sources", "delta", "postgres") for item in EXTRAS[extra])],
    "deep": [*BASE, *EXTRAS["deep"]],
    "gateway": [*BASE, *EXTRAS["gateway"], *EXTRAS["postgres"]],
}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)([^\n]*)\n((?:    --hash[^\n]*\n)*)", re.MULTILINE)


def pins(lock: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version, _, _ in PIN.findall(lock.read_text(encoding="utf-8")):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def test_there_is_a_lock_for_every_family_and_no_other():
    assert {lock.stem for lock in LOCKS} == set(ASKED)


def test_a_package_has_the_same_version_in_every_lock():
    everywhere = pins(ROOT / "requirements/dev.txt")
    for lock in LOCKS:
        assert not {name: versions for name, versions in pins(lock).items() if versions != everywhere.get(name)}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_covers_what_pyproject_asks_for(lock):
    locked = pins(lock)
    for requirement in map(Requirement, ASKED[lock.stem]):
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert any(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions} locked; make lock"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_pin_has_a_hash_and_no_line_names_an_index(lock):
    text = lock.read_text(encoding="utf-8")
    found = PIN.findall(text)
    assert found
    assert not [name for name, _, _, hashes in found if not hashes]
    assert len(found) == len([line for line in text.splitlines() if line and line[0] not in " #"])
    assert "://" not in text
