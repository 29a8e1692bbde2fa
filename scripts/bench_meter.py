"""What a Python process costs, written down by the process itself: its time, its processor time, its imports, its peak memory.

`measured` puts `bench_hook` as ``sitecustomize.py`` before every Python process of a command. So kfp, ZenML and Metaflow are measured alike
and none of them is changed, and the time that goes into imports is told from work.
"""

import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HOOK = Path(__file__).with_name("bench_hook.py")


@dataclass(frozen=True)
class Process:
    """One process as it ended.

    Attributes:
        identity: Its process id.
        parent: Its parent's.
        arguments: Its command line.
        began: Seconds since the machine's start.
        seconds: Wall time from its start to its exit.
        spent: Its processor time, user and system; children not counted.
        importing: Of these, the seconds in which modules were imported.
        packages: Seconds of processor time by the package whose modules took them, largest first.
        peak: Largest resident memory, MiB.
    """

    identity: int
    parent: int
    arguments: tuple[str, ...]
    began: float
    seconds: float
    spent: float
    importing: float
    packages: Mapping[str, float]
    peak: float

    def argument(self, name: str) -> str:
        """Return what follows an option on the command line; empty where it is not there."""
        places = [place for place, text in enumerate(self.arguments[:-1]) if text == name]
        return self.arguments[places[0] + 1] if places else ""


@dataclass(frozen=True)
class Measured:
    """A command as it ended.

    Attributes:
        status: Its exit status.
        output: What it printed.
        seconds: Wall time.
        spent: Processor time of it and all its descendants.
        processes: Its Python processes, in the order in which they began.
    """

    status: int
    output: str
    seconds: float
    spent: float
    processes: tuple[Process, ...]

    @property
    def peak(self) -> float:
        """Largest resident memory of any one of its processes, MiB."""
        return max((process.peak for process in self.processes), default=0.0)

    def family(self, root: Process) -> list[Process]:
        """Return a process and all that it started."""
        found = [root]
        for process in self.processes:
            if process.parent in {one.identity for one in found} and process not in found:
                found.append(process)
        return found


def measured(command: Sequence[str], *, folder: Path, variables: Mapping[str, str] | None = None) -> Measured:
    """Run a command with each of its Python processes measured.

    Args:
        command: What to run.
        folder: Working folder, made where it is missing.
        variables: For its environment, beside this process's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ratchet-meter-") as name:
        scratch = Path(name)
        (scratch / "hook").mkdir()
        (scratch / "hook" / "sitecustomize.py").write_bytes(HOOK.read_bytes())
        own = {**os.environ, **(variables or {})}
        paths = [str(scratch / "hook"), *filter(None, [own.get("PYTHONPATH", "")])]
        environment = {**own, "BENCH_METER": str(scratch), "PYTHONPATH": os.pathsep.join(paths)}
        before, began = _descendants(), time.monotonic()
        done = subprocess.run(list(command), cwd=folder, env=environment, capture_output=True, text=True, check=False)
        seconds, spent = time.monotonic() - began, _descendants() - before
        found = [_read(path) for path in scratch.glob("*.json")]
    ordered = tuple(sorted(found, key=lambda process: process.began))
    return Measured(done.returncode, done.stdout + done.stderr, seconds, spent, ordered)


def _descendants() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _read(path: Path) -> Process:
    values = json.loads(path.read_text(encoding="utf-8"))
    return Process(**{**values, "arguments": tuple(values["arguments"])})
