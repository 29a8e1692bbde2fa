"""The command's entry: its verbs, and how an error reaches a person."""

import sys
from typing import Annotated

import typer

from ratchet import __version__
from ratchet.cli import deployments, difference, replay, sample, schedule, serve, submit
from ratchet.errors import RatchetError

EXTRAS = {"kfp": "kubeflow", "kfp_server_api": "kubeflow", "google": "vertex"}  # package to the extra that brings it
app = typer.Typer(
    name="ratchet",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        print(f"ratchet {__version__}")
        raise typer.Exit


@app.callback()
def ratchet(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")] = False,
) -> None:
    """Move a model from raw data into production on evidence, and take it back by itself."""


app.command("submit")(submit.submit)
app.command("schedule")(schedule.schedule)
app.command("serve")(serve.serve)
app.command("replay")(replay.replay)
app.command("status")(deployments.status)
app.command("history")(deployments.history)
app.command("runs")(deployments.runs)
app.command("promote")(deployments.promote)
app.command("rollback")(deployments.rollback)
app.command("audit")(deployments.audit)
app.command("sample")(sample.sample)
app.command("diff")(difference.diff)


def main() -> None:
    """Run the command; an error that Ratchet raises on purpose is one line on standard error and exit status 1."""
    try:
        app()
    except RatchetError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        print(f"error: {package} is not installed; pip install 'kfp-ratchet[{EXTRAS[package]}]'", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
