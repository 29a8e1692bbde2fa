"""One job a submission, its outcome from the ledger, and a schedule that is replaced without a gap."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.cloud.aiplatform_v1.types import Schedule

from ratchet.delivery.ledger import Ledger
from ratchet.errors import ParameterError, SubmissionError
from ratchet.settings import load_settings
from ratchet.submit.parameters import CompiledPipeline
from ratchet.submit.submitted import Submitted
from ratchet.submit.vertex.submission import run_id_of, schedule_vertex, submit_vertex
from tests.vertex import Fault, VertexServer, ended, running, server, task

__all__ = ["running", "server"]  # fixtures

pytestmark = pytest.mark.slow  # a real client and a server

RUN = "4611686018427387904"  # as Vertex AI numbers runs
CHAMPION = task("champion", 2, "SUCCEEDED", parent=1, run_id=RUN, found="yes")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings of a cluster's installation, which this machine can read, too."""
    path = tmp_path / "settings.yaml"
    path.write_text(f"home: {tmp_path / 'home'}\nledger_url: sqlite:///{tmp_path / 'ledger.db'}\n")
    return path


@pytest.fixture
def ledger(settings: Path) -> Ledger:
    return Ledger.open(load_settings(str(settings)))


class Team:
    """Who submits: a machine with a configuration."""

    def __init__(self, tiny: CompiledPipeline, server: VertexServer, settings: Path) -> None:
        self.tiny = tiny
        self.settings = settings
        self.place: dict[str, Any] = {
            "project": "my-project",
            "location": "europe-west4",
            "pipeline_root": "gs://my-bucket/pipelines",
            "api_endpoint": server.url,
            "timeout": 60,
            "poll": 0.01,
        }
        self.lines: list[str] = []

    def submit(self, *, wait: bool = True, steps: str = "", model: str = "fraud", **place: Any) -> Submitted:
        arguments = {"model": model, "settings": steps or str(self.settings)}
        return submit_vertex(self.tiny, arguments, self.place | place, wait=wait, tell=self.lines.append, first_pause=0.001)

    def schedule(self, name: str = "nightly", cron: str = "0 3 * * *") -> Submitted:
        arguments = {"model": "fraud", "settings": str(self.settings)}
        return schedule_vertex(self.tiny, arguments, self.place, name=name, cron=cron, tell=self.lines.append, first_pause=0.001)


@pytest.fixture
def team(tiny: CompiledPipeline, server: VertexServer, settings: Path) -> Team:
    return Team(tiny, server, settings)


def test_a_double_submit_makes_one_job_and_says_how_to_make_another(team, server):
    first, second = team.submit(wait=False), team.submit(wait=False)
    assert (first.existed, second.existed) == (False, True)
    assert (first.run_id, first.url) == (second.run_id, second.url)
    assert (second.outcome, second.exit_status) == ("", 0)
    assert len(server.jobs) == 1
    assert "is there already, made at 2026-11-21 08:00 UTC, RUNNING; nothing was started" in team.lines[-1]
    assert "give another vertex.operation" in team.lines[-1]


def test_another_operation_model_or_way_to_run_is_another_job(team, server):
    ways: list[dict[str, Any]] = [
        {},
        {"operation": "build 8"},
        {"operation": 8},
        {"model": "churn"},
        {"pipeline_root": "gs://my-bucket/elsewhere"},
        {"service_account": "other@my-project.iam.gserviceaccount.com"},
        {"enable_caching": False},
    ]
    ids = {team.submit(wait=False, **way).run_id for way in ways}
    assert len(ids) == len(server.jobs) == len(ways)


def test_how_long_one_waits_makes_no_other_job(team, server):
    team.submit(wait=False, timeout=5, poll=1)
    assert team.submit(wait=False, timeout="2h", poll="5s").existed
    assert len(server.jobs) == 1


@pytest.mark.parametrize(
    ("step", "verdict", "outcome", "status"),
    [
        ("hold", "rejected", "rejected", 0),
        ("hold", "held", "held", 0),
        ("hold", "invalid", "invalid", 3),
        ("advance", "pending", "pending", 0),
        ("rollback", "rolled back", "rolled back", 4),
    ],
)
@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELLED"])
def test_the_outcome_is_the_ledgers_whatever_the_colour_of_the_job(state, step, verdict, outcome, status, team, server, ledger):
    ledger.record_verdict(RUN, "fraud", step, verdict, "the interval spans zero")
    server.course = [ended("PENDING"), ended("RUNNING", CHAMPION), ended(state, CHAMPION, error="a step failed")]
    submitted = team.submit()
    assert (submitted.outcome, submitted.reason, submitted.exit_status) == (outcome, "the interval spans zero", status)
    assert (submitted.run_id, submitted.existed) == (RUN, False)
    assert team.lines.count("champion: succeeded") == 1


