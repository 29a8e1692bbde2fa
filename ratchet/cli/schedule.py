"""``ratchet schedule``: a recurring run on a cluster, in the place of the one of the same name."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from ratchet.cli.submit import Config, DryRun, Parameter, Pipeline, Place, asked, compiled_for, tell


class Cluster(StrEnum):
    """Where a schedule can be kept; a laptop has cron for it."""

    kubeflow = "kubeflow"
    vertex = "vertex"


def schedule(
    pipeline: Pipeline,
    name: Annotated[str, typer.Argument(help="Name of the recurring run; the one that has it is replaced.")],
    on: Annotated[Cluster, typer.Option("--on", help="Where it runs.")],
    cron: Annotated[str, typer.Option("--cron", help="When: minute, hour, day, month, weekday, e.g. '0 3 * * *'.")] = "",
    every: Annotated[str, typer.Option("--every", help="Or how often, e.g. 1h (Kubeflow).")] = "",
    parameter: Parameter = None,
    config: Config = None,
    dry_run: DryRun = False,
) -> None:
    """Run a pipeline again and again: one at a time, no catching up, in the place of the schedule of the same name.

    Exit status: 0 when the schedule is as asked and the only one of its name; 1 when not. The same command again puts it right.
    """
    from ratchet.errors import ParameterError

    compiled = compiled_for(pipeline, Place(on.value))
    arguments, configuration = asked(compiled, config, parameter)
    if on is Cluster.kubeflow:
        from ratchet.submit.kubeflow.schedule import Rhythm, request_schedule, schedule_kubeflow

        rhythm = Rhythm.read(cron, every)
        if dry_run:
            request = request_schedule(compiled, arguments, configuration.kubeflow, name=name, rhythm=rhythm)
        else:
            schedule_kubeflow(compiled, arguments, configuration.kubeflow, name=name, rhythm=rhythm, tell=tell)
    else:
        from ratchet.submit.vertex.request import request_schedule_vertex
        from ratchet.submit.vertex.submission import schedule_vertex

        if every or not cron:
            raise ParameterError("a schedule on Vertex AI needs --cron, e.g. --cron '0 3 * * *'; it knows no --every")
        if dry_run:
            request = request_schedule_vertex(compiled, arguments, configuration.vertex, name=name, cron=cron)
        else:
            schedule_vertex(compiled, arguments, configuration.vertex, name=name, cron=cron, tell=tell)
    if dry_run:
        print(json.dumps(request, indent=2, ensure_ascii=False))
