"""Libraries loaded for less; each check is a process of its own, because a library loads once."""

import gc
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from ratchet.models.imports import STEP, is_step, load_catboost, loading

ROOT = Path(__file__).resolve().parents[3]
PREDICT = """
import sys
from pathlib import Path
from ratchet.models.package import ModelPackage
package = ModelPackage.load(Path(sys.argv[1]))
rows, recorded = package.examples()
assert abs(package.predict(rows) - recorded).max() <= 1e-9
assert abs(package.predict(rows.head(3)) - recorded[:3]).max() <= 1e-9
print("pandas" in sys.modules)
import pandas
print(isinstance(rows.to_pandas(), pandas.DataFrame))
"""


def run(code: str, *arguments: str, step: bool) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name != STEP} | ({STEP: "true"} if step else {})
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize("step", [True, False])
def test_a_step_predicts_without_pandas_and_can_load_it_afterwards_and_nobody_else_goes_without(step, package):
    assert run(PREDICT, str(package), step=step) == [str(not step), "True"]


@pytest.mark.slow
def test_outside_a_step_catboost_takes_a_pandas_table():
    code = (
        "from ratchet.models.imports import load_catboost; catboost = load_catboost(); import pandas as pd\n"
        "print(catboost.Pool(pd.DataFrame({'a': [1.0, 2.0]}), label=[0, 1]).num_row())"
    )
    assert run(code, step=False) == ["2"]


def test_the_collector_rests_while_a_library_loads_and_goes_on_after_it(monkeypatch):
    monkeypatch.delenv(STEP, raising=False)
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ModuleNotFoundError), loading():
        import_module("this.is.no.module")
    assert gc.isenabled()


def test_a_library_is_hidden_in_a_step_only_and_only_when_it_was_not_loaded_before(monkeypatch):
    monkeypatch.delenv(STEP, raising=False)
    with loading(hidden="this.is.no.module"):
        assert "this.is.no.module" not in sys.modules
    monkeypatch.setenv(STEP, "true")
    assert is_step()
    stand_in = ModuleType("stand-in")
    with loading(hidden="this.is.no.module", stand_in=stand_in):
        assert sys.modules["this.is.no.module"] is stand_in
    assert "this.is.no.module" not in sys.modules
    with loading(hidden="os"):
        assert sys.modules["os"] is os
    gc.unfreeze()


def test_catboost_is_catboost():
    assert load_catboost() is sys.modules["catboost"]