def test_a_second_submit_waits_for_the_job_of_the_first(team, server, ledger):
    team.submit(wait=False)
    ledger.record_verdict(RUN, "fraud", "hold", "rejected", "worse")
    server.course = [ended("RUNNING"), ended("RUNNING"), ended("SUCCEEDED", CHAMPION)]
    submitted = team.submit()
    assert (submitted.existed, submitted.outcome, len(server.jobs)) == (True, "rejected", 1)


def test_a_job_that_failed_before_it_decided_tells_the_message_of_the_step_that_failed_first(team, server, ledger):
    server.course = [
        ended(
            "FAILED",
            task("run", 1, "FAILED", error="The DAG failed because some tasks failed. The failed tasks are: [ingest]."),
            CHAMPION,
            task("ingest", 3, "FAILED", parent=1, error="no bucket 'gs://b'; create it"),
            task("conclude", 4, "FAILED", error="out of memory"),
            error="The DAG failed because some tasks failed.",
        )
    ]
    submitted = team.submit()
    assert (submitted.outcome, submitted.exit_status) == ("error", 1)
    assert submitted.reason == "step 'ingest' failed: no bucket 'gs://b'; create it"
    assert submitted.run_id == RUN


def test_a_promotion_that_was_never_verified_is_told_beside_the_failure(team, server, ledger):
    ledger.record_verdict(RUN, "fraud", "promote", "promoted", "better")
    server.course = [ended("FAILED", CHAMPION, task("verify", 3, "FAILED", error="out of memory"))]
    submitted = team.submit()
    assert (submitted.outcome, submitted.exit_status) == ("error", 1)
    assert submitted.reason.endswith("promoted a model and did not verify it; see its log; step 'verify' failed: out of memory")


def test_a_job_that_never_began_a_step_tells_its_own_message(team, server, ledger):
    server.course = [ended("FAILED", error="service account pipelines@… does not exist")]
    submitted = team.submit()
    assert (submitted.outcome, submitted.exit_status) == ("error", 1)
    assert submitted.reason == "service account pipelines@… does not exist"
    assert submitted.run_id.startswith("tiny-")


def test_a_job_that_was_cancelled_or_decided_nothing_is_an_error(team, server, ledger):
    server.course = [ended("CANCELLED")]
    assert team.submit().reason == "the job ended cancelled without a message"
    server.course = [ended("SUCCEEDED", CHAMPION)]
    submitted = team.submit(operation="2")
    assert (submitted.outcome, submitted.exit_status) == ("error", 1)
    assert submitted.reason == "the job succeeded and none of its steps recorded a verdict in the ledger"


def test_a_job_that_hangs_is_left_to_run_and_said_to(team, server, ledger):
    server.course = [ended("RUNNING", CHAMPION)]
    with pytest.raises(SubmissionError) as caught:
        team.submit(timeout=0.05)
    message = str(caught.value)
    assert "is RUNNING after 0.05 s and goes on: https://console.cloud.google.com/vertex-ai/" in message
    assert "submit the same again to go on waiting" in message
    assert len(server.jobs) == 1


def test_looks_that_fail_for_a_while_do_not_end_the_wait(team, server, ledger):
    ledger.record_verdict(RUN, "fraud", "hold", "rejected", "worse")
    server.faults = [Fault("GET", 503), Fault("GET", 0), Fault("GET", 429, effect=True), Fault("GET", 0, effect=True)]
    server.course = [ended("RUNNING"), ended("RUNNING"), ended("RUNNING"), ended("SUCCEEDED", CHAMPION)]
    assert team.submit().outcome == "rejected"
    assert len(server.jobs) == 1


def test_a_look_that_is_refused_says_that_the_job_goes_on(team, server, ledger):
    server.faults = [Fault("GET", 403)]
    with pytest.raises(SubmissionError, match=r"did not read job 'tiny-.*403.*The job itself goes on: https://console"):
        team.submit()


def test_waiting_without_a_ledger_is_refused_before_anything_is_sent(team, server, monkeypatch):
    monkeypatch.delenv("RATCHET_LEDGER_URL", raising=False)
    with pytest.raises(ParameterError, match=r"set RATCHET_LEDGER_URL, or vertex\.settings"):
        team.submit(steps="/gcs/bucket/settings.yaml")
    assert not server.calls


@pytest.mark.parametrize("way", ["environment", "section"])
def test_where_only_the_steps_can_read_their_settings_the_ledger_is_named_here(way, team, server, ledger, settings, monkeypatch):
    ledger.record_verdict(RUN, "fraud", "hold", "rejected", "worse")
    server.course = [ended("SUCCEEDED", CHAMPION)]
    if way == "environment":
        monkeypatch.setenv("RATCHET_LEDGER_URL", load_settings(str(settings)).ledger_url)
    section = {"settings": str(settings)} if way == "section" else {}
    assert team.submit(steps="/gcs/bucket/settings.yaml", **section).outcome == "rejected"


