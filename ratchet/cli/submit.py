"""``ratchet submit``: check the parameters, run the pipeline where it is asked, show it, and exit with its outcome."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ratchet.submit.configuration import Configuration
    from ratchet.submit.parameters import CompiledPipeline
    from ratchet.submit.submitted import Submitted


class Place(StrEnum):
    """Where a pipeline can run."""

    local = "local"
    kubeflow = "kubeflow"
    vertex = "vertex"


Pipeline = Annotated[str, typer.Argument(help="Name of a pipeline in the catalogue, or path of a compiled one.")]
Parameter = Annotated[list[str] | None, typer.Option("--parameter", "-p", help="name=value; may be repeated.")]
Config = Annotated[
    Path | None, typer.Option("--config", help="YAML file: parameters (-p wins over it), and where to submit (docs/submit.md).")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the exact request as JSON and do nothing.")]


def submit(
    pipeline: Pipeline,
    on: Annotated[Place, typer.Option("--on", help="Where it runs.")] = Place.local,
    parameter: Parameter = None,
    config: Config = None,
    dry_run: DryRun = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the outcome; here a run is always waited for.")] = True,
    parameters: Annotated[bool, typer.Option("--parameters", help="List the pipeline's parameters and stop.")] = False,
) -> None:
    """Submit a pipeline and wait for its outcome.

    Exit status: 0 promoted, rejected, held or pending, or started with --no-wait; 1 error; 3 data invalid; 4 rolled back.
    """
    from ratchet.cli.parameters import describe

    compiled = compiled_for(pipeline, on)
    if parameters:
        print(describe(compiled))
        return
    arguments, configuration = asked(compiled, config, parameter)
    if dry_run:
        print(json.dumps(_request(on, compiled, arguments, configuration), indent=2, ensure_ascii=False))
        return
    if on is Place.local:
        raise typer.Exit(_run_here(compiled, arguments))
    done = _submit_to(on, compiled, arguments, configuration, wait)
    if done.outcome:
        tell(f"{done.outcome}\n{done.reason}".strip())
    raise typer.Exit(done.exit_status)


def compiled_for(pipeline: str, on: Place) -> "CompiledPipeline":
    """Return the compiled pipeline of a name as a place needs it, or the one at a path as it is.

    Raises:
        ParameterError: there is none.
    """
    from ratchet.catalog import pipeline_path
    from ratchet.submit.parameters import CompiledPipeline

    if pipeline.endswith((".yaml", ".yml")):
        return CompiledPipeline.read(Path(pipeline))
    return CompiledPipeline.read(pipeline_path(pipeline, kubeflow=on is Place.kubeflow))


def asked(compiled: "CompiledPipeline", config: Path | None, parameter: list[str] | None) -> tuple[dict[str, Any], "Configuration"]:
    """Return the checked arguments of a run, and the configuration that they came from.

    Raises:
        ParameterError: the file cannot be read, or a parameter is unknown, missing or mistyped.
    """
    from ratchet.submit.configuration import Configuration
    from ratchet.submit.parameters import pairs

    configuration = Configuration.read(config) if config else Configuration()
    meant = dict(configuration.parameters)
    foreign = [name for name in meant if name not in compiled.inputs]
    if foreign and (known := _known_elsewhere(compiled.name)):
        others = [name for name in foreign if name in known]
        for name in others:
            del meant[name]
        if others:
            print(f"{config}: left out what only other pipelines take: {', '.join(others)}", file=sys.stderr)
    return compiled.arguments({**meant, **pairs(parameter or [])}), configuration


def _known_elsewhere(name: str) -> set[str]:
    """Return the parameters of all other pipelines of ours: one file serves several, and each takes what is its own."""
    from ratchet.catalog import pipeline_names, pipeline_path
    from ratchet.submit.parameters import CompiledPipeline

    return {item for other in pipeline_names() if other != name for item in CompiledPipeline.read(pipeline_path(other)).inputs}


def tell(text: str) -> None:
    """Show a line at once, also where the output is a CI log."""
    print(text, flush=True)


def _request(on: Place, compiled: "CompiledPipeline", arguments: dict[str, Any], configuration: "Configuration") -> dict[str, Any]:
    if on is Place.kubeflow:
        from ratchet.submit.kubeflow.submission import request_kubeflow

        return request_kubeflow(compiled, arguments, configuration.kubeflow)
    if on is Place.vertex:
        from ratchet.submit.vertex.request import request_vertex

        return request_vertex(compiled, arguments, configuration.vertex)
    return {"pipeline": str(compiled.path), "arguments": arguments}


def _submit_to(
    on: Place, compiled: "CompiledPipeline", arguments: dict[str, Any], configuration: "Configuration", wait: bool
) -> "Submitted":
    if on is Place.kubeflow:
        from ratchet.submit.kubeflow.submission import submit_kubeflow

        return submit_kubeflow(compiled, arguments, configuration.kubeflow, wait=wait, tell=tell)
    from ratchet.submit.vertex.submission import submit_vertex

    return submit_vertex(compiled, arguments, configuration.vertex, wait=wait, tell=tell)


def _run_here(compiled: "CompiledPipeline", arguments: dict[str, Any]) -> int:
    from ratchet.cli.progress import progress
    from ratchet.submit.local import submit_local

    with progress(compiled.name, str(arguments.get("model", ""))) as display:
        run = submit_local(compiled, arguments, on_event=display.update)
        display.close(run)
    return run.exit_status
