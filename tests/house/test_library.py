"""Sizes, docstrings, forbidden means, and a test beside everything: what keeps the library readable as it grows."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "ratchet").glob("**/*.py"))
TESTS = sorted((ROOT / "tests").glob("**/*.py"))
UNMIRRORED = {  # why no test file bears the name
    "pipelines/beginnings.py": "its branches run in tests/pipelines/test_delivery.py and test_autoencoder_delivery.py",
    "pipelines/endings.py": "its branches run in tests/pipelines/test_delivery.py and test_rollout.py",
    "pipelines/steps.py": "what it sets is read from every compiled pipeline in tests/house/test_pipelines.py",
    "ratchet/report/template.py": "the other half of page.py; tests/ratchet/report/test_page.py reads what it renders",
    "ratchet/submit/runner.py": "the process that local.py starts; tests/ratchet/submit/test_local.py runs it",
    "ratchet/submit/submitted.py": "both clusters are held to it by the test_submission.py of each",
    "scripts/live.py": "the live part of the demo, which CI runs",
    "scripts/demo.py": "the story is tested in tests/pipelines/test_story.py, and CI runs the demo itself",
}
every_module = pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT / "ratchet")))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(node: Function, source: list[str]) -> int:
    """Lines of a function without its docstring, blank lines and comments."""
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    lines = source[node.lineno - 1 : node.body[0].lineno - 1] + source[first.lineno - 1 : node.end_lineno]
    return sum(1 for line in lines if line.strip() and not line.strip().startswith("#"))


def public(tree: ast.Module) -> list[Function | ast.ClassDef]:
    """Public functions and classes of a module, and the public methods of the latter (a Protocol's are described by its own docstring)."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    methods = [method for node in classes if "Protocol" not in map(ast.unparse, node.bases) for method in node.body]
    return [node for node in [*tree.body, *methods] if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")]


@every_module
def test_a_module_fits_in_the_head(file):
    text = file.read_text(encoding="utf-8")
    source = text.splitlines()
    assert len(source) <= 300, f"{len(source)} lines; which noun is missing?"
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, Function)]
    long = {node.name: size for node in functions if (size := code_lines(node, source)) > 50}
    assert not long


@every_module
def test_a_module_and_all_that_is_public_in_it_say_what_they_are_for(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "say why this module exists"
    assert not [node.name for node in public(tree) if not ast.get_docstring(node)]


@every_module
def test_no_module_uses_what_the_house_forbids(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in imported} & {"pickle", "cloudpickle", "dill", "joblib", "shelve"}
    shells = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "shell"]
    assert not shells, "a shell reads what a user wrote; pass a list"
    assert file.stem not in {"utils", "util", "common", "helpers", "base", "misc"}, "find it by its domain name"


def mirror_of(file: Path) -> Path:
    stem = file.parent.name if file.name in ("__init__.py", "component.py", "pipeline.py") else file.stem
    folder = file.parent.parent if file.name in ("component.py", "pipeline.py") else file.parent
    return ROOT / "tests" / folder.relative_to(ROOT) / f"test_{stem}.py"


def test_every_module_component_pipeline_and_script_has_its_test_where_the_tree_says():
    files = [*MODULES, *(file for room in ("components", "pipelines", "scripts") for file in (ROOT / room).glob("**/*.py"))]
    files = [file for file in files if public(ast.parse(file.read_text(encoding="utf-8")))]
    alone = {str(file.relative_to(ROOT)) for file in files if not mirror_of(file).is_file()}
    assert not alone - set(UNMIRRORED), f"no test, no exemption with a reason: {', '.join(sorted(alone - set(UNMIRRORED)))}"
    assert not set(UNMIRRORED) - alone, f"has a test now, or is gone: {', '.join(sorted(set(UNMIRRORED) - alone))}"


def test_no_test_puts_a_double_in_the_place_of_a_library():
    doubles = ("from unittest import mock", "from unittest.mock", "import unittest.mock", "import mock", "from pytest_mock")
    found = [file.name for file in TESTS for line in file.read_text(encoding="utf-8").splitlines() if line.strip().startswith(doubles)]
    assert not found, "use the real thing, or give the function an argument"
