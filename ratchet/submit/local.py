"""Run a compiled pipeline on this machine, the very file that goes to a cluster, and say how it ended.

The outcome is read from the ledger by run id, not from the colour of the run: a run whose every step succeeded may have rejected its model.
A runner that was killed never came to its exit task, so when it ends badly the same library call is made here; made twice, it does
nothing the second time.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ratchet.settings import load_settings
from ratchet.submit.events import Event, StepEnded, StepStarted, error_in, outputs_of, read_event
from ratchet.submit.parameters import CompiledPipeline

POLL = 0.05


@dataclass(frozen=True)
class Step:
    """One step as it ran.

    Attributes:
        name: The task's name in the pipeline.
        seconds: Wall time.
        succeeded: It ended without an error.
        outputs: Its output parameters.
    """

    name: str
    seconds: float
    succeeded: bool
    outputs: Mapping[str, Any]

    @property
    def word(self) -> str:
        """The word it decided, e.g. "release", or empty for a step that decides nothing."""
        return str(self.outputs.get("verdict", self.outputs.get("found", "")))


@dataclass(frozen=True)
class LocalRun:
    """How a local run ended.

    Attributes:
        run_id: Its id in the ledger; empty when it failed before the first step ended.
        outcome: "promoted", "rejected", "held", "pending", "invalid", "rolled back" or "error".
        reason: Why, for a person.
        exit_status: For a CI job: 0, 3 (invalid data), 4 (rolled back) or 1 (error).
        steps: In the order they ran.
        folder: Where everything of this run lies.
        log: The full log.
        report: HTML page of the run.
        seconds: Wall time of the whole run.
    """

    run_id: str
    outcome: str
    reason: str
    exit_status: int
    steps: tuple[Step, ...]
    folder: Path
    log: Path
    report: Path
    seconds: float

    def output(self, step: str, name: str) -> Any:
        """Return an output parameter of a step, or None when the step did not run."""
        return next((item.outputs.get(name) for item in self.steps if item.name == step), None)


@dataclass
class _Watch:
    """The steps seen so far in a log that is still growing."""

    folder: Path
    on_event: Callable[[Event, Step | None], None]
    began: dict[str, float] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    rest: str = ""

    def feed(self, text: str) -> None:
        """Take in more of the log; a line that is not whole yet waits for its end."""
        *whole, self.rest = (self.rest + text).split("\n")
        for line in whole:
            self._line(line)

    def _line(self, text: str) -> None:
        event = read_event(text)
        if isinstance(event, StepStarted):
            self.began[event.step] = event.at
            self.on_event(event, None)
        elif isinstance(event, StepEnded) and event.step in self.began:
            seconds = (event.at - self.began.pop(event.step)) % 86_400
            step = Step(event.step, seconds, event.succeeded, outputs_of(self.folder, event.step))
            self.steps.append(step)
            self.on_event(event, step)


def submit_local(
    pipeline: CompiledPipeline,
    arguments: Mapping[str, Any],
    *,
    on_event: Callable[[Event, Step | None], None] = lambda event, step: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> LocalRun:
    """Run a compiled pipeline in subprocesses on this machine and wait for it.

    Args:
        pipeline: What to run.
        arguments: Checked arguments, as `CompiledPipeline.arguments` returns them.
        on_event: Called as steps start (no step yet) and end.
        now: Clock, for the folder's name.
    """
    started = time.monotonic()
    home = load_settings(str(arguments.get("settings", ""))).root
    folder = _run_folder(home, pipeline.name, now())
    log = folder / "run.log"
    request = folder / "request.json"
    request.write_text(
        json.dumps({"pipeline": str(pipeline.path), "arguments": dict(arguments), "root": str(folder)}, indent=1), encoding="utf-8"
    )
    watch = _Watch(folder, on_event)
    status = _run_and_follow(request, log, watch, {**os.environ, "RATCHET_HOME": str(home)})
    return _conclude(folder, log, watch, status, arguments, started)


def _run_folder(home: Path, name: str, now: datetime) -> Path:
    base = home / "runs" / f"{name}-{now:%Y%m%d-%H%M%S}"
    for attempt in range(1, 1000):
        folder = base if attempt == 1 else base.with_name(f"{base.name}-{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"no free run folder beside {base}")


def _run_and_follow(request: Path, log: Path, watch: _Watch, environment: Mapping[str, str]) -> int:
    """Run the runner with its output in the log, and feed the log's lines to the watch. Returns its exit status."""
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 (our own module, with this interpreter)
            [sys.executable, "-u", "-m", "ratchet.submit.runner", str(request)],
            stdout=sink,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=dict(environment),
            start_new_session=True,
        )
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            while process.poll() is None:
                watch.feed(lines.read())
                time.sleep(POLL)
            watch.feed(lines.read())
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    return process.returncode


def _conclude(folder: Path, log: Path, watch: _Watch, status: int, arguments: Mapping[str, Any], started: float) -> LocalRun:
    from ratchet.delivery.conclusion import conclude
    from ratchet.delivery.ledger import Ledger
    from ratchet.delivery.verdicts import Outcome
    from ratchet.submit.overview import write_overview

    uri = str(arguments.get("settings", ""))
    run_id = next((str(step.outputs["run_id"]) for step in watch.steps if step.outputs.get("run_id")), "")
    if run_id and not any(step.name == "conclude" and step.succeeded for step in watch.steps):
        conclude(str(arguments.get("model", "")), run_id=run_id, settings_uri=uri)
    outcome = Ledger.open(load_settings(uri)).outcome(run_id) if run_id else Outcome("error", "")
    if status != 0 and outcome.word != "rolled back":
        outcome = Outcome("error", error_in(log.read_text(encoding="utf-8", errors="replace")))
    steps = tuple(watch.steps)
    report = write_overview(folder, outcome.word, outcome.reason, steps, run_id=run_id, arguments=arguments)
    seconds = time.monotonic() - started
    return LocalRun(run_id, outcome.word, outcome.reason, outcome.exit_status, steps, folder, log, report, seconds)
