"""Run a compiled pipeline on Vertex AI, the very file that runs on a laptop, and say how it ended.

A job's id follows from what is submitted, so a submission may be repeated after whatever went wrong: there will be one job. How it
ended is read from the ledger by the run's id, not from the job's state; that id is a number which Vertex AI makes up and tells nobody
but the steps, so it is found among the outputs of a step that passes it on.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratchet.errors import SubmissionError
from ratchet.submit.parameters import CompiledPipeline
from ratchet.submit.submitted import Submitted, outcome_ledger
from ratchet.submit.vertex.client import VertexClient
from ratchet.submit.vertex.place import VertexPlace
from ratchet.submit.vertex.request import request_schedule_vertex, request_vertex

if TYPE_CHECKING:
    from ratchet.delivery.ledger import Ledger

__all__ = ["request_schedule_vertex", "request_vertex", "schedule_vertex", "submit_vertex"]

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "PAUSED"})


def submit_vertex(
    pipeline: CompiledPipeline,
    arguments: Mapping[str, Any],
    place: Mapping[str, Any],
    *,
    wait: bool,
    tell: Callable[[str], None],
    first_pause: float = 1.0,
) -> Submitted:
    """Submit a pipeline to Vertex AI, and wait for its outcome where asked.

    Args:
        pipeline: What to run; its file must be the portable one.
        arguments: Checked arguments, as `CompiledPipeline.arguments` returns them.
        place: The ``vertex`` section of the configuration; `VertexPlace` says what it may hold.
        wait: Follow the job to its end.
        tell: Called with a line for a person as things happen.
        first_pause: Seconds before a failed call is tried again, the first time.

    Returns:
        What it came to. The run's id is the job's, and the one in the ledger once a job that was waited for has told it.

    Raises:
        ParameterError: the section, the file or an argument cannot be used on Vertex AI.
        SubmissionError: Vertex AI refused, cannot be reached, or the job did not end in time.
    """
    where = VertexPlace.read(place)
    request = request_vertex(pipeline, arguments, place)
    ledger = outcome_ledger(_settings_here(where, str(arguments.get("settings", ""))), "vertex") if wait else None
    name, url = f"{where.parent}/pipelineJobs/{request['pipelineJobId']}", _url(where, f"runs/{request['pipelineJobId']}")
    with VertexClient(where, tell=tell, first_pause=first_pause) as client:
        created = client.create_job(request)
        existed = created is None and not client.cut  # after a cut, the job that is there is the one of our own first try
        if existed:
            _tell_existing(client.job(name), tell)
        else:
            tell(f"job {request['pipelineJobId']} runs: {url}")
        if ledger is None:
            return Submitted(request["pipelineJobId"], url, "", "", 0, existed)
        job = _wait(client, name, url, tell)
    return concluded(ledger, job, url, existed)


def schedule_vertex(
    pipeline: CompiledPipeline,
    arguments: Mapping[str, Any],
    place: Mapping[str, Any],
    *,
    name: str,
    cron: str,
    tell: Callable[[str], None],
    first_pause: float = 1.0,
) -> Submitted:
    """Run a pipeline on Vertex AI again and again, and end what ran under the same name.

    The new schedule is made first, then every other one of its name is deleted, so that there is no gap; one that a cut connection made
    without our knowing goes with them.

    Args:
        pipeline: What to run; its file must be the portable one.
        arguments: Checked arguments of every run.
        place: The ``vertex`` section of the configuration.
        name: Display name of the schedule.
        cron: Five fields, e.g. "0 3 * * *", with ``TZ=Europe/Berlin`` before them where UTC is not meant.
        tell: Called with a line for a person as things happen.
        first_pause: Seconds before a failed call is tried again, the first time.

    Returns:
        The schedule's id and URL; ``existed`` when it replaced another.

    Raises:
        ParameterError: the section, the file, an argument, the name or the cron expression cannot be used on Vertex AI.
        SubmissionError: Vertex AI refused or cannot be reached.
    """
    where = VertexPlace.read(place)
    request = request_schedule_vertex(pipeline, arguments, place, name=name, cron=cron)
    with VertexClient(where, tell=tell, first_pause=first_pause) as client:
        made = client.create_schedule(request).name
        others = [item.name for item in client.schedules(name) if item.name != made]
        for other in others:
            client.delete_schedule(other)
            tell(f"schedule {other.rpartition('/')[2]} is replaced and deleted")
    identity = made.rpartition("/")[2]
    url = _url(where, f"schedules/{identity}")
    tell(f"schedule {identity} runs {pipeline.name!r} at {cron}: {url}")
    return Submitted(identity, url, "", "", 0, bool(others))


def _url(place: VertexPlace, path: str) -> str:
    return f"https://console.cloud.google.com/vertex-ai/locations/{place.location}/pipelines/{path}?project={place.project}"


def _settings_here(place: VertexPlace, steps_settings: str) -> str:
    """Return the settings file of this machine: the section's, else the one that the steps read where it is here, too; else none."""
    return place.settings or (steps_settings if steps_settings and Path(steps_settings.removeprefix("file://")).exists() else "")


