"""What is registered: the versions of a model and its aliases, read and moved without MLflow where that can be.

Loading MLflow and its SQL store costs a step 4 s of processor time, and each step of a run that looks a version up or moves an alias would
pay that for a row or two. The embedded store is a SQLite file of this installation, so those rows are read and written here as MLflow
would. Its tables are MLflow's, which may change them: only a store of the one revision that this was written for, by MLflow's own name of
it, is touched so. Any other goes by MLflow's client, and so does a server.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from ratchet.delivery.mlflow_store import is_embedded, open_client
from ratchet.errors import RegistryError
from ratchet.settings import Settings

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

REVISION = "dc11669786a5"  # of MLflow 3.17's tables
WAIT = 60.0  # seconds for another process's transaction
_VERSIONS = (
    "SELECT version, source FROM model_versions WHERE name = ? AND workspace = 'default' AND current_stage <> 'Deleted_Internal' ORDER BY 1"
)
_TAGS = "SELECT version, key, value FROM model_version_tags WHERE name = ? AND workspace = 'default'"
_ALIASES = "SELECT alias, version FROM registered_model_aliases WHERE name = ? AND workspace = 'default'"
_SET = "INSERT OR REPLACE INTO registered_model_aliases (workspace, name, alias, version) VALUES ('default', ?, ?, ?)"
_DROP = "DELETE FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND alias = ?"
_MODEL = "SELECT 1 FROM registered_models WHERE name = ? AND workspace = 'default'"


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """One version.

    Attributes:
        name: Of the model.
        version: Its number.
        source: Where its package lies.
        tags: Its tags.
    """

    name: str
    version: str
    source: str
    tags: Mapping[str, str]


class Registered(Protocol):
    """The part of a registry that runs ask for again and again."""

    def versions(self, name: str) -> list[RegisteredVersion]:
        """Return the versions of a model, none where there is no such model."""

    def aliases(self, name: str) -> dict[str, str]:
        """Return the version of each alias. Raises RegistryError where there is no such model."""

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Let an alias name a version. Raises RegistryError where there is none."""

    def drop_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""


@contextmanager
def open_registered(settings: Settings) -> Iterator[Registered]:
    """Give the registered versions and aliases of the installation while the block runs.

    Raises:
        RegistryError: the registry cannot be reached, or refuses.
    """
    connection = _embedded(settings)
    if connection is None:
        with open_client(settings) as client:
            yield _ByMlflow(client)
        return
    with closing(connection):
        try:
            yield _Embedded(connection)
        except sqlite3.Error as error:
            raise RegistryError(
                f"the embedded MLflow store {settings.tracking()!r} refused: {error}; see that it can be written"
            ) from error


def _embedded(settings: Settings) -> sqlite3.Connection | None:
    """Return a connection to the embedded store where it is there and of the known revision."""
    if not is_embedded(settings):
        return None
    path = settings.tracking().removeprefix("sqlite:///")
    connection = None
    try:
        connection = sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, timeout=WAIT, isolation_level=None)
        if connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISION,)]:
            connection.execute("PRAGMA foreign_keys = ON")
            return connection
    except sqlite3.Error:  # not there yet, or no store: MLflow makes it, or says what is wrong
        pass
    if connection is not None:
        connection.close()
    return None


class _Embedded:
    """The rows of an embedded store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def versions(self, name: str) -> list[RegisteredVersion]:
        tags: dict[int, dict[str, str]] = {}
        for version, key, value in self.connection.execute(_TAGS, (name,)):
            tags.setdefault(version, {})[key] = value
        rows = self.connection.execute(_VERSIONS, (name,))
        return [RegisteredVersion(name, str(version), source, tags.get(version, {})) for version, source in rows]

    def aliases(self, name: str) -> dict[str, str]:
        if not self.connection.execute(_MODEL, (name,)).fetchone():
            raise RegistryError(f"the registry has no model {name!r}; register a version of it first")
        return {alias: str(version) for alias, version in self.connection.execute(_ALIASES, (name,))}

    def set_alias(self, name: str, alias: str, version: str) -> None:
        if version not in [found.version for found in self.versions(name)]:
            raise RegistryError(
                f"model {name!r} has no version {version!r} in the registry, so {alias!r} cannot name it; register it again"
            )
        self.connection.execute(_SET, (name, alias, int(version)))

    def drop_alias(self, name: str, alias: str) -> None:
        self.connection.execute(_DROP, (name, alias))


class _ByMlflow:
    """The same by MLflow's client."""

    def __init__(self, client: "MlflowClient") -> None:
        self.client = client

    def versions(self, name: str) -> list[RegisteredVersion]:
        found = self.client.search_model_versions(f"name='{name}'")
        return [RegisteredVersion(name, str(one.version), one.source, dict(one.tags)) for one in found]

    def aliases(self, name: str) -> dict[str, str]:
        return {alias: str(version) for alias, version in self.client.get_registered_model(name).aliases.items()}

    def set_alias(self, name: str, alias: str, version: str) -> None:
        self.client.set_registered_model_alias(name, alias, version)

    def drop_alias(self, name: str, alias: str) -> None:
        self.client.delete_registered_model_alias(name, alias)
