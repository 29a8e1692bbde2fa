"""A small installation for the gateway's tests: real packages in a real store, a ledger of its own for each test."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ratchet.data.digests import content_digest
from ratchet.data.kinds import DTYPES
from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.delivery.policy import Policy
from ratchet.features.spec import FeatureSpec
from ratchet.models.boosting import CatBoostNative, pool
from ratchet.models.package import Description, write_package
from ratchet.models.stacking import copy_encoder, name_encoder, stacked_matrix
from ratchet.serving.engine import Answer, Engine, EngineOptions, Meter, Rows
from ratchet.settings import Settings
from ratchet.traffic.records import Prediction
from tests.ratchet.serving.gateways import desktop, gateway, taught, watch

__all__ = ["desktop", "gateway", "taught", "watch"]  # fixtures

INPUTS = {"amount": "number", "hour": "integer"}


@dataclass(frozen=True)
class Stall:
    """One deployment with a ledger and packages of its own."""

    name: str
    settings: Settings
    models: tuple[ModelRef, ...]

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.settings)

    def promote(self, number: int, why: str = "better") -> ModelRef:
        """Make a model the champion."""
        generation = self.ledger.deployment(self.name).generation
        self.ledger.promote(self.name, self.models[number], generation=generation, who="the test", why=why)
        return self.models[number]

    def begin(self, number: int, *, phase: str = "shadow", percent: int = 0, **policy: Any) -> int:
        """Begin a rollout and take it to a phase; return its identity."""
        policy = {"shadow": phase == "shadow", "steps": (percent or 1,), **policy}
        state = self.ledger.deployment(self.name)
        how = {"generation": state.generation, "who": "the test", "why": "try"}
        return self.ledger.begin(self.name, self.models[number], Policy(**policy), **how).deployment.begun

    def step(self, phase: str, percent: int) -> None:
        """Take the rollout to a later phase."""
        generation = self.ledger.deployment(self.name).generation
        self.ledger.step(self.name, phase, percent, generation=generation, who="the test", why="next", evidence={})

    def abort(self) -> None:
        state = self.ledger.deployment(self.name)
        self.ledger.abort(self.name, generation=state.generation, who="the test", why="enough")


def small_package(path: Path, *, seed: int, inputs: dict[str, str] | None = None, latent: int = 0) -> tuple[Path, str]:
    """Train a model of a few trees and write it as a real package, stacked on an autoencoder of so many latent numbers if not 0; return
    its folder and digest."""
    from catboost import CatBoost

    columns = inputs or INPUTS
    table = pl.DataFrame({"amount": np.arange(400.0) % 37, "hour": np.arange(400) % 24, "shop": np.arange(400) % 5})
    labels = (table["amount"] + 3 * seed > table["hour"]).to_numpy().astype(int)
    table = table.cast({name: DTYPES[kind] for name, kind in columns.items()})
    spec = FeatureSpec("binary", "fraud", columns, tuple(columns), classes=("0", "1"))
    options = {"loss_function": "Logloss", "iterations": 8, "depth": 3, "random_seed": seed, "thread_count": 1}
    encoder = None
    if latent:
        from tests.autoencoders import linear_package

        encoder = linear_package(path.with_name("autoencoder"), spec.as_anomaly(), table, latent=latent)
    matrix = stacked_matrix(spec, encoder, table)
    native = CatBoostNative(CatBoost({**options, "allow_writing_files": False, "verbose": False}).fit(pool(matrix, labels)), "binary")

    def write_native(folder: Path) -> None:
        native.write(folder)
        if encoder is not None:
            copy_encoder(encoder, folder)

    needed = name_encoder(encoder, "fraud-encoder", str(seed)) if encoder is not None else None
    description = Description("catboost", spec, 0.5, {"iterations": 8}, seed, content_digest(table), encoder=needed)
    package = write_package(path, description, write_native, table)
    return package.path, package.digest


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelRef, ...]:
    """Five versions in a store that no test may change: 3 reads a column more, 4 reads the hour as a text."""
    folder = tmp_path_factory.mktemp("stored")
    made = []
    for number in range(5):
        inputs = {3: {**INPUTS, "shop": "integer"}, 4: {**INPUTS, "hour": "string"}}.get(number)
        path, digest = small_package(folder / str(number) / "model", seed=number, inputs=inputs)
        made.append(ModelRef(str(number), digest, str(path)))
    return tuple(made)


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelRef, ...]:
    """Two autoencoders in a store that no test may change; version 1 has another latent size, threshold and column than 0."""
    from tests.autoencoders import linear_package

    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"amount": rng.normal(18, 9, 500), "hour": rng.integers(0, 24, 500), "shop": rng.choice(["a", "b", "c"], 500)})
    spec = FeatureSpec("anomaly", "", {**INPUTS, "shop": "string"}, ("amount", "shop", "hour"), classes=("normal", "anomaly"))
    folder, made = tmp_path_factory.mktemp("encoders"), []
    for number, latent in enumerate((1, 2)):
        if number:
            spec = replace(spec, plain=("amount", "shop"), expressions={"late": "hour / 24"})
        package = linear_package(folder / str(number) / "model", spec, frame, latent=latent, threshold=2.0 + number)
        made.append(ModelRef(str(number), package.digest, str(package.path)))
    return tuple(made)


@pytest.fixture(scope="session")
def stacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelRef, ...]:
    """Two boosting models, versions 5 and 6, each with an autoencoder of its own within."""
    folder, made = tmp_path_factory.mktemp("stacked"), []
    for number, latent in ((5, 1), (6, 2)):
        path, digest = small_package(folder / str(number) / "model", seed=number, latent=latent)
        made.append(ModelRef(str(number), digest, str(path)))
    return tuple(made)


@pytest.fixture
def lookout(encoders: tuple[ModelRef, ...], tmp_path: Path) -> Stall:
    """A deployment whose champion is the autoencoder of version 0."""
    made = Stall(f"d{uuid.uuid4().hex[:12]}", Settings(home=tmp_path / "lookout"), encoders)
    made.promote(0)
    return made


@pytest.fixture
def stall(stored: tuple[ModelRef, ...], tmp_path: Path) -> Stall:
    """A deployment whose champion is version 0, with its ledger in SQLite."""
    made = Stall(f"d{uuid.uuid4().hex[:12]}", Settings(home=tmp_path), stored)
    made.promote(0)
    return made


@pytest.fixture
def frame() -> Callable[[int], pl.DataFrame]:
    """Make n rows of what the models read."""
    return lambda n: pl.DataFrame({"amount": np.arange(float(n)) % 37, "hour": np.arange(n) % 24})


class Kept:
    """A recorder that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Prediction] = []

    def record(self, predictions: Sequence[Prediction]) -> None:
        self.records += [row for one in predictions for row in one.rows()]

    def of(self, role: str) -> list[Prediction]:
        return [record for record in self.records if record.role == role]


