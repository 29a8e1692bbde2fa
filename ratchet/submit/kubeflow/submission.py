"""Submit a compiled pipeline to Kubeflow Pipelines: a named version of it, an experiment, one run, and its outcome.

What is sent is built in one place, as kfp's own models, so that what ``--dry-run`` prints is what goes out. kfp's convenience methods are
not used for that: they print, they wait for ever, and they take a run that was cancelled for one that goes on.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ratchet.errors import SubmissionError
from ratchet.submit.kubeflow.calls import Calls, Patience, equals
from ratchet.submit.kubeflow.installation import Installation
from ratchet.submit.kubeflow.upload import Ids, described, identified, named, prepare, unknown_ids
from ratchet.submit.parameters import CompiledPipeline
from ratchet.submit.submitted import Submitted, outcome_ledger

if TYPE_CHECKING:
    from kfp import Client

    from ratchet.delivery.ledger import Ledger

ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED")


def request_kubeflow(
    pipeline: CompiledPipeline, arguments: Mapping[str, Any], place: Mapping[str, Any], *, name: str = ""
) -> dict[str, Any]:
    """Return what a submission would send, without sending it; ids that only the server knows are named in angle brackets.

    Args:
        pipeline: What to run.
        arguments: Checked arguments, as `CompiledPipeline.arguments` returns them.
        place: Section ``kubeflow`` of the configuration.
        name: The run's name; empty for a fresh one.

    Raises:
        ParameterError: the section cannot be used.
    """
    installation = Installation.read(place)
    ids = unknown_ids(pipeline, installation)
    return described(pipeline, installation) | {
        "run": sent(run_body(pipeline, arguments, installation, ids, name or run_name(pipeline, arguments)))
    }


def submit_kubeflow(
    pipeline: CompiledPipeline,
    arguments: Mapping[str, Any],
    place: Mapping[str, Any],
    *,
    wait: bool,
    tell: Callable[[str], None],
    patience: Patience | None = None,
) -> Submitted:
    """Start one run of a compiled pipeline, and wait for what it comes to.

    Args:
        pipeline: What to run.
        arguments: Checked arguments, as `CompiledPipeline.arguments` returns them.
        place: Section ``kubeflow`` of the configuration.
        wait: Wait for its end and read its outcome from the ledger.
        tell: Called with each line that a person should see.
        patience: How often a call is tried.

    Raises:
        ParameterError: the section cannot be used, or there is no ledger to read the outcome from.
        SubmissionError: the server refused, cannot be reached, or the run did not end in time.
    """
    installation = Installation.read(place)
    ledger = outcome_ledger(installation.settings, "kubeflow") if wait else None
    name = run_name(pipeline, arguments)
    client = installation.client()
    calls = Calls(installation.host, installation.seconds[2], patience or Patience())
    ids = prepare(client, calls, pipeline, installation, tell)
    run = calls.make(
        f"start the run {name!r}",
        lambda: run_named(client, calls, ids.experiment, name),
        client.runs.run_service_create_run,
        run=run_body(pipeline, arguments, installation, ids, name),
    )
    run_id = identified(run.run_id, f"start the run {name!r}", installation)
    url = f"{installation.ui}/#/runs/details/{run_id}"
    tell(f"run {run_id}  {url}")
    if ledger is None:
        return Submitted(run_id, url, "", "", 0)
    ended = follow(client, calls, run_id, url, installation)
    return concluded(ledger, ended, run_id, url)


def run_body(pipeline: CompiledPipeline, arguments: Mapping[str, Any], installation: Installation, ids: Ids, name: str) -> Any:
    """Return the message that starts a run."""
    import kfp_server_api

    return kfp_server_api.V2beta1Run(
        display_name=name,
        description=f"ratchet submit {pipeline.name}",
        experiment_id=ids.experiment,
        pipeline_version_reference=ids.reference(),
        runtime_config=runtime(arguments, installation),
        service_account=installation.service_account or None,
    )


def runtime(arguments: Mapping[str, Any], installation: Installation) -> Any:
    """Return the part of a message that holds the arguments."""
    import kfp_server_api

    return kfp_server_api.V2beta1RuntimeConfig(parameters=dict(arguments), pipeline_root=installation.pipeline_root or None)


def sent(body: Any) -> dict[str, Any]:
    """Return a message as JSON, exactly as the client sends it."""
    import kfp_server_api

    return dict(kfp_server_api.ApiClient().sanitize_for_serialization(body))


def run_name(pipeline: CompiledPipeline, arguments: Mapping[str, Any], now: datetime | None = None) -> str:
    """Return a name that no other run has, by which this one is found again after a connection was cut."""
    model = f" {arguments['model']}" if arguments.get("model") else ""
    return f"{pipeline.name}{model} {now or datetime.now(UTC):%Y-%m-%d %H:%M} {secrets.token_hex(6)}"


def run_named(client: "Client", calls: Calls, experiment_id: str, name: str) -> Any:
    """Return the run of a name in an experiment, or None."""
    listed = calls.ask(f"look for the run {name!r}", client.runs.run_service_list_runs, experiment_id=experiment_id, filter=equals(name))
    return named(name, listed.runs)


def follow(client: "Client", calls: Calls, run_id: str, url: str, installation: Installation) -> Any:
    """Return a run once it has ended.

    Raises:
        SubmissionError: it did not end in time, or the server cannot be asked any more; the run itself goes on.
    """
    limit, poll, _ = installation.seconds
    began = calls.patience.clock()
    while True:
        try:
            run = calls.ask(f"tell about run {run_id}", client.runs.run_service_get_run, run_id=run_id)
        except SubmissionError as error:
            raise SubmissionError(f"{error}. The run was started and goes on: {url}") from error
        if run.state in ENDED:
            return run
        if calls.patience.clock() - began >= limit:
            raise SubmissionError(
                f"run {run_id} is still {run.state or 'not begun'} after {installation.timeout}; it goes on: {url} "
                "(a longer 'timeout' in the section 'kubeflow' waits longer)"
            )
        calls.patience.sleep(poll)


def concluded(ledger: "Ledger", run: Any, run_id: str, url: str) -> Submitted:
    """Return what a run came to: the ledger's word, and only where it has none, what the server says of the failure."""
    from ratchet.delivery.verdicts import Outcome

    outcome = ledger.outcome(run_id)
    if not ledger.verdicts(run_id) and run.state != "SUCCEEDED":
        outcome = Outcome("error", failure_in(run))
    return Submitted(run_id, url, outcome.word, outcome.reason, outcome.exit_status)


def failure_in(run: Any) -> str:
    """Return why a run failed, as its first failed step told it."""
    details = (run.run_details.task_details or []) if run.run_details else []
    told = [(task.display_name, task.error.message) for task in details if task.error and task.error.message]
    silent = [task.display_name for task in details if task.state == "FAILED" and not task.error]
    if told:
        return f"step {told[0][0]!r} failed: {told[0][1]}"
    if run.error and run.error.message:
        return str(run.error.message)
    if silent:
        return f"step {silent[0]!r} failed; its log says why"
    return f"the run ended {run.state} and recorded no verdict"
