"""The process in which a companion's model runs: whatever the model does, crash, hang or leak, it does here and not among the clients.

    python -m ratchet.serving.child DESCRIPTOR PARENT

DESCRIPTOR is the inherited socket on which it is told to load a package and to score rows; PARENT the process that must be its parent. It
ends when the socket closes and dies when the parent does, so it is never left behind.
"""

import contextlib
import faulthandler
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ratchet.delivery.deployment import ModelRef
from ratchet.models.package import ModelPackage
from ratchet.serving.details import NOTHING, Details, joined
from ratchet.serving.frames import pack, pack_scored, receive, unpack_rows
from ratchet.serving.served import load, score

PR_SET_PDEATHSIG = 1
MAX_ERROR = 500


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, stopped or hanging as it may be; and before others when memory is short.

    Args:
        parent: Its process id; when it is gone already, this process ends.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError):  # some sandboxes do not let it be written
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if os.getppid() != parent:
        raise SystemExit(0)


def score_spans(
    package: ModelPackage, frame: pl.DataFrame, spans: Sequence[int], wants: Set[str] = NOTHING
) -> tuple[list[list[Any]], np.ndarray, Details]:
    """Score a batch; where it fails as a whole, each request of it by itself.

    Args:
        package: The model.
        frame: The rows of all requests.
        spans: How many rows each request has.
        wants: The details to compute as well.

    Returns:
        For each request [rows answered, milliseconds, error]; and the predictions and details of all that were answered.
    """
    try:
        whole = score(package, frame, wants)
        return [[span, whole.milliseconds, ""] for span in spans], whole.predictions, whole.details
    except Exception as error:  # a model may raise anything, and the other requests of the batch are to be scored
        if len(spans) == 1:
            return [[0, 0.0, _text(error)]], np.empty(0), {}
    outcome: list[list[Any]] = []
    parts: list[tuple[np.ndarray, Details]] = []
    start = 0
    for span in spans:
        made, predictions, details = score_spans(package, frame[start : start + span], [span], wants)
        start += span
        outcome += made
        parts += [(predictions, details)] if made[0][0] else []
    return outcome, np.concatenate([one for one, _ in parts]) if parts else np.empty(0), joined([more for _, more in parts])


def serve(connection: socket.socket) -> None:
    """Do what the socket says until it is closed."""
    package: ModelPackage | None = None
    while (frame := receive(connection)) is not None:
        header, body = frame
        if header["op"] == "load":
            try:
                package = load(Path(header["path"]), ModelRef(**header["ref"]), bytes.fromhex(header["key"]) or None).package
                connection.sendall(pack({"op": "ready"}))
            except Exception as error:  # a native loader may raise anything; the gateway is told, and decides
                connection.sendall(pack({"op": "failed", "error": _text(error)}))
        else:
            assert package is not None
            outcome, predictions, details = score_spans(package, unpack_rows(body), header["spans"], set(header["wants"]))
            head, made = pack_scored(predictions, details if header["tell"] else {})
            connection.sendall(pack({"op": "scored", "id": header["id"], "outcome": outcome, "memory": memory(), **head}, made))


def memory() -> int:
    """Return the bytes of memory that this process has resident; the most it had where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:MAX_ERROR]


def main(arguments: Sequence[str]) -> None:
    """Run as a program."""
    descriptor, parent = map(int, arguments)
    die_with(parent)
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the gateway, which answers what is under way first
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as connection:
        serve(connection)


if __name__ == "__main__":
    main(sys.argv[1:])
