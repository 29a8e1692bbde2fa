"""``ratchet serve``: the gateway, from the command line."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
    names: Annotated[list[str] | None, typer.Argument(help="Deployments to serve; none for all of the ledger, new ones too.")] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port; 0 for any free one.")] = 8080,
    workers: Annotated[int, typer.Option("--workers", help="Processes that answer.")] = 1,
    ready_file: Annotated[Path | None, typer.Option("--ready-file", help="File to write port and process ids to, as JSON.")] = None,
    drain: Annotated[float, typer.Option("--drain", help="Seconds in which a stopping worker finishes what is in flight.")] = 10.0,
    max_body: Annotated[int, typer.Option("--max-body", help="Largest request body, bytes.")] = 8 << 20,
    cache: Annotated[int, typer.Option("--cache", help="Predictions to keep for rows that come again; 0 for none.")] = 0,
    roll: Annotated[float, typer.Option("--roll", help="Seconds after which what was recorded is where the judge reads it.")] = 60.0,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="Believe the time that a request claims; for replays only.")] = False,
    traces: Annotated[str, typer.Option("--traces", help="OTLP collector, like http://localhost:4318.")] = "",
    log_level: Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve deployments over HTTP (Open Inference Protocol v2) until SIGTERM, then finish what is in flight."""
    from ratchet.serving.options import GatewayOptions
    from ratchet.serving.supervisor import Supervisor, bind
    from ratchet.settings import load_settings

    load_settings().ledger()  # a setting that is missing is said here, once, and not by every worker
    options = GatewayOptions(
        names=tuple(names or ()),
        workers=workers,
        max_body=max_body,
        drain_seconds=drain,
        cache_entries=cache,
        roll_seconds=roll,
        rehearsal=rehearsal,
        otlp_endpoint=traces,
        log_level=log_level,
    )
    supervisor = Supervisor(bind(host, port), options, ready_file)
    shown = f"[{host}]" if ":" in host else host
    print(f"serving on http://{shown}:{supervisor.port}", flush=True)
    raise typer.Exit(supervisor.run())