def _tell_existing(job: Any, tell: Callable[[str], None]) -> None:
    tell(
        f"job {job.name.rpartition('/')[2]} is there already, made at {job.create_time:%Y-%m-%d %H:%M} UTC, {_state(job)}; "
        "nothing was started. To run the same inputs again, give another vertex.operation"
    )


def _state(job: Any) -> str:
    return str(job.state.name).removeprefix("PIPELINE_STATE_")


def _wait(client: VertexClient, name: str, url: str, tell: Callable[[str], None]) -> Any:
    """Return the job once it has ended."""
    place = client.place
    until = time.monotonic() + place.timeout
    told: set[tuple[int, str]] = set()
    while True:
        try:
            job = client.job(name)
        except SubmissionError as error:
            raise SubmissionError(f"{error}. The job itself goes on: {url}") from error
        for task in job.job_detail.task_details:
            if task.state.name in ENDED and (task.task_id, task.state.name) not in told:
                told.add((task.task_id, task.state.name))
                tell(f"{task.task_name}: {task.state.name.lower()}")
        if _state(job) in ENDED:
            return job
        left = until - time.monotonic()
        if left <= 0:
            raise SubmissionError(
                f"job {name.rpartition('/')[2]!r} is {_state(job)} after {place.timeout:g} s and goes on: {url}; "
                "submit the same again to go on waiting, or give vertex.timeout more seconds"
            )
        time.sleep(min(place.poll, left))


def concluded(ledger: "Ledger", job: Any, url: str, existed: bool) -> Submitted:
    """Return what a job came to: the ledger's word, and where it has none, what Vertex AI says of the failure."""
    from ratchet.delivery.verdicts import Outcome

    run_id = run_id_of(job)
    trouble = "" if _state(job) == "SUCCEEDED" else trouble_of(job)
    if not run_id or not ledger.verdicts(run_id):
        outcome = Outcome("error", trouble or "the job succeeded and none of its steps recorded a verdict in the ledger")
    else:
        outcome = ledger.outcome(run_id)
    if outcome.word == "error" and trouble not in outcome.reason:
        outcome = Outcome("error", f"{outcome.reason}; {trouble}")
    return Submitted(run_id or job.name.rpartition("/")[2], url, outcome.word, outcome.reason, outcome.exit_status, existed)


def run_id_of(job: Any) -> str:
    """Return the id under which a job's steps write to the ledger: the output ``run_id`` of ``champion``, else of any step that ran.

    Args:
        job: A ``PipelineJob`` with its details. An execution's metadata holds its parameters as ``input:NAME`` and ``output:NAME``.
    """
    ran = [task for task in job.job_detail.task_details if task.state.name != "SKIPPED"]  # from the cache: another run's id
    for task in sorted(ran, key=lambda task: task.task_name != "champion"):
        if value := task.execution.metadata.get("output:run_id"):
            return str(value)
    return ""


def trouble_of(job: Any) -> str:
    """Return why a job failed: the message of the step that failed first, not of a group of steps that failed with it."""
    failed = [task for task in job.job_detail.task_details if task.state.name == "FAILED"]
    groups = {task.parent_task_id for task in failed}
    for task in sorted(failed, key=lambda task: (task.task_id in groups, task.end_time)):
        if task.error.message:
            return f"step {task.task_name!r} failed: {task.error.message}"
    return str(job.error.message) or f"the job ended {_state(job).lower()} without a message"
