"""The contracts that import-linter executes know every room of the house."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
}
ROOMS = {path.stem for path in (ROOT / "ratchet").iterdir() if path.suffix == ".py" or any(path.glob("**/*.py"))} - {"__init__"}
OUTSIDE = {"components", "examples", "pipelines", "ratchet", "scripts", "tests"}


def test_every_folder_of_the_library_has_its_floor():
    floors = {room.strip() for layer in CONTRACTS["floors"]["layers"] for room in layer.split("|")}
    assert floors == ROOMS


def test_every_folder_but_submit_and_catalog_is_forbidden_kfp():
    assert set(CONTRACTS["kfp"]["source_modules"]) == {f"ratchet.{room}" for room in ROOMS - {"submit", "catalog"}}


def test_every_folder_of_the_library_is_a_package():
    folders = {file.parent for file in (ROOT / "ratchet").glob("**/*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").is_file()], "without __init__.py no contract sees it"


def test_no_python_lies_outside_the_known_folders():
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".") and any(path.glob("**/*.py"))}
    assert found - {"build", "dist"} <= OUTSIDE


def test_the_library_never_imports_what_is_built_upon_it():
    words = [f"{verb} {name}" for verb in ("from", "import") for name in OUTSIDE - {"ratchet"}]
    lines = [line.strip() for file in (ROOT / "ratchet").glob("**/*.py") for line in file.read_text(encoding="utf-8").splitlines()]
    assert not [line for line in lines if line.startswith(tuple(f"{word}{end}" for word in words for end in (" ", ".")))]
