"""Two containers of the gateway's image behind one port, and clients who never stop asking."""

import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.ratchet.serving.gateways import until

# As docs/images.md says how to run them: nothing to write but /tmp, no capability, and the user is the image's own.
CONTAINED = ["--read-only", "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "host"]
PROXY = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream gateways {{
{servers}
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://gateways;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            # A prediction changes nothing, so what a dying replica left unanswered is asked of the other.
            proxy_next_upstream error timeout http_502 http_503 non_idempotent;
            proxy_connect_timeout 2s;
        }}
    }}
}}
"""


def free_port() -> int:
    """Return a port of the loopback that nobody has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def answers(url: str) -> bool:
    """Return whether a gateway behind a URL says that it is ready."""
    try:
        return httpx.get(f"{url}/v2/health/ready", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


class Replica:
    """One container of the gateway's image."""

    def __init__(self, image: str, mounts: Mapping[Path, str], variables: Mapping[str, str]) -> None:
        self.port = free_port()
        given = [option for path, mode in mounts.items() for option in ("--volume", f"{path}:{path}:{mode}")]
        given += [option for name, value in variables.items() for option in ("--env", f"{name}={value}")]
        serve = ["ratchet", "serve", "--port", str(self.port), "--roll", "1"]
        command = ["docker", "run", "--detach", *CONTAINED, *given, image, *serve]
        self.id = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, timeout=30)

    def ready(self) -> bool:
        """Return whether it says that it is ready."""
        return answers(self.url)

    def kill(self) -> None:
        """Kill every process in it at once."""
        subprocess.run(["docker", "kill", "--signal", "KILL", self.id], check=True, capture_output=True)

    def log(self) -> str:
        """Return what it said."""
        done = subprocess.run(["docker", "logs", self.id], capture_output=True, text=True)
        return done.stdout + done.stderr

    def remove(self) -> None:
        """Leave nothing of it."""
        self.client.close()
        subprocess.run(["docker", "rm", "--force", self.id], capture_output=True)


@contextmanager
def proxy(nginx: str, ports: list[int], folder: Path) -> Iterator[str]:
    """Run nginx before some ports; give its URL."""
    port = free_port()
    servers = "\n".join(f"        server 127.0.0.1:{of} max_fails=1 fail_timeout=2s;" for of in ports)
    configuration = folder / "nginx.conf"
    configuration.write_text(PROXY.format(port=port, servers=servers, folder=folder), encoding="utf-8")
    process = subprocess.Popen([nginx, "-e", str(folder / "nginx.log"), "-c", str(configuration)], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(30)


class Clients:
    """Some clients in threads of their own, each asking again as soon as it was answered."""

    def __init__(self, url: str, path: str, row: Mapping[str, Any], count: int = 4) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        asked = (url, path, row)
        self._threads = [threading.Thread(target=self._ask, args=asked, daemon=True) for _ in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _ask(self, url: str, path: str, row: Mapping[str, Any]) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while not self._stop.wait(0.005):
                try:
                    answer = client.post(path, json=row)
                except httpx.TransportError as error:
                    self._keep("", f"{type(error).__name__}: {error}")
                    continue
                failed = answer.status_code != 200
                self._keep("" if failed else answer.json()["version"], f"{answer.status_code}: {answer.text[:200]}" if failed else "")

    def _keep(self, version: str, failure: str) -> None:
        with self._lock:
            if failure:
                self.failures.append(failure)
            else:
                self.answers[version] += 1
