"""The door to MLflow: the one module that imports it.

Its client and its SQL store take 2 to 3 s of processor time to load, so only steps that need the registry come here. The first use of an
embedded store makes its tables; two processes that do so at once would break each other, so that is done under a lock.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from ratchet.delivery.locks import exclusive
from ratchet.errors import RegistryError
from ratchet.models.imports import loading
from ratchet.settings import Settings

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


@contextmanager
def open_client(settings: Settings) -> "Iterator[MlflowClient]":
    """Give a client of the installation's MLflow while the block runs.

    Raises:
        RegistryError: MLflow cannot be reached or refuses.
    """
    with _quiet():
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        uri = settings.tracking()
        try:
            with registry_lock(settings, "start"), loading(hidden="pandas"):
                client = MlflowClient(uri, uri)
                client.search_registered_models(max_results=1)  # the model store makes its tables at its first call
            yield client
        except MlflowException as error:
            raise RegistryError(f"MLflow refused: {error.message.splitlines()[0]}; see that RATCHET_TRACKING_URI is right") from error


def is_embedded(settings: Settings) -> bool:
    """Return whether the store is a file of this installation, not a server."""
    return settings.tracking().startswith("sqlite:")


@contextmanager
def registry_lock(settings: Settings, purpose: str) -> Iterator[None]:
    """Let one process at a time do something on an embedded store; a server needs no help."""
    with exclusive(settings.root / f"mlflow.{purpose}.lock") if is_embedded(settings) else nullcontext():
        yield


def download(uri: str, folder: str) -> str:
    """Download a folder from wherever MLflow can; return where it lies.

    Raises:
        RegistryError: it cannot be read.
    """
    with _quiet():
        from mlflow.artifacts import download_artifacts

        try:
            return str(download_artifacts(artifact_uri=uri, dst_path=folder))
        except Exception as error:  # each storage has errors of its own
            raise RegistryError(f"{uri!r} cannot be downloaded: {error}; see that the storage can be reached") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow from reporting its use, from announcing its migrations, and from warning about its own libraries."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with loading(hidden="pandas"):
            import mlflow.tracking  # noqa: F401 (it configures its loggers when it is imported)

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        yield
