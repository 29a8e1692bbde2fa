"""Where state lives, and that nothing starts on an empty ledger by accident."""

from pathlib import Path

import pytest

from ratchet.errors import SettingsError
from ratchet.settings import Settings, load_settings, resolve_secret


def test_a_laptop_needs_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path))
    settings = load_settings()
    assert settings.ledger() == f"sqlite:///{tmp_path}/ledger.db"
    assert settings.tracking() == f"sqlite:///{tmp_path}/mlflow.db"
    assert settings.audit_heads() == tmp_path / "audit"


def test_a_pod_without_a_ledger_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(SettingsError, match="RATCHET_LEDGER_URL is not set"):
        Settings().ledger()
    with pytest.raises(SettingsError, match="RATCHET_TRACKING_URI is not set"):
        Settings().tracking()


def test_a_variable_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("ledger_url: sqlite:///from-file.db\nartifact_root: /from-file\n")
    monkeypatch.setenv("RATCHET_LEDGER_URL", "sqlite:///from-environment.db")
    settings = load_settings(f"file://{path}")
    assert settings.ledger() == "sqlite:///from-environment.db"
    assert settings.artifacts() == "/from-file"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ledger_ulr: x\n", "did you mean 'ledger_url'"),
        ("- a\n", "must be a mapping"),
        ("a: [", "cannot be read"),
        ("home: {a: 1}\n", "settings cannot be used"),
    ],
)
def test_a_wrong_file_is_refused_with_a_remedy(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=says):
        load_settings(str(path))


def test_an_absent_file_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        load_settings("nowhere.yaml")


def test_secrets_are_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE", "postgresql://secret")
    (tmp_path / "url").write_text("sqlite:///x.db\n")
    assert resolve_secret("env:DATABASE") == "postgresql://secret"
    assert resolve_secret(f"file:{tmp_path}/url") == "sqlite:///x.db"
    with pytest.raises(SettingsError, match="no variable 'ABSENT'"):
        resolve_secret("env:ABSENT")
    with pytest.raises(SettingsError, match="mount the file"):
        resolve_secret(f"file:{tmp_path}/absent")
