"""The exact request that a submission to Vertex AI is, made without network, credentials or Google's library.

It is a plain mapping, the JSON form of Google's own message, so that what ``--dry-run`` prints is what is sent. Google's `PipelineJob`
will not do: it looks for credentials as soon as it is made, names the job by the clock, so that a double submit makes two, and its
``enable_caching`` caches every step, those with an effect too.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from ratchet.errors import ParameterError
from ratchet.submit.parameters import LOADER, CompiledPipeline
from ratchet.submit.vertex.place import VertexPlace

POLICIES = {
    "slow": "PIPELINE_FAILURE_POLICY_FAIL_SLOW",
    "fast": "PIPELINE_FAILURE_POLICY_FAIL_FAST",
}
EXACT = 2**53
SHOWN = 128  # characters that a display name may have


def request_vertex(pipeline: CompiledPipeline, arguments: Mapping[str, Any], place: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request that creates a job: a ``CreatePipelineJobRequest`` of Vertex AI, as JSON.

    The job's id is the pipeline's name and a digest of everything else in the request and of the section's ``operation``. So the same
    submission is the same job, however often and from wherever it is made.

    Args:
        pipeline: What to run; its file must be the portable one.
        arguments: Checked arguments, as `CompiledPipeline.arguments` returns them.
        place: The ``vertex`` section of the configuration.

    Raises:
        ParameterError: the section, the file or an argument cannot be used on Vertex AI.
    """
    where = VertexPlace.read(place)
    request = {"parent": where.parent, "pipelineJob": _job(pipeline, arguments, where)}
    return {**request, "pipelineJobId": job_id(pipeline.name, request, where.operation)}


def request_schedule_vertex(
    pipeline: CompiledPipeline, arguments: Mapping[str, Any], place: Mapping[str, Any], *, name: str, cron: str
) -> dict[str, Any]:
    """Return the request that creates a schedule: a ``CreateScheduleRequest`` of Vertex AI, as JSON.

    One run at a time, and a run that is due while another goes on is left out, not queued. That needs two limits: Google's
    ``max_concurrent_run_count`` counts runs that are being started, only ``max_concurrent_active_run_count`` those that go on.

    Args:
        pipeline: What to run; its file must be the portable one.
        arguments: Checked arguments of every run.
        place: The ``vertex`` section of the configuration.
        name: Display name of the schedule.
        cron: Five fields, e.g. "0 3 * * *", with ``TZ=Europe/Berlin`` before them where UTC is not meant.

    Raises:
        ParameterError: the section, the file, an argument, the name or the cron expression cannot be used on Vertex AI.
    """
    where = VertexPlace.read(place)
    if not 0 < len(name) <= SHOWN:
        raise ParameterError(f"the schedule's name {name!r} has {len(name)} characters; it must have 1 to {SHOWN}")
    check_cron(cron)
    return {
        "parent": where.parent,
        "schedule": {
            "displayName": name,
            "cron": cron,
            "maxConcurrentRunCount": "1",
            "maxConcurrentActiveRunCount": "1",
            "allowQueueing": False,
            "createPipelineJobRequest": {"parent": where.parent, "pipelineJob": _job(pipeline, arguments, where)},
        },
    }


def job_id(name: str, request: Mapping[str, Any], operation: str) -> str:
    """Return the id of a job: what it is called, and a digest of what it does and what for.

    >>> job_id("delivery", {"a": 1}, "build 7") == job_id("delivery", {"a": 1}, "build 7")
    True
    >>> job_id("delivery", {"a": 1}, "build 7") == job_id("delivery", {"a": 1}, "build 8")
    False
    >>> job_id("Delivery of_cards", {}, "")
    'delivery-of-cards-3f15d064a4c2'
    """
    digest = hashlib.sha256(json.dumps([request, operation], sort_keys=True).encode()).hexdigest()
    word = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:100]
    return f"{word if word[:1].isalpha() else f'p-{word}'}-{digest[:12]}"


