"""The section ``kubeflow``: what may be in it, and that each way to authenticate reaches the server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ratchet.errors import ParameterError, SettingsError, SubmissionError
from ratchet.submit.kubeflow.calls import Patience
from ratchet.submit.kubeflow.installation import Installation
from ratchet.submit.kubeflow.submission import submit_kubeflow
from ratchet.submit.parameters import CompiledPipeline
from ratchet.submit.submitted import Submitted
from tests.kubeflow import Kubeflow

pytestmark = pytest.mark.slow  # a real client and a server

HOST = {"host": "https://kubeflow.example.org/pipeline"}


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({}, r"kubeflow\.host is missing; write the URL"),
        ({"host": "kubeflow.example.org"}, r"must begin with https://"),
        ({**HOST, "experimnt": "fraud"}, r"kubeflow\.experimnt is not a setting; did you mean 'experiment'\?"),
        ({**HOST, "enable_caching": False}, r"enable_caching cannot be set: .*follows from the kind of each step"),
        ({**HOST, "experiment": 60}, r"kubeflow\.experiment is 60, which is not a text; write it in quotes"),
        ({**HOST, "timeout": "an hour"}, r"kubeflow\.timeout is 'an hour'; write a whole number and a unit"),
        ({**HOST, "experiment": ""}, r"kubeflow\.experiment is empty"),
        ({**HOST, "auth": "tokn"}, r"kubeflow\.auth is 'tokn'; did you mean 'token'\?"),
        ({**HOST, "auth": "token"}, r"needs one of kubeflow\.token .* and kubeflow\.token_file"),
        ({**HOST, "auth": "token", "token": "env:T", "token_file": "/t"}, r"needs one of kubeflow\.token"),
        ({**HOST, "auth": "cookies"}, r"needs kubeflow\.cookies; set it"),
        ({**HOST, "auth": "dex", "username": "a"}, r"needs kubeflow\.password; set it"),
        ({**HOST, "token": "env:T"}, r"kubeflow\.token is set and kubeflow\.auth is 'none'"),
        ({**HOST, "auth": "token", "token": "eyJhbGci"}, r"kubeflow\.token holds the secret itself; write a reference"),
        ({**HOST, "auth": "cookies", "cookies": "session=eyJhbGci"}, r"kubeflow\.cookies holds the secret itself"),
        ({**HOST, "auth": "dex", "username": "a", "password": "eyJhbGci"}, r"kubeflow\.password holds the secret itself"),
        ({**HOST, "auth": "dex", "username": "a", "password": 12345678}, r"kubeflow\.password is not a text"),
    ],
)
def test_what_cannot_be_used_is_refused_and_no_secret_is_repeated(section: dict[str, Any], says: str) -> None:
    with pytest.raises(ParameterError, match=says) as caught:
        Installation.read(section)
    assert "eyJhbGci" not in str(caught.value)
    assert "12345678" not in str(caught.value)


def test_the_host_may_come_from_the_variable_that_kfp_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", "https://elsewhere.example.org/")
    assert Installation.read({}).host == "https://elsewhere.example.org"
    assert Installation.read(HOST).host == HOST["host"]


def test_a_span_is_written_with_a_unit_or_in_seconds() -> None:
    assert Installation.read({**HOST, "timeout": "2h", "poll": 5, "request_timeout": 30}).seconds == (7200, 5, 30)


def test_pages_may_be_elsewhere_than_the_api() -> None:
    assert Installation.read(HOST).ui == HOST["host"]
    assert Installation.read({**HOST, "ui_host": "https://ui.example.org/"}).ui == "https://ui.example.org"


@pytest.fixture
def guarded(ledger: None) -> Iterator[Kubeflow]:
    """A server that lets nobody in but who has the token."""
    with Kubeflow(token="s3cret") as server:
        yield server


@pytest.fixture
def submit(rollout: CompiledPipeline, patience: Patience) -> Any:
    def run(host: str, **settings: str) -> Submitted:
        place = {"host": host, **settings}
        return submit_kubeflow(rollout, {"model": "fraud"}, place, wait=False, tell=lambda line: None, patience=patience)

    return run


def test_a_token_in_a_file_is_sent_and_read_again_when_it_is_renewed(guarded: Kubeflow, submit: Any, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    for settings in ({"auth": "token", "token_file": str(file)}, {"auth": "token", "token": f"file:{file}"}):
        submit(guarded.url, **settings)
    client = Installation.read({"host": guarded.url, "auth": "token", "token_file": str(file)}).client()
    assert client.experiments.experiment_service_list_experiments().experiments
    file.write_text("renewed")
    guarded.token = "renewed"
    assert client.experiments.experiment_service_list_experiments().experiments


def test_a_token_in_a_variable_is_sent(guarded: Kubeflow, submit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_TOKEN", "s3cret")
    submit(guarded.url, auth="token", token="env:KFP_TOKEN")
    assert len(guarded.runs) == 1


def test_the_token_of_a_pod_is_sent(guarded: Kubeflow, submit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "projected"
    file.write_text("s3cret")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(file))
    submit(guarded.url, auth="in-cluster")
    monkeypatch.delenv("KF_PIPELINES_SA_TOKEN_PATH")
    submit(guarded.url, auth="in-cluster", token_file=str(file))
    assert len(guarded.runs) == 2


def test_cookies_are_sent(ledger: None, submit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_COOKIES", "authservice_session=s3cret")
    with Kubeflow(cookie="authservice_session=s3cret") as server:
        submit(server.url, auth="cookies", cookies="env:KFP_COOKIES")
        assert len(server.runs) == 1


@pytest.mark.parametrize("token", ["wrong", None])
def test_a_wrong_or_missing_token_is_told_and_not_shown(
    guarded: Kubeflow, submit: Any, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    settings = {}
    if token:
        monkeypatch.setenv("KFP_TOKEN", "not-the-s3cret")
        settings = {"auth": "token", "token": "env:KFP_TOKEN"}
    with pytest.raises(SubmissionError, match=r"401 .*no valid token; the credentials are missing, wrong or expired") as caught:
        submit(guarded.url, **settings)
    assert "s3cret" not in str(caught.value)
    assert not guarded.runs


@pytest.mark.parametrize("settings", [{"token": "env:NOT_SET"}, {"token": "file:/nowhere/token"}, {"token_file": "/nowhere/token"}])
def test_a_reference_to_nothing_is_told_before_the_server_is_asked(guarded: Kubeflow, submit: Any, settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"NOT_SET|/nowhere/token"):
        submit(guarded.url, auth="token", **settings)
    assert not guarded.asked


def test_an_empty_token_is_refused(guarded: Kubeflow, submit: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(SettingsError, match="points to nothing but blanks"):
        submit(guarded.url, auth="token", token_file=str(tmp_path / "token"))
