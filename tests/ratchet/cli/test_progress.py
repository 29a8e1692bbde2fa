"""A run is shown as it happens: plain lines where there is no terminal, a spinner where there is one."""

import io
from pathlib import Path

from rich.console import Console

from ratchet.cli.progress import progress
from ratchet.submit.events import StepEnded, StepStarted
from ratchet.submit.local import LocalRun, Step


def play(console: Console) -> None:
    step = Step("compare", 1.25, True, {"verdict": "release"})
    failed = Step("train-boosting", 0.5, False, {})
    run = LocalRun("r1", "error", "column 'x]' is gone", 1, (step, failed), Path("f"), Path("f/run.log"), Path("f/report.html"), 3.0)
    with progress("delivery", "fraud", console) as display:
        display.update(StepStarted("compare", 0.0), None)
        display.update(StepEnded("compare", 1.25, True), step)
        display.update(StepStarted("train-boosting", 1.25), None)
        display.update(StepEnded("train-boosting", 1.75, False), failed)
        display.close(run)


def test_without_a_terminal_each_step_is_one_plain_line() -> None:
    out = io.StringIO()
    play(Console(file=out, width=100, highlight=False))
    text = out.getvalue()
    assert "\x1b" not in text
    assert "✓ compare" in text
    assert "release" in text
    assert "✗ train boosting" in text
    assert "failed" in text
    assert "column 'x]' is gone" in text
    assert "f/run.log" in text


def test_in_a_terminal_the_running_step_is_shown() -> None:
    out = io.StringIO()
    play(Console(file=out, width=100, force_terminal=True, highlight=False))
    assert "compare" in out.getvalue()
    assert "\x1b[" in out.getvalue()