def test_the_run_id_is_the_champions_else_any_steps_and_never_one_from_the_cache():
    advance, cached = task("advance-rollout", 3, "SUCCEEDED", run_id="22"), task("old", 1, "SKIPPED", run_id="1")
    assert run_id_of(ended("RUNNING", cached, advance, CHAMPION)) == RUN
    assert run_id_of(ended("RUNNING", cached, advance)) == "22"
    assert run_id_of(ended("RUNNING", cached, task("ingest", 4, "RUNNING"))) == ""


def test_a_dry_run_imports_nothing_of_googles(tiny):
    code = (
        "import sys; from pathlib import Path;"
        "from ratchet.submit.parameters import CompiledPipeline; from ratchet.submit.vertex.submission import *;"
        f"place = {{'project': 'my-project', 'location': 'europe-west4', 'pipeline_root': 'gs://my-bucket'}};"
        f"request_vertex(CompiledPipeline.read(Path({str(tiny.path)!r})), {{'model': 'fraud', 'settings': '/s.yaml'}}, place);"
        "print([name for name in sys.modules if name.startswith(('google.cloud.', 'google.auth', 'grpc', 'requests', 'kfp'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_schedule_replaces_those_of_its_name_and_no_other_without_a_gap(team, server):
    other = team.schedule("weekly")
    first = team.schedule()
    assert not first.existed
    server.calls.clear()
    second = team.schedule(cron="0 4 * * *")
    assert second.existed
    assert server.calls.index("POST schedules") < server.calls.index("DELETE schedules")
    left = {name.rpartition("/")[2]: schedule.cron for name, schedule in server.schedules.items()}
    assert left == {other.run_id: "0 3 * * *", second.run_id: "0 4 * * *"}
    assert second.url.endswith(f"/pipelines/schedules/{second.run_id}?project=my-project")


@pytest.mark.parametrize(
    "fault", [Fault("POST", 0), Fault("POST", 0, effect=True), Fault("POST", 500, effect=True), Fault("DELETE", 0, effect=True)], ids=str
)
def test_whatever_is_cut_while_a_schedule_is_replaced_one_is_left(fault, team, server):
    team.schedule()
    server.faults = [fault]
    kept = team.schedule(cron="0 4 * * *")
    assert [name.rpartition("/")[2] for name in server.schedules] == [kept.run_id]


def test_a_schedule_that_cannot_be_made_leaves_the_old_one(team, server):
    kept = team.schedule()
    server.faults = [Fault("POST", 403)]
    with pytest.raises(SubmissionError, match=r"did not create schedule 'nightly'.*403"):
        team.schedule(cron="0 4 * * *")
    assert [name.rpartition("/")[2] for name in server.schedules] == [kept.run_id]


def test_a_name_with_quotes_is_found_again_and_pages_are_read_to_the_last(team, server):
    name = 'the "big" one \\ daily'
    team.schedule(name)
    for number in range(7, 10):  # as if somebody had made more by hand
        old = f"projects/my-project/locations/europe-west4/schedules/{number}"
        server.schedules[old] = Schedule(name=old, display_name=name)
    kept = team.schedule(name)
    assert [item.rpartition("/")[2] for item in server.schedules] == [kept.run_id]


@pytest.mark.parametrize(
    ("faults", "verdict", "status", "said"),
    [
        ([], "invalid", 3, "invalid\n2 rows have no target"),
        ([], "rolled back", 4, "rolled back\n2 rows have no target"),
        ([Fault("POST", 403)], "", 1, "error: Vertex AI (http://127.0.0.1"),
        ([Fault("GET", 404)], "", 1, "error: Vertex AI (http://127.0.0.1"),
    ],
    ids=["invalid", "rolled back", "refused", "lost sight of"],
)
def test_the_command_ends_with_the_outcome(faults, verdict, status, said, team, server, ledger, tmp_path, monkeypatch, capsys):
    from ratchet.cli.main import main

    if verdict:
        ledger.record_verdict(RUN, "fraud", "rollback" if verdict == "rolled back" else "hold", verdict, "2 rows have no target")
    server.faults, server.course = list(faults), [ended("SUCCEEDED", CHAMPION)]
    config = tmp_path / "production.yaml"
    config.write_text(json.dumps({"model": "fraud", "settings": str(team.settings), "vertex": team.place}))
    monkeypatch.setattr(sys, "argv", ["ratchet", "submit", str(team.tiny.path), "--on", "vertex", "--config", str(config)])
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr()
    assert (left.value.code, said in told.out + told.err) == (status, True)
    assert len(server.jobs) == (0 if faults and faults[0].call == "POST" else 1)
