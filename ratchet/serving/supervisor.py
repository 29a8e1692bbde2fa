"""The parent of a gateway's workers: holds the listening socket, starts workers, and starts another where one dies.

Workers are processes of their own and not forks, because CatBoost's and polars' threads do not survive a fork. They inherit the socket, so
whoever connects while a worker is being restarted waits in its backlog instead of being refused.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ratchet.errors import SettingsError
from ratchet.serving.options import GatewayOptions

GIVE_UP = 3
BACKOFF = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS = 30.0  # a worker that lived this long begins at the first backoff again
BACKLOG = 2048
KILL_SECONDS = 15.0


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Args:
        host: Address or name.
        port: 0 for any free one.

    Raises:
        SettingsError: it cannot be bound.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
        return listening
    except (OSError, OverflowError) as error:
        raise SettingsError(f"cannot listen on {host}:{port} ({error}); choose another --port, or --port 0 for any free one") from error


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    deaths: int = 0
    due: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Runs the workers of one gateway.

    Attributes:
        listening: The socket, bound.
        options: Of the gateway; its ``workers`` says how many.
        ready_file: File to write port and process ids to; None for none.
        clock: Returns seconds that only grow.
    """

    listening: socket.socket
    options: GatewayOptions
    ready_file: Path | None = None
    clock: Callable[[], float] = time.monotonic
    _workers: list[_Worker] = field(default_factory=list)
    _stopping: bool = False
    _failed: bool = False

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self.listening.getsockname()[1])

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, then drain; return the exit status: 0, or 1 when the workers cannot start."""
        read, write = os.pipe()  # closes with this process, however it ends: that is how the workers know
        os.set_inheritable(read, True)
        with tempfile.TemporaryDirectory(prefix="ratchet-metrics-") as metrics:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop)
            self._workers = [_Worker() for _ in range(self.options.workers)]
            while not self._stopping:
                self._look(read, metrics)
                if not self._stopping:
                    time.sleep(0.05)
            self._drain()
        os.close(write)
        os.close(read)
        return 1 if self._failed else 0

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _look(self, alive: int, metrics: str) -> None:
        """Start each worker that is not there and whose time has come."""
        changed = False
        for worker in self._workers:
            if worker.process is not None and worker.process.poll() is not None:
                self._note_death(worker, worker.process, metrics)
            if worker.process is None and not self._stopping and self.clock() >= worker.due:
                worker.process, worker.began = self._start(alive, metrics), self.clock()
                changed = True
        if changed:
            self._write_ready()

    def _note_death(self, worker: _Worker, process: subprocess.Popen[bytes], metrics: str) -> None:
        if process.returncode == GIVE_UP:
            self._failed = self._stopping = True
        lived = self.clock() - worker.began
        worker.deaths = 1 if lived > STEADY_SECONDS else worker.deaths + 1
        worker.due = self.clock() + BACKOFF[min(worker.deaths, len(BACKOFF)) - 1]
        worker.process = None
        for file in Path(metrics).glob(f"gauge_live*_{process.pid}.db"):  # what prometheus_client's mark_process_dead does
            file.unlink(missing_ok=True)
        word = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
        line = {"level": "warning", "logger": __name__, "message": f"worker {process.pid} ended with {word} after {lived:.1f} s"}
        print(json.dumps(line), file=sys.stderr, flush=True)

    def _start(self, alive: int, metrics: str) -> subprocess.Popen[bytes]:
        descriptor = self.listening.fileno()
        command = [sys.executable, "-m", "ratchet.serving.server", "--socket", str(descriptor), "--alive", str(alive)]
        environment = dict(os.environ)
        # Two cores shared by workers: a pool of threads in each would only take turns.
        environment.setdefault("POLARS_MAX_THREADS", "1")
        if self.options.workers > 1:
            environment["PROMETHEUS_MULTIPROC_DIR"] = metrics
        return subprocess.Popen(  # noqa: S603
            [*command, "--options", self.options.to_json()], pass_fds=(descriptor, alive), env=environment, stdin=subprocess.DEVNULL
        )

    def _drain(self) -> None:
        processes = [worker.process for worker in self._workers if worker.process is not None]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        until = self.clock() + self.options.drain_seconds + KILL_SECONDS
        for process in processes:
            try:
                process.wait(max(0.1, until - self.clock()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.listening.close()

    def _write_ready(self) -> None:
        if self.ready_file is None:
            return
        workers = [worker.process.pid for worker in self._workers if worker.process is not None]
        host = self.listening.getsockname()[0]
        part = self.ready_file.with_name(f".{self.ready_file.name}.part")
        part.write_text(json.dumps({"host": host, "port": self.port, "pid": os.getpid(), "workers": workers}), encoding="utf-8")
        part.replace(self.ready_file)
