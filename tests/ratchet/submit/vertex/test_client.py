"""What arrives at Vertex AI is what was meant, field by field, and whatever fails on the way, there is one job or none."""

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud.aiplatform_v1.types import CreatePipelineJobRequest, CreateScheduleRequest

from ratchet.errors import SubmissionError
from ratchet.submit.parameters import CompiledPipeline
from ratchet.submit.vertex.client import VertexClient
from ratchet.submit.vertex.place import VertexPlace
from ratchet.submit.vertex.submission import request_vertex, schedule_vertex, submit_vertex
from tests.ratchet.submit.tiny import TINY
from tests.vertex import Fault, VertexServer, running, server

__all__ = ["running", "server"]  # fixtures

pytestmark = pytest.mark.slow  # a real client and a server

ROOT = Path(__file__).resolve().parents[4]
PARENT = "projects/my-project/locations/europe-west4"
KEY = "projects/my-project/locations/europe-west4/keyRings/ring/cryptoKeys/key"
ARGUMENTS = {
    "model": "fraud",
    "seed": 7,
    "share": 0.25,
    "dry": True,
    "columns": ["id", "leak"],
    "policy": {"steps": [1, 5], "margin": 0.01, "lease": "30m"},
    "settings": "/gcs/bucket/settings.yaml",
}
PLACE = {
    "project": "my-project",
    "location": "europe-west4",
    "pipeline_root": "gs://my-bucket/pipelines",
    "service_account": "pipelines@my-project.iam.gserviceaccount.com",
    "network": "projects/12345/global/networks/private",
    "kms_key": KEY,
    "labels": {"team": "risk", "environment": "production"},
    "failure_policy": "fast",
    "operation": "commit 4f2a91c",
}
JOB = {
    "displayName": "tiny",
    "pipelineSpec": yaml.safe_load(TINY),
    "labels": {"team": "risk", "environment": "production"},
    "runtimeConfig": {
        "gcsOutputDirectory": "gs://my-bucket/pipelines",
        "parameterValues": ARGUMENTS,
        "failurePolicy": "PIPELINE_FAILURE_POLICY_FAIL_FAST",
    },
    "encryptionSpec": {"kmsKeyName": KEY},
    "serviceAccount": "pipelines@my-project.iam.gserviceaccount.com",
    "network": "projects/12345/global/networks/private",
}
REQUEST: dict[str, Any] = {"parent": PARENT, "pipelineJob": JOB, "pipelineJobId": "tiny-f9179863eb3f"}
SCHEDULE: dict[str, Any] = {
    "parent": PARENT,
    "schedule": {
        "displayName": "nightly",
        "cron": "TZ=Europe/Berlin 0 3 * * *",
        "maxConcurrentRunCount": "1",
        "maxConcurrentActiveRunCount": "1",
        "allowQueueing": False,
        "createPipelineJobRequest": {"parent": PARENT, "pipelineJob": JOB},
    },
}
Keys = tuple[str | int, ...]


def leaves(value: Any, path: Keys = ()) -> Iterator[Keys]:
    """Yield the path of every leaf of a JSON value."""
    if isinstance(value, Mapping | list) and value:
        for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path


def corrupted(request: dict[str, Any], path: Keys) -> dict[str, Any]:
    """Return the request with one leaf changed to another value of its kind."""
    wrong = copy.deepcopy(request)
    at: Any = wrong
    for key in path[:-1]:
        at = at[key]
    value = at[path[-1]]
    if value == "PIPELINE_FAILURE_POLICY_FAIL_FAST":
        at[path[-1]] = "PIPELINE_FAILURE_POLICY_FAIL_SLOW"
    elif isinstance(value, bool):
        at[path[-1]] = not value
    elif isinstance(value, str):
        at[path[-1]] = f"{value}1"
    elif isinstance(value, int | float):
        at[path[-1]] = value + 1
    else:
        at[path[-1]] = {"other": 1} if isinstance(value, dict) else ["other"]
    return wrong


def named(path: Keys) -> str:
    return ".".join(map(str, path))


@pytest.fixture
def client(server: VertexServer) -> Iterator[VertexClient]:
    with VertexClient(VertexPlace.read(PLACE | {"api_endpoint": server.url}), tell=lambda line: None, first_pause=0.001) as client:
        yield client


def submit(tiny: CompiledPipeline, server: VertexServer, lines: list[str] | None = None) -> Any:
    tell = (lambda line: None) if lines is None else lines.append
    place = PLACE | {"api_endpoint": server.url}
    return submit_vertex(tiny, ARGUMENTS, place, wait=False, tell=tell, first_pause=0.001)


def test_what_arrives_is_what_was_meant_and_what_a_dry_run_prints(tiny, server):
    submitted = submit(tiny, server)
    assert server.created == [CreatePipelineJobRequest.from_json(json.dumps(REQUEST))]
    assert request_vertex(tiny, ARGUMENTS, PLACE) == REQUEST
    assert submitted.run_id == "tiny-f9179863eb3f"
    assert submitted.url.endswith("/locations/europe-west4/pipelines/runs/tiny-f9179863eb3f?project=my-project")


