"""TensorFlow as a training wants it: loaded where it is needed and nowhere else, and giving the same sums every time.

It takes ten seconds to import, so nothing that evaluates or serves a package ever does.
"""

import os
from importlib import import_module
from typing import Any

from ratchet.errors import ParameterError
from ratchet.models.imports import loading


def load_tensorflow(threads: int) -> Any:
    """Return the module ``tensorflow``, set to be deterministic.

    Args:
        threads: Of an operation, and of operations at a time.

    Raises:
        ParameterError: TensorFlow has begun in this process with another number of threads, which it cannot change any more.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with loading(hidden="pandas"), loading(hidden="sklearn"):  # Keras would only recognise tables and estimators by them
        tensorflow = import_module("tensorflow")
        import_module("keras")
    threading = tensorflow.config.threading
    for name in ("intra", "inter"):
        if getattr(threading, f"get_{name}_op_parallelism_threads")() != threads:
            try:
                getattr(threading, f"set_{name}_op_parallelism_threads")(threads)
            except RuntimeError as error:
                raise ParameterError(f"threads is {threads}, and TensorFlow has begun here with another number; start a process") from error
    tensorflow.config.experimental.enable_op_determinism()
    return tensorflow


def device_name(tensorflow: Any) -> str:
    """Return what the network trains on: the name of a GPU, or "CPU"."""
    found = tensorflow.config.list_physical_devices("GPU")
    if not found:
        return "CPU"
    details = tensorflow.config.experimental.get_device_details(found[0])
    return str(details.get("device_name", found[0].name))
