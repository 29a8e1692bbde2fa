"""Processes that tests kill: each says on its output what it has done, so that a test knows what must be there afterwards."""

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def start(name: str, *arguments: object) -> subprocess.Popen[str]:
    """Start one of the functions below in a new process."""
    code = f"import sys; from tests.ratchet.traffic import victims; victims.{name}(*sys.argv[1:])"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill(victim: subprocess.Popen[str]) -> list[str]:
    """Kill it as the kernel would, and return what it said."""
    victim.send_signal(signal.SIGKILL)
    said, _ = victim.communicate()
    return said.splitlines(keepends=True)


def write(folder: str, name: str) -> None:
    """Append without end, and say each number when it was appended; seal now and then."""
    from ratchet.traffic.journal import Journal
    from tests.ratchet.traffic.examples import both, label

    journal = Journal(folder, writer=name, sync_seconds=0.01)
    for number in itertools.count():
        journal.append([*both(f"{name}/{number}"), label(f"{name}/{number}")])
        os.write(1, f"{number}\n".encode())
        if number % 1000 == 999:
            journal.seal()


def fill(folder: str) -> None:
    """Append while files may not grow beyond 20,000 bytes, then once they may again; tell the health after each."""
    from ratchet.traffic.journal import Journal
    from tests.ratchet.traffic.examples import prediction

    journal = Journal(folder, sync_seconds=3600)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    for number in range(200):
        journal.append([prediction(f"full-{number:03}")])
    print(json.dumps(journal.health()))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    journal.append([prediction("the disk is back")])
    print(json.dumps(journal.health()))
    journal.close()


def roll(folder: str, traffic: str) -> None:
    """Roll whatever is in a folder, once and again, and say so before each time."""
    from ratchet.traffic.rolling import roll_folder
    from ratchet.traffic.store import TrafficStore

    while True:
        os.write(1, b"rolling\n")
        roll_folder(folder, TrafficStore(traffic))
