"""What a local run tells while it runs: steps that start and end, read from kfp's own log.

kfp.local prints one line when a task starts and one when it ends, and writes each task's outputs beside its artifacts. That is
all a display needs, so nothing of kfp is patched.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ANSI = re.compile(r"\x1b\[[0-9;]*m")
STARTED = re.compile(r"^(\d\d:\d\d:\d\d\.\d+) - INFO - Executing task '([^']+)'")
ENDED = re.compile(r"^(\d\d:\d\d:\d\d\.\d+) - (?:INFO|ERROR) - Task '([^']+)' finished with status (\w+)")
OURS = re.compile(r"^\s*ratchet\.errors\.\w+: (.+)")
ANY = re.compile(r"^\s*((?:[A-Za-z_][\w]*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit)): ?(.*)")


@dataclass(frozen=True)
class StepStarted:
    """A step has begun."""

    step: str
    at: float


@dataclass(frozen=True)
class StepEnded:
    """A step has ended, well or not."""

    step: str
    at: float
    succeeded: bool


Event = StepStarted | StepEnded


def read_event(line: str) -> Event | None:
    """Return the event in one line of a local run's log, or None.

    >>> read_event("05:44:14.126 - INFO - Executing task 'ingest'").step
    'ingest'
    >>> read_event("05:44:15.126 - INFO - Task 'ingest' finished with status SUCCESS").succeeded
    True
    """
    plain = ANSI.sub("", line)
    if match := STARTED.match(plain):
        return StepStarted(match[2], seconds_of_day(match[1]))
    if match := ENDED.match(plain):
        return StepEnded(match[2], seconds_of_day(match[1]), match[3] == "SUCCESS")
    return None


def seconds_of_day(clock: str) -> float:
    """Return ``HH:MM:SS.fff`` as seconds since midnight.

    >>> seconds_of_day("00:01:02.5")
    62.5
    """
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def error_in(log: str) -> str:
    """Return the one line of a failed run's log that a person needs: our own error if there is one, else the last exception.

    >>> error_in("Traceback …\\n    ratchet.errors.SourceError: no file 'a.csv'; give a path\\nRuntimeError: Pipeline failed")
    "no file 'a.csv'; give a path"
    """
    lines = ANSI.sub("", log).splitlines()
    for line in lines:
        if match := OURS.match(line):
            return match[1]
    for line in lines:
        if match := ANY.match(line):
            return f"{match[1]}: {match[2]}"
    return "the run stopped without a message"


def outputs_of(run_root: Path, step: str) -> dict[str, object]:
    """Return the output parameters of a step that has run; empty when it left none."""
    for path in run_root.glob(f"*/{step}/executor_output.json"):
        values = json.loads(path.read_text(encoding="utf-8")).get("parameterValues", {})
        return dict(values)
    return {}