def test_the_schedule_that_arrives_is_what_was_meant(tiny, server):
    place = PLACE | {"api_endpoint": server.url}
    schedule_vertex(tiny, ARGUMENTS, place, name="nightly", cron="TZ=Europe/Berlin 0 3 * * *", tell=lambda line: None)
    assert server.planned == [CreateScheduleRequest.from_json(json.dumps(SCHEDULE))]


@pytest.mark.parametrize("path", list(leaves(REQUEST)), ids=named)
def test_any_corrupted_field_of_a_job_is_refused_or_seen(path, client, server):
    try:
        client.create_job(corrupted(REQUEST, path))
    except SubmissionError:
        assert not server.created
    else:
        assert server.created != [CreatePipelineJobRequest.from_json(json.dumps(REQUEST))]


@pytest.mark.parametrize("path", list(leaves(SCHEDULE)), ids=named)
def test_any_corrupted_field_of_a_schedule_is_refused_or_seen(path, client, server):
    try:
        client.create_schedule(corrupted(SCHEDULE, path))
    except SubmissionError:
        assert not server.planned
    else:
        assert server.planned != [CreateScheduleRequest.from_json(json.dumps(SCHEDULE))]


def test_a_field_that_google_does_not_know_is_not_left_out_silently(client, server):
    with pytest.raises(Exception, match="serviceAcount"):
        client.create_job({**REQUEST, "pipelineJob": {**JOB, "serviceAcount": "x@y.z"}})
    assert not server.calls


@pytest.mark.parametrize("name", ["delivery", "rollout"])
def test_the_pipelines_of_this_repository_arrive_whole(name, server):
    pipeline = CompiledPipeline.read(ROOT / "compiled" / "pipelines" / f"{name}.yaml")
    needed = {"source": "gs://b/a.csv", "target": "y", "model": "fraud", "settings": "/gcs/bucket/settings.yaml"}
    arguments = pipeline.arguments({key: value for key, value in needed.items() if key in pipeline.inputs})
    submit_vertex(pipeline, arguments, PLACE | {"api_endpoint": server.url}, wait=False, tell=lambda line: None)
    arrived = json.loads(CreatePipelineJobRequest.to_json(server.created[0]))
    assert arrived["pipelineJob"]["pipelineSpec"] == yaml.safe_load(pipeline.path.read_text())
    assert arrived["pipelineJob"]["runtimeConfig"]["parameterValues"] == arguments


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "gcloud auth application-default login"),
        (403, "roles/aiplatform.user in project 'my-project', and roles/iam.serviceAccountUser on pipelines@my-project"),
        (404, "check vertex.project and vertex.location"),
        (400, "--dry-run shows what is sent"),
    ],
)
def test_a_refusal_says_who_refused_what_and_what_to_do_and_leaves_no_job(status, said, tiny, server):
    server.faults = [Fault("POST", status)] * 9
    with pytest.raises(SubmissionError) as caught:
        submit(tiny, server)
    message = str(caught.value)
    assert f"{status} as the test wants it" in message
    assert server.url in message
    assert "create job 'tiny-" in message
    assert PARENT in message
    assert said in message
    assert not server.jobs


def test_a_token_that_expired_is_renewed_and_the_job_made(tiny, server):
    server.faults = [Fault("POST", 401)]
    assert not submit(tiny, server).existed
    assert len(server.jobs) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_trouble_is_told_and_tried_again_until_there_is_one_job(status, tiny, server):
    server.faults = [Fault("POST", status)] * 2
    lines: list[str] = []
    submitted = submit(tiny, server, lines)
    assert not submitted.existed
    assert len(server.jobs) == len(server.created) == 1
    assert sum(f"({status} as the test wants it); trying again" in line for line in lines) == 2


@pytest.mark.parametrize("effect", [False, True], ids=["before the effect", "after the effect"])
@pytest.mark.parametrize("status", [0, 500], ids=["cut", "500"])
def test_a_call_that_fails_before_or_after_its_effect_makes_one_job_that_is_ours(effect, status, tiny, server):
    server.faults = [Fault("POST", status, effect=effect)]
    submitted = submit(tiny, server)
    assert not submitted.existed
    assert len(server.jobs) == len(server.created) == 1
    assert server.calls.count("POST pipelineJobs") == 2


def test_a_trouble_that_stays_is_an_error_that_says_how_often_it_was_tried(tiny, server):
    server.faults = [Fault("POST", 503)] * 1000
    with pytest.raises(SubmissionError, match=r"after 10 tries: 503 as the test wants it; try again later; what is there already is not"):
        submit(tiny, server)
    assert len(server.calls) == 10
    assert not server.jobs


def test_nobody_listening_is_an_error_that_names_the_address(tiny):
    with pytest.raises(SubmissionError, match=r"Vertex AI \(http://127.0.0.1:9\) did not create job .*: the connection failed: .*refused"):
        submit_vertex(
            tiny, ARGUMENTS, PLACE | {"api_endpoint": "http://127.0.0.1:9"}, wait=False, tell=lambda line: None, first_pause=0.001
        )


def test_without_google_credentials_the_error_says_how_to_get_some(tiny, monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(SubmissionError, match=r"no Google credentials: .*absent\.json.*gcloud auth application-default login"):
        submit_vertex(tiny, ARGUMENTS, PLACE, wait=False, tell=lambda line: None)
