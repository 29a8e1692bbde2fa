"""Large libraries loaded for less: a step is a new process, and what it imports costs it more than its work.

Two things are paid for nothing. Python's collector looks again and again through objects that will live as long as the process does, so it
rests while a library loads, and in a step what was loaded is taken out of its sight. And CatBoost and MLflow load pandas, about a second of
processor time, to recognise its tables, of which a step has none. Both can do without it: CatBoost has stand-ins for a machine without
pandas, and mlflow-skinny is MLflow without it. So pandas is hidden while they load; but only in a step, whose process is ours alone.
Anywhere else somebody may pass CatBoost a pandas table.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

STEP = "_KFP_RUNTIME"  # kfp sets it for a step's process, and what a step starts inherits it


def is_step() -> bool:
    """Return whether this process is a step of a pipeline, or was started by one."""
    return os.environ.get(STEP) == "true"


@contextmanager
def loading(*, hidden: str = "", stand_in: ModuleType | None = None) -> Iterator[None]:
    """Load libraries in the block with the collector at rest, in a step also without one that they only want to know of.

    Args:
        hidden: Name of a library to hide; empty for none. One that is loaded already is not hidden.
        stand_in: What is found in its place; None to find nothing there, as on a machine that does not have it.
    """
    hides = bool(hidden) and is_step() and hidden not in sys.modules
    rests = gc.isenabled()
    gc.disable()
    if hides:
        sys.modules[hidden] = stand_in  # type: ignore[assignment]  # None is how Python is told that there is no such module
    try:
        yield
    finally:
        if hides:
            del sys.modules[hidden]
        if is_step():
            gc.freeze()
        if rests:
            gc.enable()


def load_catboost() -> Any:
    """Return the module ``catboost``, loaded for less where this is the first time."""
    if "catboost" not in sys.modules:
        pandas = ModuleType("pandas")
        for name in ("DataFrame", "Series"):  # as in CatBoost's own stand-in, which its compiled part does not know
            setattr(pandas, name, type(name, (), {}))
        with loading(hidden="pandas", stand_in=pandas):
            return import_module("catboost")
    return import_module("catboost")  # which waits where another thread has not finished loading it
