"""A step is a new process and pays for every module that it imports: nobody pays for more than its list says."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = yaml.safe_load((ROOT / "components/catalogue.yaml").read_text(encoding="utf-8"))
FACES = sorted(ROOT.glob("components/*/*/component.py"))
HEAVY = [
    *("catboost", "duckdb", "evidently", "google.cloud.aiplatform", "kfp", "lightgbm", "matplotlib", "mlflow", "numpy"),
    *("onnxruntime", "pandas", "polars", "pyarrow", "scipy", "scipy.stats", "sklearn", "sqlalchemy", "sqlglot"),
    *("statsmodels", "tensorflow", "torch", "xgboost"),
]


def heavy_after(code: str) -> set[str]:
    """The heavy modules that a new process holds after running some code."""
    tail = f"\nimport json, sys\nprint(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code + tail], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
@pytest.mark.parametrize("file", FACES, ids=lambda file: file.parent.name)
def test_what_a_face_imports_is_on_its_list(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    face = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    imports = [ast.unparse(node) for node in ast.walk(face) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports, "a face calls into ratchet"
    extra = heavy_after("\n".join(imports)) - set(CATALOGUE[file.parent.name]["imports"])
    assert not extra


def test_every_list_names_only_modules_that_are_watched():
    assert not {name for entry in CATALOGUE.values() for name in entry["imports"]} - set(HEAVY)


def test_the_command_s_help_imports_nothing_heavy():
    code = "import sys\nsys.argv = ['ratchet', '--help']\nfrom ratchet.cli.main import app\ntry:\n    app()\nexcept SystemExit:\n    pass"
    assert not heavy_after(code)


def test_importing_ratchet_imports_nothing():
    assert not heavy_after("import ratchet, ratchet.catalog, ratchet.errors")


ELSEWHERE = {  # steps that the run below has not, and why
    "replay": "needs a gateway",
    "rollback": "needs a damaged model",
    "train_autoencoder": "trains no boosting model",
    "train_stacked": "is train_boosting with an autoencoder beside it",
    "encode": "batch scoring is no part of a delivery",
    "predict": "batch scoring is no part of a delivery",
}
RECORDER = f"""
import atexit, pathlib, sys

def record():
    heavy = [name for name in {HEAVY!r} if name in sys.modules]
    step = sys.argv[sys.argv.index("--function_to_execute") + 1]
    pathlib.Path(__file__).with_name(step + ".heavy").write_text("\\n".join(heavy))

if "--function_to_execute" in sys.orig_argv:
    atexit.register(record)
"""


@pytest.fixture(scope="module")
def imported_by_step(tmp_path_factory) -> dict[str, set[str]]:
    """Component to the heavy modules that its step held at its end, in real runs without a champion and with one."""
    folder = tmp_path_factory.mktemp("recorder")
    (folder / "sitecustomize.py").write_text(RECORDER)
    environment = os.environ | {"PYTHONPATH": str(folder), "RATCHET_HOME": str(folder / "home")}
    config = str(ROOT / "pipelines/delivery/configs/card_transactions.yaml")
    held: dict[str, set[str]] = {}
    for month in ("1", "2"):
        for arguments in (
            ("sample", "card-transactions", "--month", month, "--out", "month.csv"),
            ("submit", "delivery", "--config", config, "-p", f"source={folder / 'month.csv'}"),
        ):
            command = [sys.executable, "-m", "ratchet.cli.main", *arguments]
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        for file in folder.glob("*.heavy"):
            held.setdefault(file.stem, set()).update(file.read_text().split())
    return held


@pytest.mark.pipeline
def test_no_step_of_a_real_run_pays_for_a_module_that_is_not_on_its_list(imported_by_step):
    assert set(imported_by_step) == set(CATALOGUE) - set(ELSEWHERE)
    extra = {step: modules - {"kfp"} - set(CATALOGUE[step]["imports"]) for step, modules in imported_by_step.items()}
    assert not {step: modules for step, modules in extra.items() if modules}
