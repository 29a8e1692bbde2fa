"""Who is measured by ``make bench``: each server as a process of its own on a free loopback port, with one worker and without access logs.

Each says where it takes requests, in which form, and where in its answer the predictions are, so that all can be asked the same rows and
be held to the same answers.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from scripts.bench_environments import environment_of

ROOT = Path(__file__).resolve().parents[1]
MLSERVER = environment_of("mlserver")
LOCK = ROOT / "scripts" / "bench_mlserver.txt"
INFER = "/v2/models/bench/infer"
READY_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        origin: ``http://address:port``.
        path: Where it takes requests.
        form: Which bodies it takes: "infer" or "split".
        process: Of the server.
    """

    origin: str
    path: str
    form: str
    process: subprocess.Popen

    @property
    def url(self) -> str:
        """Where it takes requests."""
        return self.origin + self.path

    def answer(self, body: str) -> Any:
        """Return what it answers to a body."""
        answer = httpx.post(self.url, content=body, headers={"Content-Type": "application/json"}, timeout=60)
        return answer.raise_for_status().json()

    def get(self, path: str) -> Any:
        """Return the document at a path."""
        return httpx.get(self.origin + path, timeout=60).raise_for_status().json()


def predictions_of(answer: dict) -> list[float]:
    """Return the predictions in an answer, of either form.

    >>> predictions_of({"predictions": [0.5]}), predictions_of({"outputs": [{"name": "probability", "data": [0.5]}]})
    ([0.5], [0.5])
    """
    return answer["predictions"] if "predictions" in answer else answer["outputs"][0]["data"]


@contextmanager
def served(
    folder: Path, command: Callable[[int], list[str]], path: str, form: str, ready: str, variables: dict[str, str] | None = None
) -> Iterator[Server]:
    """Run a server until the block ends.

    Args:
        folder: Its working folder, to be made; its log goes there.
        command: Returns the command for a port.
        path: Where it takes requests.
        form: Of its bodies.
        ready: A path that answers 200 when it is ready; empty when to be connected to is enough.
        variables: For its environment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(variables or {})}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command(port), cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    server = Server(f"http://127.0.0.1:{port}", path, form, process)
    try:
        until = time.monotonic() + READY_SECONDS
        while not _ready(server, ready):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"bench: {process.args} did not start; its log ends:\n{(folder / 'log').read_text()[-3000:]}")
            time.sleep(0.1)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def gateway(folder: Path, home: Path, workers: int = 1):
    """`ratchet serve` on an installation."""
    command = [sys.executable, "-m", "ratchet.cli.main", "serve", "--log-level", "warning", "--workers", str(workers), "--port"]
    return served(folder, lambda port: [*command, str(port)], INFER, "infer", "/v2/health/ready", {"RATCHET_HOME": str(home)})


def mlflow(folder: Path, package: Path):
    """`mlflow models serve` on a package, which is an MLflow model as it is."""
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "-m", str(package), "--env-manager", "local", "--port"]
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "UVICORN_ACCESS_LOG": "false"}
    return served(folder, lambda port: [*command, str(port)], "/invocations", "split", "/ping", path)


def mlserver(folder: Path, package: Path, *, workers: int = 0, batch: int = 0):
    """MLServer with `bench_mlserver.PackageRuntime`.

    Args:
        folder: For its settings.
        package: The package's folder.
        workers: Its inference processes beside the one that speaks HTTP; 0 to predict in that one.
        batch: Most requests that it puts together, waiting 2 ms at most; 0 for none.
    """
    model = {"name": "bench", "implementation": "scripts.bench_mlserver.PackageRuntime", "parameters": {"uri": str(package)}}
    batching = {"max_batch_size": batch, "max_batch_time": 0.002} if batch else {}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model-settings.json").write_text(json.dumps({**model, **batching}))

    def command(port: int) -> list[str]:
        ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
        (folder / "settings.json").write_text(json.dumps({"debug": False, "host": "127.0.0.1", "parallel_workers": workers, **ports}))
        return [str(MLSERVER / "bin" / "mlserver"), "start", str(folder)]

    return served(folder, command, INFER, "infer", "/v2/models/bench/ready")


def bound(folder: Path, package: Path, app: str):
    """An application of `bench_apps` behind uvicorn."""
    command = [sys.executable, "-m", "uvicorn", "--factory", f"scripts.bench_apps:{app}", "--no-access-log", "--log-level", "warning"]
    return served(folder, lambda port: [*command, "--port", str(port)], INFER, "infer", "", {"BENCH_PACKAGE": str(package)})


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready(server: Server, path: str) -> bool:
    try:
        if path:
            return httpx.get(server.origin + path, timeout=5).status_code == 200
        socket.create_connection(("127.0.0.1", int(server.origin.rpartition(":")[2])), timeout=5).close()
        return True
    except (httpx.HTTPError, OSError):
        return False
