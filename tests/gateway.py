"""A real gateway for tests: `ratchet serve` as a process of its own on a free loopback port."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

SECONDS = 90.0


class GatewayProcess:
    """`ratchet serve` on an installation."""

    def __init__(self, home: Path, *arguments: str, variables: dict[str, str] | None = None) -> None:
        """Prepare; `start` starts it.

        Args:
            home: The installation's home.
            arguments: Of `ratchet serve`.
            variables: Settings beside the home.
        """
        self.home = home
        self.arguments = arguments
        self.environment = {**os.environ, "RATCHET_HOME": str(home), **(variables or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.log = home / "gateway.log"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        ready = self.home / "gateway.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "ratchet.cli.main", "serve", "--port", "0", "--ready-file", str(ready), *self.arguments]
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        until = time.monotonic() + SECONDS
        while not (ready.exists() and self.ready(json.loads(ready.read_text())["port"])):
            if time.monotonic() > until or self.process.poll() is not None:
                raise TimeoutError(f"the gateway did not become ready; its log ends: {self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def ready(self, port: int) -> bool:
        """Return whether it answers that it is ready."""
        self.url = f"http://127.0.0.1:{port}"
        try:
            return self.get("/v2/health/ready")[0] == 200
        except URLError:
            return False

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET."""
        return self._open(Request(self.url + path))

    def post(self, path: str, document: object) -> tuple[int, dict]:
        """Return status and answer of a POST of JSON."""
        content = json.dumps(document).encode()
        status, body = self._open(Request(self.url + path, content, {"Content-Type": "application/json"}))
        return status, json.loads(body)

    def stop(self) -> int:
        """Stop it as an operator would; return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _open(self, request: Request) -> tuple[int, bytes]:
        try:
            with urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()


@contextmanager
def gateway(home: Path, *arguments: str, variables: dict[str, str] | None = None) -> Iterator[GatewayProcess]:
    """Give a running gateway and stop it afterwards."""
    process = GatewayProcess(home, *arguments, variables=variables)
    process.start()
    try:
        yield process
    finally:
        process.stop()
