"""What a person sees of a local run: steps as they start and end, then the outcome and where to read more.

In a terminal the running step has a spinner; elsewhere (a CI log) each ended step is one plain line.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from ratchet.submit.events import Event, StepStarted
from ratchet.submit.local import LocalRun, Step

STYLES = {
    "promoted": "bold green",
    "release": "green",
    "healthy": "green",
    "valid": "green",
    "rejected": "bold yellow",
    "held": "bold yellow",
    "reject": "yellow",
    "quarantined": "yellow",
    "drifted": "yellow",
    "invalid": "bold red",
    "rolled back": "bold red",
    "rollback": "red",
    "error": "bold red",
}


class Display:
    """The steps of one run on a console."""

    def __init__(self, console: Console, live: Live | None) -> None:
        """Draw on a console; with ``live`` the running step is redrawn in place."""
        self.console = console
        self.live = live
        self.started: dict[str, float] = {}

    def update(self, event: Event, step: Step | None) -> None:
        """Take in that a step started (no step yet) or ended."""
        if isinstance(event, StepStarted):
            self.started[event.step] = time.monotonic()
            if self.live:
                self.live.update(Spinner("dots", Text(f"  {label(event.step)}", style="dim")))
            return
        if step:
            self.console.print(line(step))
            if self.live:
                self.live.update(Text(""))

    def close(self, run: LocalRun) -> None:
        """Say how the run ended and where its report and log lie."""
        if self.live:
            self.live.stop()
        style = STYLES.get(run.outcome, "bold")
        self.console.print()
        self.console.print(Text.assemble((run.outcome, style), f"  in {run.seconds:.0f} s"))
        if run.reason:
            self.console.print(run.reason, markup=False, highlight=False)
        for name, path in (("report", run.report), ("log", run.log)):  # whole, however wide the terminal is, to be copied
            self.console.print(f"{name:<6}  {path}", style="dim", markup=False, highlight=False, soft_wrap=True)


def label(name: str) -> str:
    """Return a task's name as a person reads it.

    >>> label("train-boosting")
    'train boosting'
    """
    return name.replace("-", " ").replace("_", " ")


def line(step: Step) -> Text:
    """Return one ended step as a line: mark, name, seconds, verdict."""
    mark, style = ("✓", "green") if step.succeeded else ("✗", "bold red")
    word = step.word if step.succeeded else "failed"
    return Text.assemble(
        (f"  {mark} ", style), f"{label(step.name):<18}", (f"{step.seconds:6.1f} s  ", "dim"), (word, STYLES.get(word, "cyan"))
    )


@contextmanager
def progress(pipeline: str, model: str, console: Console | None = None) -> Iterator[Display]:
    """Show a run while it happens; with a spinner when the console is a terminal."""
    console = console or Console(highlight=False)
    console.print(Text.assemble((pipeline, "bold"), f"  {model}  on this machine"))
    if not console.is_terminal:
        yield Display(console, None)
        return
    with Live(Text(""), console=console, transient=True, refresh_per_second=12) as live:
        yield Display(console, live)