@dataclass
class Desk:
    """An engine under test, with what asks it and what it wrote."""

    engine: Engine
    stall: Stall
    kept: Kept
    asked: int = 0

    async def ask(
        self, n: int = 1, *, key: str = "", version: str = "", shop: int | str | None = None, wants: Sequence[str] = ()
    ) -> Answer:
        """Send a request of n rows."""
        self.asked += 1
        inputs = {"amount": [float(i % 37) for i in range(n)], "hour": [i % 24 for i in range(n)], "card": [f"card {self.asked}"] * n}
        if shop is not None:
            inputs["shop"] = [shop] * n
        return await self.engine.predict(Rows(f"r{self.asked}", 1000.0 + self.asked, key, inputs, version, frozenset(wants)))

    async def until(self, true: Callable[[], Any], seconds: float = 30.0) -> None:
        """Wait until something is true."""
        for _ in range(int(seconds / 0.02)):
            if true():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"waited {seconds:g} s in vain; {self.engine.health()}")

    async def until_companion(self, state: str = "ready") -> None:
        await self.until(lambda: (self.engine.health()["companion"] or {}).get("state") == state)

    @property
    def child(self) -> int:
        """Process id of the companion's child."""
        lineup = self.engine.roster.lineup
        assert lineup is not None
        assert lineup.companion is not None
        assert lineup.companion.process is not None
        return lineup.companion.process.pid


@pytest.fixture
def desk(stall: Stall) -> Callable[..., AbstractAsyncContextManager[Desk]]:
    """Open an engine on a deployment for the time of a block."""

    @asynccontextmanager
    async def opened(
        of: Stall = stall, clock: Callable[[], float] = time.time, meter: Meter | None = None, **options: Any
    ) -> AsyncIterator[Desk]:
        kept = Kept()
        engine = Engine(of.name, of.settings, kept, clock=clock, options=EngineOptions(**options), meter=meter)
        await engine.start()
        try:
            yield Desk(engine, of, kept)
        finally:
            await engine.close()

    return opened
