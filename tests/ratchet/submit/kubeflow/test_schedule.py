"""A recurring run on Kubeflow: what is asked for, and that exactly one of a name is left, whatever goes wrong on the way."""

from collections.abc import Callable
from typing import Any

import pytest

from ratchet.errors import ParameterError, SubmissionError
from ratchet.submit.kubeflow.calls import Patience
from ratchet.submit.kubeflow.schedule import Rhythm, request_schedule, schedule_kubeflow
from ratchet.submit.parameters import CompiledPipeline
from tests.kubeflow import Cut, Fault, Kubeflow, leaves

pytestmark = pytest.mark.slow  # a real client and a server

NIGHTLY = Rhythm.read("0 3 * * *", "")
HOURLY = Rhythm.read("", "1h")
ARGUMENTS = {"model": "fraud", "wait": "10m"}
Schedule = Callable[..., str]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def schedule(place: dict[str, Any], rollout: CompiledPipeline, patience: Patience, told: list[str]) -> Schedule:
    def make(rhythm: Rhythm = NIGHTLY, name: str = "nightly", **settings: str) -> str:
        return schedule_kubeflow(
            rollout, rollout.arguments(ARGUMENTS), {**place, **settings}, name=name, rhythm=rhythm, tell=told.append, patience=patience
        )

    return make


SENT = {
    "display_name": "nightly",
    "description": "ratchet schedule nightly",
    "experiment_id": "the experiment's id",
    "pipeline_version_reference": {"pipeline_id": "the pipeline's id", "pipeline_version_id": "the version's id"},
    "runtime_config": {"parameters": ARGUMENTS},
    "service_account": "pipeline-runner",
    "trigger": {"cron_schedule": {"cron": "0 0 3 * * *"}},
    "mode": "ENABLE",
    "max_concurrency": "1",
    "no_catchup": True,
}


@pytest.fixture
def sent(kubeflow: Kubeflow, schedule: Schedule) -> dict[str, Any]:
    schedule(service_account="pipeline-runner")
    (asked,) = kubeflow.of_route("create recurring run")
    (pipeline,), (version,), (experiment,) = kubeflow.pipelines, kubeflow.versions, kubeflow.experiments
    assert asked.body["experiment_id"] == experiment
    assert asked.body["pipeline_version_reference"] == {"pipeline_id": pipeline, "pipeline_version_id": version}
    return {**asked.body, "experiment_id": "the experiment's id", "pipeline_version_reference": SENT["pipeline_version_reference"]}


@pytest.mark.parametrize("path", [path for path, _ in leaves(SENT)], ids=".".join)
def test_each_field_is_what_was_asked(sent: dict[str, Any], path: tuple[str, ...]) -> None:
    assert dict(leaves(sent))[path] == dict(leaves(SENT))[path]


def test_there_is_no_other_field(sent: dict[str, Any]) -> None:
    assert sent == SENT


def test_an_interval_is_sent_in_seconds(kubeflow: Kubeflow, schedule: Schedule) -> None:
    schedule(HOURLY)
    (item,) = kubeflow.recurring_runs.values()
    assert item["trigger"] == {"periodic_schedule": {"interval_second": "3600"}}


def test_a_dry_run_prints_what_is_sent_and_asks_nobody(
    kubeflow: Kubeflow, place: dict[str, Any], rollout: CompiledPipeline, sent: dict[str, Any]
) -> None:
    before = len(kubeflow.asked)
    place["service_account"] = "pipeline-runner"
    shown = request_schedule(rollout, rollout.arguments(ARGUMENTS), place, name="nightly", rhythm=NIGHTLY)["recurring_run"]
    ids = ("experiment_id", "pipeline_version_reference")
    assert {key: value for key, value in shown.items() if key not in ids} == {key: value for key, value in sent.items() if key not in ids}
    assert len(kubeflow.asked) == before


def test_the_former_one_goes_only_when_the_new_one_is_there(kubeflow: Kubeflow, schedule: Schedule, told: list[str]) -> None:
    former = schedule(NIGHTLY)
    new = schedule(HOURLY)
    assert list(kubeflow.recurring_runs) == [new]
    assert former != new
    routes = [asked.route for asked in kubeflow.asked]
    assert routes.index("delete recurring run") > len(routes) - routes[::-1].index("create recurring run") - 1
    assert any("former one is removed" in line for line in told)


