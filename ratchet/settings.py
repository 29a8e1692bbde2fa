"""Where this installation keeps its state: the ledger, the model registry, the audit head.

Settings come from ``RATCHET_*`` variables, or from a YAML file without secrets whose URI a pipeline passes as its one
``settings`` parameter, because steps on Vertex AI get no environment of ours. A variable wins over the file. On a laptop
everything defaults to files under ``RATCHET_HOME``; in a pod a missing ledger URL is an error, because an embedded
default there would be a fresh, empty ledger that says nothing is deployed.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ratchet.errors import SettingsError, nearest


class Settings(BaseSettings):
    """The settings of one installation.

    Attributes:
        home: Folder of everything embedded; deleting it is a clean start.
        ledger_url: SQLAlchemy URL of the ledger, or a secret reference to it; empty means SQLite under ``home``.
        tracking_uri: MLflow tracking URI; empty means SQLite under ``home``.
        artifact_root: Where MLflow keeps packages when the store is embedded; empty means a folder under ``home``.
        audit_head: Folder in which the head of each audit chain is written outside the database; empty means under ``home``.
        signing_key: Secret reference to the key that signs model packages; empty means unsigned.
        webhook_url: Secret reference to a URL that ``conclude`` posts the outcome to; empty means the log only.
        traffic: Folder of recorded predictions and labels, which gateways write and the judge reads; empty means under ``home``.
        journal: Folder on a gateway's own disk for what is not rolled into ``traffic`` yet; empty means under ``home``.
        traffic_retention_days: Recorded traffic older than this is deleted, whole days at a time.
        traffic_sample: Share of requests that is recorded outside a rollout, 0 to 1; during one every request is.
        personal_columns: Column to "hash" or "drop", before anything of a request is written.
        personal_salt: Secret reference to the salt of those hashes.
    """

    model_config = SettingsConfigDict(env_prefix="RATCHET_", extra="forbid", frozen=True)

    home: Path = Path(".ratchet")
    ledger_url: str = ""
    tracking_uri: str = ""
    artifact_root: str = ""
    audit_head: str = ""
    signing_key: str = ""
    webhook_url: str = ""
    traffic: str = ""
    journal: str = ""
    traffic_retention_days: int = Field(default=90, ge=1)
    traffic_sample: float = Field(default=1.0, ge=0, le=1)
    personal_columns: dict[str, Literal["hash", "drop"]] = {}
    personal_salt: str = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let a variable win over the file (``init``), so that an operator can override without editing it."""
        return env_settings, init_settings

    @property
    def root(self) -> Path:
        """``home`` as an absolute path."""
        return self.home.expanduser().resolve()

    def ledger(self) -> str:
        """Return the SQLAlchemy URL of the ledger, its secret resolved.

        Raises:
            SettingsError: no URL is set and this is a pod, where an embedded ledger would be empty each time.
        """
        if self.ledger_url:
            return resolve_secret(self.ledger_url)
        self._refuse_embedded_in_pod("RATCHET_LEDGER_URL", "postgresql+psycopg://user@host/ratchet")
        return f"sqlite:///{self.root / 'ledger.db'}"

    def tracking(self) -> str:
        """Return the MLflow tracking URI.

        Raises:
            SettingsError: none is set and this is a pod.
        """
        if self.tracking_uri:
            return resolve_secret(self.tracking_uri)
        self._refuse_embedded_in_pod("RATCHET_TRACKING_URI", "https://mlflow.example.org")
        return f"sqlite:///{self.root / 'mlflow.db'}"

    def artifacts(self) -> str:
        """Return the root under which an embedded MLflow keeps model packages, as a URI or a path."""
        return self.artifact_root or str(self.root / "artifacts")

    def signing(self) -> bytes | None:
        """Return the key that signs and verifies model packages, its secret resolved; None when none is configured."""
        return resolve_secret(self.signing_key).encode() if self.signing_key else None

    def audit_heads(self) -> Path:
        """Return the folder of the audit heads."""
        return Path(self.audit_head) if self.audit_head else self.root / "audit"

    def traffic_folder(self) -> Path:
        """Return the folder of recorded traffic.

        Raises:
            SettingsError: none is set and this is a pod, where what one replica writes the judge would never see.
        """
        if self.traffic:
            return Path(self.traffic)
        self._refuse_embedded_in_pod("RATCHET_TRAFFIC", "/mnt/traffic")
        return self.root / "traffic"

    def journal_folder(self) -> Path:
        """Return the folder of journals; it may be lost with the pod, at the price of what was not rolled yet."""
        return Path(self.journal) if self.journal else self.root / "journal"

    def salt(self) -> bytes:
        """Return the salt of hashed personal columns, its secret resolved.

        Raises:
            SettingsError: a column is to be hashed and no salt is configured: a bare hash of a card number is no protection.
        """
        if not self.personal_salt and "hash" in self.personal_columns.values():
            raise SettingsError(
                "RATCHET_PERSONAL_COLUMNS hashes a column and RATCHET_PERSONAL_SALT is not set; set it, e.g. file:/run/secrets/salt"
            )
        return resolve_secret(self.personal_salt).encode()

    def _refuse_embedded_in_pod(self, variable: str, example: str) -> None:
        if "KUBERNETES_SERVICE_HOST" in os.environ:
            raise SettingsError(
                f"{variable} is not set, and this step runs in a pod, where the embedded default would be empty at every "
                f"start; set it in the environment or in the file that the 'settings' parameter names, e.g. {example}"
            )


def load_settings(uri: str = "") -> Settings:
    """Return the settings of this process.

    Args:
        uri: Path or ``file://`` URI of a YAML file of settings; empty means the environment alone.

    Raises:
        SettingsError: the file is absent, is not a mapping, or holds a name or value that is not a setting.
    """
    values: dict[str, Any] = {}
    if uri:
        import yaml

        path = Path(uri.removeprefix("file://"))
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise SettingsError(f"settings file {uri!r} cannot be read: {error}; give the path of a YAML mapping") from error
        if not isinstance(values, dict):
            raise SettingsError(f"settings file {uri!r} holds a {type(values).__name__}; it must be a mapping of names to values")
        for name in values:
            if name not in Settings.model_fields:
                raise SettingsError(f"settings file {uri!r}: unknown setting {name!r}; {nearest(str(name), Settings.model_fields)}")
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(f"settings cannot be used: {error}") from error


def resolve_secret(reference: str) -> str:
    """Return the value behind a secret reference; a text without a known scheme is its own value.

    Args:
        reference: ``env:NAME`` or ``file:PATH``; anything else is returned as it is.

    Raises:
        SettingsError: the variable or file does not exist. The message never holds a value.

    >>> resolve_secret("sqlite:///ledger.db")
    'sqlite:///ledger.db'
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        if rest not in os.environ:
            raise SettingsError(f"secret reference {reference!r}: no variable {rest!r} in the environment; set it, or point to another")
        return os.environ[rest]
    if scheme == "file" and not rest.startswith("//"):
        try:
            return Path(rest).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                f"secret reference {reference!r}: {error.strerror or error}; mount the file, or point to another"
            ) from error
    return reference
