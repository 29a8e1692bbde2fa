"""A recurring run on Kubeflow, known by its name in its experiment.

The new one is made before the old one goes, so that no moment is without. Where the removal fails, both are there, and the command fails;
given again, it finds the one that is as asked, makes no other, and removes the rest. Catch-up is off (a cluster that was down for a day
owes nobody 24 runs), and one run at a time is enough: two would meet in the ledger, and one of them would lose.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ratchet.errors import ExpressionError, ParameterError, SubmissionError
from ratchet.features.durations import parse_duration
from ratchet.submit.kubeflow.calls import Calls, Patience, equals
from ratchet.submit.kubeflow.installation import Installation
from ratchet.submit.kubeflow.submission import runtime, sent
from ratchet.submit.kubeflow.upload import Ids, described, identified, prepare, unknown_ids
from ratchet.submit.parameters import CompiledPipeline

if TYPE_CHECKING:
    from kfp import Client

FIELD = re.compile(r"[0-9A-Za-z*/,?-]+")
MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


@dataclass(frozen=True)
class Rhythm:
    """When a recurring run starts: a cron expression, or seconds between two starts; the other is empty."""

    cron: str = ""
    seconds: int = 0

    @classmethod
    def read(cls, cron: str, every: str) -> "Rhythm":
        """Return what a person wrote.

        Args:
            cron: Five fields as in a crontab, six with seconds first, or a macro like "@daily"; empty for none. In the zone of Kubeflow.
            every: A span like "1h"; empty for none.

        Raises:
            ParameterError: both or none are given, or one is not written so.

        >>> Rhythm.read("0 3 * * *", "").cron
        '0 0 3 * * *'
        >>> Rhythm.read("", "1h").seconds
        3600
        """
        if bool(cron) == bool(every):
            raise ParameterError("a schedule needs one of --cron and --every; write e.g. --cron '0 3 * * *', or --every 1h")
        if every:
            try:
                seconds = round(parse_duration(every, "--every").total_seconds())
            except ExpressionError as error:
                raise ParameterError(str(error)) from error
            if seconds < 60:
                raise ParameterError(f"--every is {every!r}; the shortest is 1m")
            return cls(seconds=seconds)
        given = cron.split()
        if cron in MACROS:
            return cls(cron=cron)
        if len(given) not in (5, 6):
            raise ParameterError(
                f"--cron is {cron!r}, {len(given)} fields; write five (minute, hour, day, month, weekday), e.g. '0 3 * * *'"
            )
        if strange := next((field for field in given if not FIELD.fullmatch(field)), ""):
            raise ParameterError(
                f"--cron is {cron!r}, in which {strange!r} is no field; write numbers, names, * , / and -; a time zone is set for "
                "all of Kubeflow, by CRON_SCHEDULE_TIMEZONE of its scheduled workflow controller"
            )
        return cls(cron=" ".join(["0", *given] if len(given) == 5 else given))  # Kubeflow's begin with seconds


def request_schedule(
    pipeline: CompiledPipeline, arguments: Mapping[str, Any], place: Mapping[str, Any], *, name: str, rhythm: Rhythm
) -> dict[str, Any]:
    """Return what `schedule_kubeflow` would send, without sending it.

    Args:
        pipeline: What to run.
        arguments: Checked arguments, as `CompiledPipeline.arguments` returns them.
        place: Section ``kubeflow`` of the configuration.
        name: Of the recurring run.
        rhythm: When it starts.

    Raises:
        ParameterError: the section cannot be used.
    """
    installation = Installation.read(place)
    body = _body(arguments, installation, unknown_ids(pipeline, installation), name, rhythm)
    return described(pipeline, installation) | {"recurring_run": sent(body)}


def schedule_kubeflow(
    pipeline: CompiledPipeline,
    arguments: Mapping[str, Any],
    place: Mapping[str, Any],
    *,
    name: str,
    rhythm: Rhythm,
    tell: Callable[[str], None],
    patience: Patience | None = None,
) -> str:
    """Make a recurring run the only one of its name in its experiment.

    Args:
        pipeline: What to run.
        arguments: Checked arguments, as `CompiledPipeline.arguments` returns them.
        place: Section ``kubeflow`` of the configuration.
        name: Of the recurring run.
        rhythm: When it starts.
        tell: Called with each line that a person should see.
        patience: How often a call is tried.

    Returns:
        The id of the one that is left.

    Raises:
        SubmissionError: the server refused or cannot be reached; where the new one is made and an old one could not be removed, the message
            says so, and the same call again puts it right.
    """
    installation = Installation.read(place)
    client = installation.client()
    calls = Calls(installation.host, installation.seconds[2], patience or Patience())
    ids = prepare(client, calls, pipeline, installation, tell)
    before = _all_named(client, calls, ids.experiment, name)
    body = _body(arguments, installation, ids, name, rhythm)
    asked = sent(body)
    kept = next((item for item in before if _same(item, asked)), None)
    what = f"make the recurring run {name!r}"
    if kept is None:
        known = {item.recurring_run_id for item in before}

        def find() -> Any:
            return next((item for item in _all_named(client, calls, ids.experiment, name) if item.recurring_run_id not in known), None)

        kept = calls.make(what, find, client.recurring_runs.recurring_run_service_create_recurring_run, recurring_run=body)
        tell(f"recurring run {name!r} made  {installation.ui}/#/recurringrun/details/{kept.recurring_run_id}")
    else:
        tell(f"recurring run {name!r} is there already, as asked")
    kept_id = identified(kept.recurring_run_id, what, installation)
    for item in (item for item in before if item.recurring_run_id != kept_id):
        _remove(client, calls, item.recurring_run_id, name)
        tell(f"the former one is removed ({item.recurring_run_id})")
    return kept_id


def _remove(client: "Client", calls: Calls, recurring_run_id: str, name: str) -> None:
    try:
        calls.ask(
            f"remove the former recurring run {recurring_run_id}",
            client.recurring_runs.recurring_run_service_delete_recurring_run,
            absent={},
            recurring_run_id=recurring_run_id,
        )
    except SubmissionError as error:
        raise SubmissionError(
            f"{error}. The new recurring run {name!r} is there and the former one, too: give the command again"
        ) from error


def _body(arguments: Mapping[str, Any], installation: Installation, ids: Ids, name: str, rhythm: Rhythm) -> Any:
    import kfp_server_api as api

    if rhythm.cron:
        trigger = api.V2beta1Trigger(cron_schedule=api.V2beta1CronSchedule(cron=rhythm.cron))
    else:
        trigger = api.V2beta1Trigger(periodic_schedule=api.V2beta1PeriodicSchedule(interval_second=str(rhythm.seconds)))
    return api.V2beta1RecurringRun(
        display_name=name,
        description=f"ratchet schedule {name}",
        experiment_id=ids.experiment,
        pipeline_version_reference=ids.reference(),
        runtime_config=runtime(arguments, installation),
        service_account=installation.service_account or None,
        trigger=trigger,
        mode=api.RecurringRunMode.ENABLE,
        max_concurrency="1",
        no_catchup=True,
    )


def _same(item: Any, asked: Mapping[str, Any]) -> bool:
    """Whether a recurring run is the one that is asked for; a server adds fields of its own, and may say nothing of empty ones."""
    there = sent(item)
    return all(_covers(there.get(key), value) for key, value in asked.items())


def _covers(there: Any, asked: Any) -> bool:
    if isinstance(asked, dict) and isinstance(there, dict):
        return all(_covers(there.get(key), value) for key, value in asked.items())
    return bool(there == asked)


def _all_named(client: "Client", calls: Calls, experiment_id: str, name: str) -> list[Any]:
    found: list[Any] = []
    token = ""
    while True:
        listed = calls.ask(
            f"list recurring runs named {name!r}",
            client.recurring_runs.recurring_run_service_list_recurring_runs,
            experiment_id=experiment_id,
            filter=equals(name),
            page_size=100,
            page_token=token,
        )
        found += [item for item in listed.recurring_runs or [] if item.display_name == name]
        token = listed.next_page_token or ""
        if not token:
            return found
