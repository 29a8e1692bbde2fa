"""``ratchet submit``: check the parameters, run the pipeline, show it, and exit with its outcome."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Place(StrEnum):
    """Where a pipeline can run."""

    local = "local"


def submit(
    pipeline: Annotated[str, typer.Argument(help="Name of a pipeline in the catalogue, or path of a compiled one.")],
    on: Annotated[Place, typer.Option("--on", help="Where it runs.")] = Place.local,
    parameter: Annotated[list[str] | None, typer.Option("--parameter", "-p", help="name=value; may be repeated.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="YAML file of parameters; -p wins over it.")] = None,
    parameters: Annotated[bool, typer.Option("--parameters", help="List the pipeline's parameters and stop.")] = False,
) -> None:
    """Submit a pipeline and wait for its outcome.

    Exit status: 0 promoted, rejected, held or pending; 1 error; 3 data invalid; 4 rolled back.
    """
    from ratchet.catalog import pipeline_path
    from ratchet.cli.parameters import describe
    from ratchet.cli.progress import progress
    from ratchet.submit.local import submit_local
    from ratchet.submit.parameters import CompiledPipeline, pairs, read_config

    path = Path(pipeline) if pipeline.endswith((".yaml", ".yml")) else pipeline_path(pipeline)
    compiled = CompiledPipeline.read(path)
    if parameters:
        print(describe(compiled))
        return
    arguments = compiled.arguments({**(read_config(config) if config else {}), **pairs(parameter or [])})
    with progress(compiled.name, str(arguments.get("model", ""))) as display:
        run = submit_local(compiled, arguments, on_event=display.update)
        display.close(run)
    raise typer.Exit(run.exit_status)
