"""Every component meets every rule by being there: nothing to register, nothing to forget."""

import ast
import importlib.metadata
import inspect
import os
import subprocess
import sys
from pathlib import Path

import docstring_parser
import pytest
import yaml
from packaging.requirements import Requirement

from components.images import image

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = yaml.safe_load((ROOT / "components/catalogue.yaml").read_text(encoding="utf-8"))
FACES = sorted(ROOT.glob("components/*/*/component.py"))
every_component = pytest.mark.parametrize("file", FACES, ids=lambda file: file.parent.name)


def function_of(file: Path) -> ast.FunctionDef:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == file.parent.name)


def compiled(name: str) -> dict:
    return yaml.safe_load((ROOT / "compiled/components" / f"{name}.yaml").read_text(encoding="utf-8"))


def test_the_catalogue_and_the_folders_say_the_same():
    assert {name: entry["stage"] for name, entry in CATALOGUE.items()} == {file.parent.name: file.parent.parent.name for file in FACES}
    assert {entry["kind"] for entry in CATALOGUE.values()} <= {"pure", "read", "effect"}


@every_component
def test_a_face_is_short_and_holds_no_logic_of_its_own(file):
    function = function_of(file)
    body = function.body[1:]
    lines = body[-1].end_lineno - body[0].lineno + 1
    assert lines <= 25, f"{lines} lines; move the work into ratchet/ and call it"
    nested = [node for node in ast.walk(function) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) and node is not function]
    assert not nested, f"line {nested[0].lineno} defines something inside the face; give it a place in ratchet/"


@every_component
def test_a_face_imports_nothing_outside_its_function_but_kfp(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    modules = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert modules <= {"typing", "kfp", "kfp.dsl", "components.images"}
    assert not [node for node in tree.body if isinstance(node, ast.Import)]


@every_component
def test_every_input_parameter_and_returned_value_is_documented(file):
    function = function_of(file)
    doc = docstring_parser.parse(inspect.cleandoc(ast.get_docstring(function)))
    described = {item.arg_name for item in doc.params if item.description}
    wanted = {argument.arg for argument in function.args.args if not ast.unparse(argument.annotation).startswith("Output[")}
    assert wanted <= described, f"not in Args: {sorted(wanted - described)}"
    known = {argument.arg for argument in function.args.args}
    assert {item.arg_name for item in doc.params} <= known, "Args names something that the signature has not"
    outputs = compiled(file.parent.name)["root"].get("outputDefinitions", {}).get("parameters", {})
    silent = [name for name, output in outputs.items() if not output.get("description")]
    assert not silent, f"not in Returns: {silent}"


@every_component
def test_a_step_runs_in_its_family_s_image_and_installs_nothing(file):
    name = file.parent.name
    (executor,) = compiled(name)["deploymentSpec"]["executors"].values()
    assert executor["container"]["image"] == image(CATALOGUE[name]["image"])
    assert "pip install" not in " ".join(executor["container"]["command"])


@every_component
def test_a_component_has_a_readme(file):
    assert (file.parent / "README.md").is_file(), "run: make compile"


def installed_with(distribution: str) -> set[str]:
    """The distributions that installing one brings, itself included."""
    found, todo = set(), [distribution]
    while todo:
        name = todo.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        requirements = map(Requirement, importlib.metadata.requires(name) or [])
        todo += [item.name for item in requirements if not item.marker or item.marker.evaluate({"extra": ""})]
    return found


@pytest.fixture(scope="module")
def only_kfp(tmp_path_factory) -> Path:
    """A site folder in which kfp and what it requires are installed, and nothing else."""
    site = tmp_path_factory.mktemp("only_kfp")
    for name in installed_with("kfp"):
        installed = Path(importlib.metadata.distribution(name).locate_file(""))
        for top in {file.parts[0] for file in importlib.metadata.files(name)} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(installed / top)
    return site


def test_every_compiled_component_loads_where_only_kfp_is_installed(only_kfp, tmp_path):
    code = """
import importlib.util, sys
from kfp.components import load_component_from_file
assert not [name for name in ("ratchet", "components", "numpy", "polars", "pandas") if importlib.util.find_spec(name)]
print(*(load_component_from_file(path).name for path in sys.argv[1:]))
"""
    files = sorted((ROOT / "compiled/components").glob("*.yaml"))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(only_kfp)}
    command = [sys.executable, "-S", "-c", code, *map(str, files)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [name.replace("_", "-") for name in sorted(CATALOGUE)]
