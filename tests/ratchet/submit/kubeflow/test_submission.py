"""A submission to Kubeflow, by kfp's real client against a server on the loopback: what is sent, what is told, and never two runs."""

from collections.abc import Callable
from typing import Any

import pytest

from ratchet.errors import ParameterError, SubmissionError
from ratchet.submit.kubeflow.calls import Patience
from ratchet.submit.kubeflow.submission import request_kubeflow, submit_kubeflow
from ratchet.submit.kubeflow.versions import version_name
from ratchet.submit.parameters import CompiledPipeline
from ratchet.submit.submitted import Submitted
from tests.kubeflow import Cut, Fault, Kubeflow, leaves

pytestmark = pytest.mark.slow  # a real client and a server

ARGUMENTS = {"model": "fraud", "wait": "10m", "secret": "fraud-secrets"}
Submit = Callable[..., Submitted]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def submit(place: dict[str, Any], rollout: CompiledPipeline, patience: Patience, told: list[str]) -> Submit:
    def run(wait: bool = True, **settings: str) -> Submitted:
        return submit_kubeflow(rollout, rollout.arguments(ARGUMENTS), {**place, **settings}, wait=wait, tell=told.append, patience=patience)

    return run


def test_a_run_is_started_and_its_outcome_read_from_the_ledger(kubeflow: Kubeflow, submit: Submit, told: list[str]) -> None:
    done = submit()
    assert list(kubeflow.runs) == [done.run_id]
    assert (done.outcome, done.reason, done.exit_status) == ("rejected", "no better than the champion", 0)
    assert done.url == f"{kubeflow.url}/#/runs/details/{done.run_id}"
    assert any(done.url in line for line in told)


@pytest.mark.parametrize(
    ("step", "verdict", "colour", "outcome", "exit_status"),
    [
        ("hold", "invalid", "SUCCEEDED", "invalid", 3),
        ("rollback", "rolled back", "SUCCEEDED", "rolled back", 4),
        ("hold", "pending", "SUCCEEDED", "pending", 0),
        ("hold", "held", "FAILED", "held", 0),
    ],
)
def test_the_ledger_s_word_counts_and_not_the_colour_of_the_run(
    kubeflow: Kubeflow, submit: Submit, step: str, verdict: str, colour: str, outcome: str, exit_status: int
) -> None:
    kubeflow.plays = kubeflow.deciding(step, verdict, "because", state=colour)
    done = submit()
    assert (done.outcome, done.exit_status) == (outcome, exit_status)


def test_a_green_run_that_decided_nothing_is_an_error(kubeflow: Kubeflow, submit: Submit) -> None:
    kubeflow.plays = lambda run: run.update(state="SUCCEEDED")
    done = submit()
    assert (done.outcome, done.exit_status) == ("error", 1)
    assert "recorded no verdict" in done.reason


def test_a_failed_run_says_which_step_and_why(kubeflow: Kubeflow, submit: Submit) -> None:
    kubeflow.plays = kubeflow.failing("Train", "no column 'amuont'")
    done = submit()
    assert (done.outcome, done.reason, done.exit_status) == ("error", "step 'Train' failed: no column 'amuont'", 1)


def test_a_cancelled_run_has_ended(kubeflow: Kubeflow, submit: Submit) -> None:
    kubeflow.plays = lambda run: run.update(state="CANCELED")
    done = submit()
    assert (done.exit_status, done.reason) == (1, "the run ended CANCELED and recorded no verdict")


def test_a_run_that_hangs_is_left_in_time_with_its_address(kubeflow: Kubeflow, place: dict[str, Any], rollout: CompiledPipeline) -> None:
    kubeflow.plays = lambda run: None
    hours = iter(range(100))
    patience = Patience(sleep=lambda seconds: None, clock=lambda: next(hours) * 3600.0)
    with pytest.raises(SubmissionError, match=r"is still RUNNING after 3h; it goes on: http.*/runs/details/") as caught:
        submit_kubeflow(
            rollout, rollout.arguments(ARGUMENTS), {**place, "timeout": "3h"}, wait=True, tell=lambda line: None, patience=patience
        )
    (run_id,) = kubeflow.runs
    assert run_id in str(caught.value)
    assert len(kubeflow.of_route("get run")) == 3


def test_without_waiting_the_run_is_started_and_not_looked_at(kubeflow: Kubeflow, submit: Submit) -> None:
    done = submit(wait=False)
    assert (done.outcome, done.exit_status) == ("", 0)
    assert list(kubeflow.runs) == [done.run_id]
    assert not kubeflow.of_route("get run")


