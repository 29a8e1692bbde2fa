"""The verbs on a deployment, as a person types them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ratchet.cli.main import app
from ratchet.delivery.deployment import ModelRef
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.policy import Policy
from ratchet.errors import AuditError, LedgerError, UnknownDeploymentError
from ratchet.settings import Settings

FIRST, SECOND = ModelRef("1", "sha256:aa", "/1"), ModelRef("2", "sha256:bb", "/2")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    ledger = Ledger.open(Settings(home=tmp_path))
    ledger.promote("fraud", FIRST, generation=0, who="run r1", why="beats the naive guess")
    ledger.promote("fraud", SECOND, generation=1, who="run r2", why="half the loss")
    return tmp_path


def said(*arguments: str) -> str:
    result: Result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_status_says_what_is_live_and_what_was_before(home: Path) -> None:
    line = next(line for line in said("status", "fraud").splitlines() if line.startswith("fraud"))
    words = line.split()
    assert words[:3] == ["fraud", "version", "2"]
    assert words[3].startswith("20")
    assert words[5:] == ["version", "1", "none", "2"]
    assert said("status") == said("status", "fraud")


def test_history_tells_who_what_and_why_in_order(home: Path) -> None:
    text = said("history", "fraud")
    assert text.index("beats the naive guess") < text.index("half the loss")
    assert "run r2" in text


def test_history_names_the_challenger_that_a_trial_began_with(home: Path) -> None:
    third = ModelRef("3", "sha256:cc", "/3")
    Ledger.open(Settings(home=home)).begin("fraud", third, Policy(), generation=2, who="run r3", why="better")
    assert "challenger: version 3" in said("history", "fraud")


def test_runs_tells_what_each_run_came_to_also_where_none_was_released(home: Path) -> None:
    ledger = Ledger.open(Settings(home=home))
    ledger.record_verdict("run-7", "churn", "hold", "rejected", "no gain")
    ledger.record_verdict("run-8", "churn", "hold", "invalid", "half of a column is missing")
    text = said("runs", "churn")
    assert text.index("rejected     run run-7") < text.index("no gain") < text.index("invalid      run run-8")
    with pytest.raises(UnknownDeploymentError, match=r"2 runs decided about 'churn' and none put it live; the last was invalid: half of"):
        CliRunner().invoke(app, ["status", "churn"], catch_exceptions=False)


def test_an_unknown_name_is_refused_with_the_nearest(home: Path) -> None:
    for verb in ("status", "history", "runs", "audit", "rollback"):
        with pytest.raises(UnknownDeploymentError, match="fraud"):
            CliRunner().invoke(app, [verb, "fruad"], catch_exceptions=False)


def test_the_audit_holds_until_somebody_edits_a_row(home: Path) -> None:
    assert "2 changes, the chain holds" in said("audit", "fraud")
    import sqlite3

    with sqlite3.connect(home / "ledger.db") as database:
        database.execute("UPDATE audit SET why = 'because' WHERE generation = 1")
    with pytest.raises(AuditError, match="1"):
        CliRunner().invoke(app, ["audit", "fraud"], catch_exceptions=False)


@pytest.mark.slow
def test_a_second_rollback_finds_nothing_to_go_back_to(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "version 1 is live, generation 3" in said("rollback", "fraud", "--why", "complaints")
    assert "complaints" in said("history", "fraud")
    with pytest.raises(LedgerError, match="ratchet promote fraud VERSION"):
        CliRunner().invoke(app, ["rollback", "fraud"], catch_exceptions=False)


@pytest.mark.slow
def test_an_empty_ledger_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path / "new"))
    assert "No deployments yet" in said("status")