def check_cron(cron: str) -> None:
    """Refuse what is surely no cron expression; Google has the last word on the fields.

    Raises:
        ParameterError: it has not five fields of the characters that cron knows, or the zone is not written as Google wants it.

    >>> check_cron("TZ=Europe/Berlin 30 3 * * 1-5")
    >>> check_cron("hourly")
    Traceback (most recent call last):
    ratchet.errors.ParameterError: cron is 'hourly'; it must have five fields, e.g. "0 3 * * *", \
after TZ=Europe/Berlin where UTC is not meant
    """
    if not re.fullmatch(r"(?:(?:CRON_)?TZ=[A-Za-z0-9_+/-]+ )?[0-9A-Za-z*/,?#-]+(?: +[0-9A-Za-z*/,?#-]+){4}", cron):
        raise ParameterError(f'cron is {cron!r}; it must have five fields, e.g. "0 3 * * *", after TZ=Europe/Berlin where UTC is not meant')


def _job(pipeline: CompiledPipeline, arguments: Mapping[str, Any], place: VertexPlace) -> dict[str, Any]:
    _check_settings(pipeline, arguments)
    for name, value in arguments.items():
        _check_exact(name, value)
    spec = portable_spec(pipeline)
    job: dict[str, Any] = {
        "displayName": pipeline.name[:SHOWN],
        "pipelineSpec": spec if place.enable_caching else _uncached(spec),
        "runtimeConfig": {"gcsOutputDirectory": place.pipeline_root, "parameterValues": dict(arguments)},
    }
    if place.failure_policy:
        job["runtimeConfig"]["failurePolicy"] = POLICIES[place.failure_policy]
    if place.labels:
        job["labels"] = dict(place.labels)
    if place.kms_key:
        job["encryptionSpec"] = {"kmsKeyName": place.kms_key}
    if place.service_account:
        job["serviceAccount"] = place.service_account
    if place.network:
        job["network"] = place.network
    return job


def portable_spec(pipeline: CompiledPipeline) -> dict[str, Any]:
    """Return the pipeline's specification from its file.

    Raises:
        ParameterError: the file is made for Kubeflow alone.
    """
    documents = list(yaml.load_all(pipeline.path.read_text(encoding="utf-8"), Loader=LOADER))
    if len(documents) != 1:
        raise ParameterError(
            f"{pipeline.path} holds {len(documents)} documents, so it is made for Kubeflow and Vertex AI cannot read it; "
            f"give the portable file, compiled/pipelines/{pipeline.path.name}"
        )
    return dict(documents[0])


def _uncached(spec: dict[str, Any]) -> dict[str, Any]:
    """Turn every task's caching off, in the specification itself: it was read for this request alone."""
    for component in [spec["root"], *spec.get("components", {}).values()]:
        for task in component.get("dag", {}).get("tasks", {}).values():
            task["cachingOptions"] = {"enableCache": False}
    return spec


def _check_settings(pipeline: CompiledPipeline, arguments: Mapping[str, Any]) -> None:
    """Refuse a pipeline whose steps would not find the ledger."""
    if "settings" not in pipeline.inputs:
        return
    uri = str(arguments.get("settings", ""))
    if not uri:
        raise ParameterError(
            f"pipeline {pipeline.name!r} is submitted to Vertex AI without 'settings'; steps get no environment of ours there, so each "
            "would take an empty ledger of its own for the truth; give -p settings=/gcs/BUCKET/settings.yaml"
        )
    if uri.startswith("gs://"):
        raise ParameterError(f"parameter 'settings' is {uri!r}; steps find a bucket's files as folders: write '/gcs/{uri[5:]}'")
    if not PurePosixPath(uri.removeprefix("file://")).is_absolute():
        raise ParameterError(f"parameter 'settings' is {uri!r}; a step on Vertex AI needs an absolute path, e.g. /gcs/BUCKET/settings.yaml")


def _check_exact(name: str, value: Any) -> None:
    """Refuse a number that would arrive as another one: Vertex AI carries each as a double."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _check_exact(name, item)
    elif isinstance(value, int) and abs(value) > EXACT:
        raise ParameterError(
            f"parameter {name!r} holds {value}; Vertex AI carries whole numbers exactly up to {EXACT} only; use a smaller one"
        )
    elif isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"parameter {name!r} holds {value}; Vertex AI takes finite numbers only")