def test_the_same_again_changes_nothing(kubeflow: Kubeflow, schedule: Schedule) -> None:
    first = schedule()
    assert schedule() == first
    assert list(kubeflow.recurring_runs) == [first]
    assert len(kubeflow.of_route("create recurring run")) == 1


def test_one_that_somebody_switched_off_is_replaced(kubeflow: Kubeflow, schedule: Schedule) -> None:
    first = schedule()
    kubeflow.recurring_runs[first]["mode"] = "DISABLE"
    assert schedule() != first
    assert [item["mode"] for item in kubeflow.recurring_runs.values()] == ["ENABLE"]


@pytest.mark.parametrize("filters", [True, False])
def test_others_are_left_alone(kubeflow: Kubeflow, schedule: Schedule, filters: bool) -> None:
    kubeflow.filters = filters
    other = schedule(name="nightly rehearsal")
    elsewhere = schedule(experiment="another")
    schedule()
    schedule(HOURLY)
    assert {other, elsewhere} < set(kubeflow.recurring_runs)
    assert len(kubeflow.recurring_runs) == 3


def test_a_removal_that_fails_is_told_and_the_second_call_puts_it_right(kubeflow: Kubeflow, schedule: Schedule) -> None:
    schedule(NIGHTLY)
    kubeflow.faults["delete recurring run"] = [Fault(403, "not yours")]
    with pytest.raises(
        SubmissionError, match=r"refused to remove the former .*403 .*nightly' is there and the former one, too: give the command again"
    ):
        schedule(HOURLY)
    assert len(kubeflow.recurring_runs) == 2
    kept = schedule(HOURLY)
    assert list(kubeflow.recurring_runs) == [kept]
    assert len(kubeflow.of_route("create recurring run")) == 2


def test_more_than_a_page_of_the_name_is_removed(kubeflow: Kubeflow, schedule: Schedule) -> None:
    first = schedule(NIGHTLY)
    for number in range(120):
        kubeflow.recurring_runs[f"left-{number}"] = {**kubeflow.recurring_runs[first], "recurring_run_id": f"left-{number}"}
    kept = schedule(HOURLY)
    assert list(kubeflow.recurring_runs) == [kept]


PASSING = [[Fault(429)], [Fault(500)], [Fault(502), Fault(503)], [Cut(after=False)], [Cut(after=True)]]


@pytest.mark.parametrize("route", ["list recurring runs", "create recurring run", "delete recurring run"])
@pytest.mark.parametrize("faults", PASSING, ids=str)
def test_what_passes_is_tried_again_and_one_is_left(kubeflow: Kubeflow, schedule: Schedule, route: str, faults: list[Any]) -> None:
    schedule(NIGHTLY)
    kubeflow.faults[route] = list(faults)
    kept = schedule(HOURLY)
    assert list(kubeflow.recurring_runs) == [kept]
    assert not kubeflow.faults[route]


@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_refusal_leaves_the_former_one(kubeflow: Kubeflow, schedule: Schedule, status: int) -> None:
    former = schedule(NIGHTLY)
    kubeflow.faults["create recurring run"] = [Fault(status, "said the server")]
    with pytest.raises(SubmissionError, match=rf"refused to make the recurring run 'nightly': {status} .*said the server"):
        schedule(HOURLY)
    assert list(kubeflow.recurring_runs) == [former]


@pytest.mark.parametrize(
    ("cron", "every", "says"),
    [
        ("", "", "needs one of --cron and --every"),
        ("0 3 * * *", "1h", "needs one of --cron and --every"),
        ("TZ=Europe/Berlin 0 3 * * *", "", "'TZ=Europe/Berlin' is no field"),
        ("0 3 * * ;rm", "", "';rm' is no field"),
        ("0 3 * *", "", "4 fields; write five"),
        ("@nightly", "", "1 fields; write five"),
        ("", "hourly", "write a whole number and a unit"),
        ("", "30s", "the shortest is 1m"),
    ],
)
def test_a_rhythm_that_is_none_is_refused(cron: str, every: str, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        Rhythm.read(cron, every)


@pytest.mark.parametrize("cron", ["15 0 3 * * *", "@daily"])
def test_what_the_server_reads_itself_is_sent_as_it_is(cron: str) -> None:
    assert Rhythm.read(cron, "").cron == cron
