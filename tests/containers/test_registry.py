"""From a built image to a line in the lock through a real registry: what is pushed, locked and pulled is one image."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.ratchet.serving.gateways import until

pytestmark = pytest.mark.containers
ROOT = Path(__file__).resolve().parents[2]
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIGURATION = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{address}"}}
log: {{level: error}}
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Return the address of a registry that keeps what it is given under the test's folder."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry here to push to; on Debian: apt-get install docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    written = tmp_path / "registry.yml"
    written.write_text(CONFIGURATION.format(folder=tmp_path / "registry", address=address), encoding="utf-8")
    with (tmp_path / "log").open("wb") as log, subprocess.Popen([program, "serve", written], stdout=log, stderr=log) as process:
        try:
            until(lambda: _answers(f"http://{address}/v2/"))
            yield address
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def images(lock: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.images", *arguments, "--lock-file", str(lock)]
    return subprocess.run(command, cwd=ROOT, env=os.environ.copy(), capture_output=True, text=True)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_what_is_locked_is_what_the_registry_has_and_what_runs(built: Callable[[str], str], registry: str, tmp_path: Path) -> None:
    image, lock = built("gateway"), tmp_path / "images.lock.yaml"
    repository = f"{registry}/ratchet-gateway"
    lock.write_text(f"images:\n  gateway: {repository}:seven\n", encoding="utf-8")
    docker("tag", image, f"{repository}:seven")
    names = [f"{repository}:seven"]
    try:
        assert images(lock, "lock", "--tag", "seven").returncode == 1, "nothing was pushed yet"
        assert images(lock, "check", "--release").returncode == 1, "a tag can be moved"
        for verb in ("push", "lock"):
            done = images(lock, verb, "--tag", "seven")
            assert done.returncode == 0, done.stderr
        assert images(lock, "check", "--release").returncode == 0

        locked = yaml.safe_load(lock.read_text(encoding="utf-8"))["images"]["gateway"]
        kept = httpx.head(f"http://{registry}/v2/ratchet-gateway/manifests/seven", headers={"Accept": MANIFEST})
        assert locked == f"{repository}@{kept.headers['Docker-Content-Digest']}"

        docker("rmi", *names)  # and with its last name the digest
        names = [locked]
        docker("pull", locked)
        assert docker("image", "inspect", "--format", "{{.Id}}", locked) == docker("image", "inspect", "--format", "{{.Id}}", image)
        said = docker("run", "--rm", "--network", "none", "--entrypoint", "ratchet", locked, "--version")
        assert re.search(r"\d+\.\d+", said)
    finally:
        subprocess.run(["docker", "rmi", *names], capture_output=True)
