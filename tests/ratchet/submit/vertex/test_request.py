"""What cannot run on Vertex AI is refused before anything is sent, and nothing is cached that has an effect."""

import re
from pathlib import Path
from typing import Any

import pytest

from ratchet.errors import ParameterError
from ratchet.submit.parameters import CompiledPipeline
from ratchet.submit.vertex.request import job_id, portable_spec, request_schedule_vertex, request_vertex
from tests.ratchet.submit.tiny import TINY

ROOT = Path(__file__).resolve().parents[4]
PLACE: dict[str, Any] = {"project": "my-project", "location": "europe-west4", "pipeline_root": "gs://my-bucket/pipelines"}
ARGUMENTS = {"model": "fraud", "settings": "/gcs/bucket/settings.yaml"}


def caching(request: dict[str, Any]) -> dict[str, bool]:
    spec = request["pipelineJob"]["pipelineSpec"]
    tasks = [component.get("dag", {}).get("tasks", {}) for component in [spec["root"], *spec["components"].values()]]
    return {name: task.get("cachingOptions", {}).get("enableCache", False) for group in tasks for name, task in group.items()}


def test_without_what_is_optional_the_request_names_none_of_it(tiny):
    assert set(request_vertex(tiny, ARGUMENTS, PLACE)["pipelineJob"]) == {"displayName", "pipelineSpec", "runtimeConfig"}
    assert set(request_vertex(tiny, ARGUMENTS, PLACE)["pipelineJob"]["runtimeConfig"]) == {"gcsOutputDirectory", "parameterValues"}


@pytest.mark.parametrize(("policy", "sent"), [("slow", "PIPELINE_FAILURE_POLICY_FAIL_SLOW"), ("fast", "PIPELINE_FAILURE_POLICY_FAIL_FAST")])
def test_the_failure_policy_is_googles_word(policy, sent, tiny):
    job = request_vertex(tiny, ARGUMENTS, PLACE | {"failure_policy": policy})["pipelineJob"]
    assert job["runtimeConfig"]["failurePolicy"] == sent


def test_caching_can_be_turned_off_for_all_and_on_for_none_that_has_an_effect():
    delivery = CompiledPipeline.read(ROOT / "compiled" / "pipelines" / "delivery.yaml")
    compiled = caching(request_vertex(delivery, ARGUMENTS, PLACE))
    assert compiled["train-boosting"]
    assert not compiled["promote"]
    assert caching(request_vertex(delivery, ARGUMENTS, PLACE | {"enable_caching": True})) == compiled
    off = caching(request_vertex(delivery, ARGUMENTS, PLACE | {"enable_caching": False}))
    assert set(off) == set(compiled)
    assert not any(off.values())


def test_a_schedules_runs_have_no_id_so_that_each_gets_its_own(tiny):
    request = request_schedule_vertex(tiny, ARGUMENTS, PLACE, name="nightly", cron="0 3 * * *")["schedule"]["createPipelineJobRequest"]
    assert set(request) == {"parent", "pipelineJob"}


def test_a_schedule_starts_one_run_at_a_time_and_queues_none(tiny):
    schedule = request_schedule_vertex(tiny, ARGUMENTS, PLACE, name="nightly", cron="0 3 * * *")["schedule"]
    assert (schedule["maxConcurrentRunCount"], schedule["maxConcurrentActiveRunCount"], schedule["allowQueueing"]) == ("1", "1", False)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "each would take an empty ledger of its own for the truth; give -p settings=/gcs/BUCKET/settings.yaml"),
        ("gs://bucket/settings.yaml", "write '/gcs/bucket/settings.yaml'"),
        ("settings.yaml", "needs an absolute path"),
    ],
)
def test_settings_that_a_step_would_not_find_are_refused(settings, said, tiny):
    with pytest.raises(ParameterError, match=re.escape(said)):
        request_vertex(tiny, ARGUMENTS | {"settings": settings}, PLACE)
    with pytest.raises(ParameterError, match=re.escape(said)):
        request_schedule_vertex(tiny, ARGUMENTS | {"settings": settings}, PLACE, name="nightly", cron="0 3 * * *")


def test_settings_left_out_are_refused_where_the_pipeline_takes_them_and_only_there(tiny, tmp_path):
    with pytest.raises(ParameterError, match="without 'settings'"):
        request_vertex(tiny, {"model": "fraud"}, PLACE)
    path = tmp_path / "without.yaml"
    path.write_text(TINY.replace("      settings: {parameterType: STRING, defaultValue: '', isOptional: true}\n", ""))
    assert request_vertex(CompiledPipeline.read(path), {"model": "fraud"}, PLACE)


def test_the_kubeflow_file_is_refused_and_the_portable_one_named(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(f"{TINY}---\nplatforms: {{kubernetes: {{}}}}\n")
    with pytest.raises(ParameterError, match=r"holds 2 documents.*give the portable file, compiled/pipelines/tiny\.yaml"):
        portable_spec(CompiledPipeline.read(path))


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60), float("nan"), float("inf")])
@pytest.mark.parametrize("inside", [False, True], ids=["itself", "inside"])
def test_a_number_that_would_arrive_as_another_is_refused_by_the_parameters_name(inside, number, tiny):
    wrong = {"policy": {"steps": [1, {"deep": number}]}} if inside else {"seed": number}
    with pytest.raises(ParameterError, match=f"parameter '{'policy' if inside else 'seed'}' holds"):
        request_vertex(tiny, ARGUMENTS | wrong, PLACE)


def test_the_largest_whole_number_that_is_carried_exactly_is_taken(tiny):
    assert request_vertex(tiny, ARGUMENTS | {"seed": 2**53}, PLACE)


@pytest.mark.parametrize("cron", ["", "@hourly", "0 3 * *", "0 3 * * * *", "Europe/Berlin 0 3 * * *", "0 3 * * *; rm"])
def test_what_is_no_cron_expression_is_refused(cron, tiny):
    with pytest.raises(ParameterError, match="it must have five fields"):
        request_schedule_vertex(tiny, ARGUMENTS, PLACE, name="nightly", cron=cron)


@pytest.mark.parametrize("name", ["", "n" * 129])
def test_a_schedule_needs_a_name_that_google_takes(name, tiny):
    with pytest.raises(ParameterError, match="it must have 1 to 128"):
        request_schedule_vertex(tiny, ARGUMENTS, PLACE, name=name, cron="0 3 * * *")


@pytest.mark.parametrize("name", ["delivery", "Größe: 7 Tage", "7 days", "-", "p" * 200, "a_b-"])
def test_whatever_a_pipeline_is_called_its_jobs_id_is_one_that_vertex_takes(name):
    assert re.fullmatch(r"[a-z][-a-z0-9]{0,126}", job_id(name, {}, ""))
