"""Vertex AI's PipelineService and ScheduleService on a loopback port, for tests, made from Google's own message classes.

What arrives is parsed into those classes, so a field that they do not have, or a value of another kind, is refused as the service would
refuse it. The pipeline's specification is read with kfp's own class as well. A test may have the next calls fail, or be cut before or
after their effect.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from google.cloud.aiplatform_v1.types import (
    CreatePipelineJobRequest,
    CreateScheduleRequest,
    Execution,
    ListSchedulesResponse,
    PipelineJob,
    PipelineJobDetail,
    PipelineState,
    PipelineTaskDetail,
    Schedule,
)
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.rpc.status_pb2 import Status
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

from tests.loopback import LoopbackHandler, LoopbackServer

NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
PARENT = re.compile(r"projects/[a-z0-9-]+/locations/[a-z0-9-]+")


@dataclass
class Fault:
    """What becomes of the next call that matches.

    Attributes:
        call: E.g. "POST pipelineJobs"; matched against the beginning of the verb and the collection.
        status: HTTP status of the refusal; 0 cuts the connection.
        effect: The call has its effect before the fault.
    """

    call: str
    status: int
    effect: bool = False


class Refusal(Exception):
    """The service says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class VertexServer(LoopbackServer):
    """The two services, as far as a submission calls them.

    Attributes:
        created: Each CreatePipelineJobRequest that was taken, as it arrived.
        planned: Each CreateScheduleRequest that was taken, as it arrived.
        jobs: By name.
        schedules: By name.
        calls: What was asked, in order, e.g. "POST pipelineJobs".
        faults: Of calls to come, each used once.
        course: What a job looks like at each look after its creation; the last one stays.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.created: list[CreatePipelineJobRequest] = []
        self.planned: list[CreateScheduleRequest] = []
        self.jobs: dict[str, PipelineJob] = {}
        self.schedules: dict[str, Schedule] = {}
        self.calls: list[str] = []
        self.faults: list[Fault] = []
        self.course: list[PipelineJob] = [PipelineJob(state=PipelineState.PIPELINE_STATE_RUNNING)]

    def answer(self, verb: str, target: str, body: bytes) -> tuple[int, Any]:
        """Return status and body of an answer; status 0 cuts the connection."""
        path, query = urlsplit(target).path, {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}
        match = re.fullmatch(r"/v1/(projects/[^/]+/locations/[^/]+)/(\w+)(?:/([^/]+))?", path)
        if match is None or query.pop("$alt", "") != "json;enum-encoding=int":
            return _error(400, f"no such call: {verb} {target}")
        parent, collection, name = match.groups()
        call = f"{verb} {collection}"
        self.calls.append(call)
        fault = next((fault for fault in self.faults if call.startswith(fault.call)), None)
        if fault is not None:
            self.faults.remove(fault)
        if fault is not None and not fault.effect:
            return _error(fault.status, "as the test wants it")
        try:
            handled: dict[str, Callable[..., Any]] = {
                "POST pipelineJobs": self._create_job,
                "GET pipelineJobs": self._get_job,
                "POST schedules": self._create_schedule,
                "GET schedules": self._list_schedules,
                "DELETE schedules": self._delete_schedule,
            }
            answer = 200, handled[call](parent, f"{parent}/{collection}/{name}", query, body)
        except Refusal as refusal:
            answer = _error(refusal.status, str(refusal))
        except (ParseError, ValueError, KeyError) as error:
            answer = _error(400, f"the message is not Google's: {error!r}")
        return answer if fault is None else _error(fault.status, "as the test wants it")

    def _create_job(self, parent: str, name: str, query: dict[str, str], body: bytes) -> Any:
        request = CreatePipelineJobRequest(
            parent=parent, pipeline_job=PipelineJob.from_json(body), pipeline_job_id=query.pop("pipelineJobId", "")
        )
        _check_job(request, query)
        if not re.fullmatch(r"[a-z][-a-z0-9]{0,126}", request.pipeline_job_id):
            raise Refusal(400, f"pipeline_job_id {request.pipeline_job_id!r} is none")
        name = f"{parent}/pipelineJobs/{request.pipeline_job_id}"
        if name in self.jobs:
            raise Refusal(409, f"the PipelineJob {request.pipeline_job_id!r} already exists")
        self.created.append(request)
        self.jobs[name] = PipelineJob(request.pipeline_job, name=name, state=PipelineState.PIPELINE_STATE_PENDING)
        return _json(self.jobs[name])

    def _get_job(self, parent: str, name: str, query: dict[str, str], body: bytes) -> Any:
        if name not in self.jobs:
            raise Refusal(404, f"the PipelineJob {name!r} does not exist")
        look = self.course.pop(0) if len(self.course) > 1 else self.course[0]
        answer = PipelineJob(self.jobs[name], create_time=datetime(2026, 11, 21, 8, tzinfo=UTC))
        PipelineJob.pb(answer).MergeFrom(PipelineJob.pb(look))
        return _json(answer)

    def _create_schedule(self, parent: str, name: str, query: dict[str, str], body: bytes) -> Any:
        request = CreateScheduleRequest(parent=parent, schedule=Schedule.from_json(body))
        schedule = request.schedule
        _check_job(schedule.create_pipeline_job_request, query)
        if schedule.create_pipeline_job_request.pipeline_job_id:
            raise Refusal(400, "with an id of its own, the second run of a schedule would be refused")
        if not (schedule.display_name and schedule.cron and schedule.max_concurrent_run_count > 0):
            raise Refusal(400, "display_name, cron and max_concurrent_run_count are required")
        self.planned.append(request)
        name = f"{parent}/schedules/{len(self.planned)}"
        self.schedules[name] = Schedule(schedule, name=name, state=Schedule.State.ACTIVE)
        return _json(self.schedules[name])

    def _list_schedules(self, parent: str, name: str, query: dict[str, str], body: bytes) -> Any:
        """One schedule a page, so that whoever reads only the first page is found out."""
        asked = re.fullmatch(r'display_name="((?:[^"\\]|\\.)*)"', query.pop("filter", ""))
        start = int(query.pop("pageToken", 0))
        if asked is None or query:
            raise Refusal(400, f"not a filter of this test's server, or more: {query}")
        wanted = re.sub(r"\\(.)", r"\1", asked[1])
        found = [item for item in self.schedules.values() if item.display_name == wanted]
        more = str(start + 1) if start + 1 < len(found) else ""
        return _json(ListSchedulesResponse(schedules=found[start : start + 1], next_page_token=more))

    def _delete_schedule(self, parent: str, name: str, query: dict[str, str], body: bytes) -> Any:
        if self.schedules.pop(name, None) is None:
            raise Refusal(404, f"the Schedule {name!r} does not exist")
        return {"name": f"{parent}/operations/1", "done": True, "response": {"@type": "type.googleapis.com/google.protobuf.Empty"}}


def ended(state: str, *tasks: PipelineTaskDetail, error: str = "") -> PipelineJob:
    """Return what a job looks like at its end, or on its way there."""
    return PipelineJob(
        state=PipelineState[f"PIPELINE_STATE_{state}"], job_detail=PipelineJobDetail(task_details=tasks), error=Status(message=error)
    )


def task(name: str, number: int, state: str, *, error: str = "", parent: int = 0, **outputs: str) -> PipelineTaskDetail:
    """Return a task's detail; its parameters are in its execution's metadata, named as Vertex AI names them."""
    return PipelineTaskDetail(
        task_name=name,
        task_id=number,
        parent_task_id=parent,
        state=PipelineTaskDetail.State[state],
        error=Status(message=error),
        end_time=datetime(2026, 11, 21, 8, number, tzinfo=UTC),
        execution=Execution(metadata={"input:model": "fraud"} | {f"output:{key}": value for key, value in outputs.items()}),
    )


class _Handler(LoopbackHandler):
    server_of: VertexServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self.server_of.answer(self.command, self.path, body)
        if not status:
            self.close_connection = True
            return
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_DELETE = do_PATCH = do_GET


def _check_job(request: CreatePipelineJobRequest, rest: Mapping[str, str]) -> None:
    """Refuse what the service would refuse: unknown fields, fields that are its own, parameters that do not fit the specification."""
    if rest or not PARENT.fullmatch(request.parent):
        raise Refusal(400, f"parent {request.parent!r} is none, or unknown query: {rest}")
    job = request.pipeline_job
    own = [name for name in ("name", "state", "create_time", "job_detail", "error", "schedule_name") if name in job]
    if own:
        raise Refusal(400, f"output only: {own}")
    spec = MessageToDict(PipelineJob.pb(job).pipeline_spec)
    ParseDict(spec, PipelineSpec())
    if not job.runtime_config.gcs_output_directory.startswith("gs://"):
        raise Refusal(400, "gcs_output_directory is required")
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    values = MessageToDict(PipelineJob.pb(job).runtime_config).get("parameterValues", {})
    for name, value in values.items():
        kind = declared[name]["parameterType"]
        kinds = {"STRING": str, "NUMBER_INTEGER": float, "NUMBER_DOUBLE": float, "BOOLEAN": bool, "LIST": list, "STRUCT": dict}
        if not isinstance(value, kinds[kind]) or (kind == "NUMBER_INTEGER" and value != int(value)):
            raise Refusal(400, f"parameter {name!r} is {value!r}, not of type {kind}")
    missing = [name for name, item in declared.items() if "defaultValue" not in item and name not in values]
    if missing:
        raise Refusal(400, f"parameters without a value: {missing}")


def _json(message: Any) -> Any:
    return MessageToDict(type(message).pb(message), use_integers_for_enums=True)


def _error(status: int, message: str) -> tuple[int, Any]:
    return status, {"error": {"code": status, "message": message, "status": NAMES.get(status, "UNKNOWN")}}


@pytest.fixture(scope="module")
def running() -> Iterator[VertexServer]:
    """A service for a file of tests."""
    with VertexServer() as server:
        yield server


@pytest.fixture
def server(running: VertexServer) -> VertexServer:
    """The service, with nothing on it."""
    running.reset()
    return running