def test_waiting_without_a_ledger_is_refused_before_anything_is_asked(
    kubeflow: Kubeflow, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RATCHET_LEDGER_URL")
    with pytest.raises(ParameterError, match=r"RATCHET_LEDGER_URL is not set here; .* --no-wait"):
        submit()
    assert not kubeflow.asked


# What is sent


SENT = {
    "display_name": "the run's name",
    "description": "ratchet submit rollout",
    "experiment_id": "the experiment's id",
    "pipeline_version_reference": {"pipeline_id": "the pipeline's id", "pipeline_version_id": "the version's id"},
    "runtime_config": {"parameters": ARGUMENTS, "pipeline_root": "s3://artifacts/fraud"},
    "service_account": "pipeline-runner",
}


def sent_run(kubeflow: Kubeflow) -> dict[str, Any]:
    """The request for a run, with what the server chose put in words."""
    (asked,) = kubeflow.of_route("create run")
    (pipeline,), (version,), (experiment,) = kubeflow.pipelines, kubeflow.versions, kubeflow.experiments
    words = {pipeline: "the pipeline's id", version: "the version's id", experiment: "the experiment's id"}
    (run,) = kubeflow.runs.values()
    words[run["display_name"]] = "the run's name"

    def worded(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: worded(item) for name, item in value.items()}
        return words.get(value, value) if isinstance(value, str) else value

    return dict(worded(asked.body))


@pytest.fixture
def sent(kubeflow: Kubeflow, submit: Submit) -> dict[str, Any]:
    submit(wait=False, service_account="pipeline-runner", pipeline_root="s3://artifacts/fraud", namespace="team-a")
    return sent_run(kubeflow)


@pytest.mark.parametrize("path", [path for path, _ in leaves(SENT)], ids=".".join)
def test_each_field_of_the_run_is_what_was_asked(sent: dict[str, Any], path: tuple[str, ...]) -> None:
    assert dict(leaves(sent))[path] == dict(leaves(SENT))[path]


def test_the_run_has_no_other_field(sent: dict[str, Any]) -> None:
    assert sent == SENT


def test_the_version_the_experiment_and_the_namespace_are_what_was_asked(
    kubeflow: Kubeflow, sent: dict[str, Any], rollout: CompiledPipeline
) -> None:
    (pipeline,), (version,), (experiment,) = kubeflow.pipelines.values(), kubeflow.versions.values(), kubeflow.experiments.values()
    assert (pipeline["display_name"], pipeline["namespace"]) == ("rollout", "team-a")
    assert (experiment["display_name"], experiment["namespace"]) == ("fraud", "team-a")
    assert version["display_name"] == version_name(rollout.path)
    assert kubeflow.uploads[version["pipeline_version_id"]] == rollout.path.read_bytes()
    assert {asked.query.get("namespace") for asked in kubeflow.asked if asked.route in ("list pipelines", "list experiments")} == {"team-a"}


def test_a_dry_run_prints_what_is_sent_and_asks_nobody(
    kubeflow: Kubeflow, place: dict[str, Any], rollout: CompiledPipeline, submit: Submit
) -> None:
    arguments = rollout.arguments(ARGUMENTS)
    request = request_kubeflow(rollout, arguments, place, name="the run's name")
    assert not kubeflow.asked
    submit(wait=False)
    shown = request["run"]
    real = sent_run(kubeflow)
    for body in (shown, real):
        body.pop("experiment_id"), body.pop("pipeline_version_reference")  # ids that only the server knows
    assert shown == real
    (version,) = kubeflow.versions.values()
    assert request["version"]["display_name"] == version["display_name"]


# What goes wrong

ROUTES = [
    "list pipelines",
    "create pipeline",
    "list versions",
    "upload version",
    "list experiments",
    "create experiment",
    "create run",
    "get run",
]
PASSING = [[Fault(429)], [Fault(500)], [Fault(502), Fault(503)], [Cut(after=False)], [Cut(after=True)], [Fault(500), Cut(after=True)]]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("faults", PASSING, ids=str)
def test_what_passes_is_tried_again_and_there_is_one_of_everything(
    kubeflow: Kubeflow, submit: Submit, route: str, faults: list[Any]
) -> None:
    kubeflow.faults[route] = list(faults)
    done = submit()
    assert done.exit_status == 0
    assert not kubeflow.faults[route]
    assert [len(shelf) for shelf in (kubeflow.pipelines, kubeflow.versions, kubeflow.experiments, kubeflow.runs)] == [1, 1, 1, 1]
    assert list(kubeflow.runs) == [done.run_id]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "the credentials are missing, wrong or expired; check 'auth'"),
        (403, "these credentials may not do that here; check 'namespace'"),
        (404, "there is no such thing on this server; check 'host'"),
        (400, "the server did not take the request"),
    ],
)
def test_what_does_not_pass_is_told_at_once_with_the_remedy(kubeflow: Kubeflow, submit: Submit, route: str, status: int, says: str) -> None:
    kubeflow.faults[route] = [Fault(status, "said the server")]
    with pytest.raises(SubmissionError) as caught:
        submit()
    message = str(caught.value)
    assert kubeflow.url in message
    assert f"{status} " in message
    assert "said the server" in message
    assert says in message
    assert len(message.splitlines()) == 1
    assert len(kubeflow.runs) == (1 if route == "get run" else 0)
    if route == "get run":
        assert f"The run was started and goes on: {kubeflow.url}/#/runs/details/" in message


def test_a_conflict_of_a_run_is_told(kubeflow: Kubeflow, submit: Submit) -> None:
    kubeflow.faults["create run"] = [Fault(409, "already exists")]
    with pytest.raises(
        SubmissionError, match=r"refused to start the run 'rollout fraud .*': 409 .*already exists; it exists already and is another"
    ):
        submit()
    assert not kubeflow.runs


@pytest.mark.parametrize("fault", [Fault(500, "out of memory"), Fault(429), Cut(after=False)], ids=str)
def test_a_server_that_stays_away_is_given_up_after_some_tries(kubeflow: Kubeflow, submit: Submit, fault: Any) -> None:
    kubeflow.faults["create run"] = [fault] * 100
    with pytest.raises(SubmissionError, match=r"start the run .* \(5 tries\)"):
        submit()
    assert len(kubeflow.faults["create run"]) == 95
    assert not kubeflow.runs


def test_a_run_that_was_made_behind_the_last_failure_is_found(kubeflow: Kubeflow, submit: Submit) -> None:
    kubeflow.faults["create run"] = [Fault(503)] * 4 + [Cut(after=True)]
    done = submit()
    assert list(kubeflow.runs) == [done.run_id]


def test_nobody_listening_is_told_with_the_address(submit: Submit) -> None:
    with pytest.raises(
        SubmissionError,
        match=r"http://127\.0\.0\.1:9 did not answer when asked to list pipelines .*: Failed to establish .*refused; check 'host'",
    ):
        submit(host="http://127.0.0.1:9")
