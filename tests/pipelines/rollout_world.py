"""Installations for the tests of a live rollout: registered models, a real gateway, a process that advances what is under trial."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl
import psutil
import pytest

from ratchet.data.tables import write_dataset
from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.delivery.policy import Policy
from ratchet.delivery.registry import Lineage, find_version, register_model
from ratchet.models.manifest import write_manifest
from ratchet.models.package import package_digest
from ratchet.settings import Settings
from tests.gateway import GatewayProcess
from tests.pipelines.rollout_clients import NAME
from tests.postgres import PostgreSQL
from tests.ratchet.serving.conftest import small_package

PROGRAM = Path(__file__).with_name("advancing.py")
POLICY = {
    "steps": (25, 50),
    "margin": 0.2,
    "minimum_requests": 40,
    "minimum_labels": 40,
    "loss": {"kind": "cost"},
    "grace": 3.0,
    "latency_slack_ms": 60_000.0,  # the tests, two models and a database share two cores; what is tried here is not speed
    "error_tolerance": 0.5,
    "timeout_ms": 10_000.0,
}

T = TypeVar("T")


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with two registered versions, "1", a champion, and "2", which knows the `truth`. No test may change it."""
    folder = tmp_path_factory.mktemp("registered")
    table = pl.DataFrame({"amount": np.arange(400.0) % 37, "hour": np.arange(400) % 24})
    write_dataset(table, folder / "reference", source="the test")
    (folder / "schema.yaml").write_text("columns: {amount: {type: number}}\n", encoding="utf-8")
    settings = Settings(home=folder / "home")
    for seed in range(2):
        path, _ = small_package(folder / str(seed) / "model", seed=seed)
        register_model(path, folder / "reference", folder / "schema.yaml", lineage=Lineage(NAME, 0, "run", {}, {}), settings=settings)
    return settings


@pytest.fixture(scope="session")
def models(registered: Settings) -> tuple[ModelRef, ...]:
    """References to the two versions."""
    return find_version(NAME, "1", registered), find_version(NAME, "2", registered)


@pytest.fixture(scope="session")
def raising(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    """A version "3" whose model wants a column more than its package says, so that each prediction raises."""
    path, _ = small_package(tmp_path_factory.mktemp("raising") / "model", seed=0)
    other, _ = small_package(path.with_name("other"), seed=0, inputs={"amount": "number", "hour": "integer", "shop": "integer"})
    shutil.copyfile(other / "model.cbm", path / "model.cbm")
    write_manifest(path, None)
    return ModelRef("3", package_digest(path, "catboost"), str(path))


def until(true: Callable[[], T | None], seconds: float, what: Callable[[], object] = lambda: "") -> T:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end, f"waited {seconds:g} s in vain; {what()}"
        time.sleep(0.02)
    return value


def durable(postgresql: PostgreSQL) -> str:
    """Return a database that loses no commit when it is killed."""
    return postgresql.new_database().replace("%20-csynchronous_commit%3Doff", "")


class Advancer:
    """A process that advances the rollout again and again, as a recurring run would."""

    def __init__(self, settings: Settings, prefix: str, *, stall_at: str = "", wait: str = "0s") -> None:
        """Start it.

        Args:
            settings: The installation.
            prefix: Its runs are called so, with a number.
            stall_at: Checkpoint of the ledger at which it stops and waits to be killed; empty for none.
            wait: For how long each advance waits for evidence.
        """
        request = {"settings": settings.model_dump(mode="json"), "name": NAME, "prefix": prefix, "stall_at": stall_at, "wait": wait}
        command = [sys.executable, "-W", "ignore", str(PROGRAM), json.dumps(request)]
        environment = {"PYTHONPATH": str(PROGRAM.parents[2])}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        self.told: list[dict[str, str]] = []
        self.complaint = ""
        self._readers = [threading.Thread(target=self._read, daemon=True), threading.Thread(target=self._listen, daemon=True)]
        for reader in self._readers:
            reader.start()

    def next(self, what: str, since: int = 0) -> dict[str, str]:
        """Wait for the next thing of a kind that it tells: "verdict", "checkpoint" or "ready"."""

        def found() -> dict[str, str] | None:
            assert self.process.poll() is None, f"it ended: {self.complaint[-3000:]}"
            return next((one for one in self.told[since:] if what in one), None)

        return until(found, 60, lambda: f"{what} was not told; the last was {self.told[-1:]}")

    def kill(self) -> None:
        """Kill it at once."""
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):  # the last one may be torn
                self.told.append(json.loads(line))

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.complaint += line


@dataclass
class Live:
    """An installation with a running gateway on a port of its own."""

    settings: Settings
    models: tuple[ModelRef, ...]
    gateway: GatewayProcess = field(init=False)

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        variables = {"RATCHET_LEDGER_URL": self.settings.ledger_url} if self.settings.ledger_url else {}
        self.gateway = GatewayProcess(self.settings.home, "--port", str(port), "--roll", "1", variables=variables)

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.settings)

    @property
    def health(self) -> dict[str, Any]:
        """What the gateway says of the deployment."""
        return json.loads(self.gateway.get("/v2/health/ready")[1])["deployments"][NAME]  # type: ignore[no-any-return]

    @property
    def workers(self) -> list[int]:
        return json.loads((self.settings.home / "gateway.json").read_text())["workers"]  # type: ignore[no-any-return]

    def child(self) -> int:
        """Return the process in which the challenger runs."""

        def found() -> int | None:
            try:
                ours = psutil.Process(self.workers[0]).children()
                return next((one.pid for one in ours if "ratchet.serving.child" in one.cmdline()), None)
            except psutil.NoSuchProcess:  # one that was killed is a zombie until its parent looks: the next look finds its successor
                return None

        return until(found, 30)

    def promote(self) -> None:
        """Make version 1 the champion, unless it is."""
        state = self.ledger.deployment(NAME)
        if state.champion != self.models[0]:
            self.ledger.promote(NAME, self.models[0], generation=state.generation, who="test", why="first")

    def begin(self, phase: str, *, challenger: ModelRef | None = None, **policy: Any) -> int:
        """Begin a rollout anew, wait until the challenger scores, and return the rollout's identity."""
        self.abort()
        model = challenger or self.models[1]
        rules = Policy(**{**POLICY, "shadow": phase == "shadow", **policy})
        state = self.ledger.deployment(NAME)
        begun = self.ledger.begin(NAME, model, rules, generation=state.generation, who="test", why="better").deployment.begun

        def scores() -> bool:
            health = self.health
            return health["rollout"] == begun and (health["companion"] or {}).get("state") == "ready"

        until(lambda: scores() or self.ledger.deployment(NAME).begun != begun, 60, lambda: self.health)
        return begun

    def abort(self) -> None:
        """End what is under trial, if anything is."""
        state = self.ledger.deployment(NAME)
        if state.challenger is not None:
            self.ledger.abort(NAME, generation=state.generation, who="test", why="enough")


@contextmanager
def live(home: Path, registered: Settings, models: tuple[ModelRef, ...], ledger_url: str = "") -> Iterator[Live]:
    """Run an installation whose champion is version 1."""
    shutil.copytree(registered.home, home)
    made = Live(Settings(home=home, ledger_url=ledger_url), models)
    made.promote()
    made.gateway.start()
    try:
        yield made
    finally:
        made.gateway.stop()
