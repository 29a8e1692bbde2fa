"""Gateways for tests: a model that reads every kind of column through every allowed function, an application in process, a real server."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from hypothesis import strategies as st

from ratchet.data.kinds import DTYPES
from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.features.spec import FeatureSpec
from ratchet.models.boosting import CatBoostNative, pool
from ratchet.models.package import Description, ModelPackage, write_package
from ratchet.serving.app import Gateway
from ratchet.serving.options import GatewayOptions
from ratchet.serving.server import build_gateway
from ratchet.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
KINDS = {
    "amount": "number",
    "balance": "number",
    "hour": "integer",
    "card": "string",
    "country": "string",
    "abroad": "boolean",
    "at": "datetime",
}
EXPRESSIONS = {  # every allowed function, and the operators
    "f_abs": "abs(balance)",
    "f_ceil": "ceil(amount / 3)",
    "f_coalesce": "coalesce(amount, balance, 0)",
    "f_exp": "exp(amount)",
    "f_extract": "extract(hour from at) + extract(dow from at)",
    "f_floor": "floor(balance)",
    "f_greatest": "greatest(amount, balance)",
    "f_least": "least(amount, hour)",
    "f_length": "length(card)",
    "f_ln": "ln(1 + amount)",
    "f_log10": "log10(amount)",
    "f_log2": "log2(balance)",
    "f_mod": "mod(hour, 7)",
    "f_nullif": "amount / nullif(balance, 0)",
    "f_power": "power(amount, 2)",
    "f_sign": "sign(balance)",
    "f_sqrt": "sqrt(amount)",
    "f_substr": "substr(card, 1, 2)",
    "f_trim": "trim(country)",
    "o_case": "case when abroad and amount > 10 then 1 when not abroad then 2 end",
    "o_concat": "country || '-' || card",
    "o_in": "hour in (1, 2, 3) or amount between 5 and 6",
    "o_null": "amount is null",
    "o_cast": "cast(hour as varchar)",
}
GOOD: dict[str, Any] = {
    "amount": 12.5,
    "balance": -3.25,
    "hour": 7,
    "card": "visa",
    "country": " nl ",
    "abroad": True,
    "at": "2026-01-02T03:04:05",
}
DATATYPES = {"number": "FP64", "integer": "INT64", "string": "BYTES", "boolean": "BOOL", "datetime": "BYTES"}

NUMBERS = st.one_of(
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1.7976931348623157e308, -1e308, 709.8, -746.0]),
    st.integers(-(2**63), 2**63 - 1),
)
TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=12), st.sampled_from(["", " ", "visa", "é", "\0"]))
ROW = st.fixed_dictionaries(
    {
        "amount": NUMBERS,
        "balance": NUMBERS,
        "hour": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 23)),
        "card": TEXTS,
        "country": TEXTS,
        "abroad": st.one_of(st.none(), st.booleans()),
        "at": st.one_of(st.none(), st.datetimes(datetime(1700, 1, 1), datetime(2261, 1, 1)).map(datetime.isoformat)),
    }
)


def frame_of_json(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The same rows as a table, made without the gateway's code."""
    columns = {}
    for name, kind in KINDS.items():
        values = [row[name] for row in rows]
        if kind == "datetime":
            values = [None if value is None else datetime.fromisoformat(value) for value in values]
        if kind == "number":
            values = [None if value is None else float(value) for value in values]
        columns[name] = pl.Series(name, values, dtype=DTYPES[kind])
    return pl.DataFrame(columns)


def table(n: int, seed: int = 0) -> pl.DataFrame:
    """Rows of every kind, nulls among them."""
    rng = np.random.default_rng(seed)
    begin = datetime(2026, 1, 1)
    frame = pl.DataFrame(
        {
            "amount": rng.lognormal(2, 1.5, n),
            "balance": rng.normal(0, 100, n),
            "hour": rng.integers(0, 24, n),
            "card": rng.choice(["visa", "master card", "é", ""], n),
            "country": rng.choice([" nl ", "de", "fr"], n),
            "abroad": rng.random(n) < 0.3,
            "at": [begin + timedelta(minutes=int(minute)) for minute in rng.integers(0, 500_000, n)],
        }
    )
    return frame.with_columns([pl.when(pl.Series(rng.random(n) > 0.1)).then(pl.col(name)).alias(name) for name in frame.columns])


def train(path: Path, *, task: str = "binary", seed: int = 0) -> ModelPackage:
    """Write a small real package whose features are made by every allowed function."""
    from catboost import CatBoost

    classes = {"binary": ("0", "1"), "multiclass": ("a", "b", "c"), "regression": (), "anomaly": ("0", "1")}[task]
    spec = FeatureSpec(task, "fraud", KINDS, tuple(name for name in KINDS if name != "at"), classes=classes, expressions=EXPRESSIONS)
    frame = table(600, seed)
    if task == "anomaly":
        from tests.autoencoders import linear_package  # writes its graph by onnx, which serving itself does not need

        return linear_package(path, spec, frame, latent=3, seed=seed)
    rng = np.random.default_rng(seed)
    amount = frame["amount"].fill_null(0).to_numpy()
    labels = {
        "binary": (amount + rng.normal(0, 3, 600) > 8).astype(float),
        "multiclass": np.digitize(amount, [5, 15]),
        "regression": amount,
    }[task]
    loss = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}[task]
    options = {"loss_function": loss, "iterations": 20, "depth": 4, "random_seed": seed, "thread_count": 1}
    model = CatBoost({**options, "allow_writing_files": False, "verbose": False}).fit(pool(spec.matrix(frame), labels))
    description = Description("catboost", spec, 0.5 if task == "binary" else None, {}, seed, "sha256:0")
    return write_package(path, description, CatBoostNative(model, task).write, frame)


def promote(settings: Settings, name: str, package: ModelPackage, version: str) -> None:
    """Make a package the champion of a deployment."""
    ledger = Ledger.open(settings)
    generation = ledger.deployment(name).generation
    ledger.promote(name, ModelRef(version, package.digest, str(package.path)), generation=generation, who="the test", why="better")


def json_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return rows of `table` as a client sends them."""
    return frame.with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S")).to_dicts()


def v2(rows: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return rows as a v2 request."""
    inputs = [
        {"name": name, "datatype": DATATYPES[kind], "shape": [len(rows)], "data": [row[name] for row in rows]}
        for name, kind in KINDS.items()
    ]
    return {"inputs": inputs, **more}


@dataclass
class RunningGateway:
    """``ratchet serve`` as a process."""

    process: subprocess.Popen[bytes]
    home: Path
    ready: Path
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.ready.read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    @property
    def port(self) -> int:
        return int(self.told["port"])

    def predict(self, row: dict[str, Any] | None = None, name: str = "fraud") -> httpx.Response:
        return self.client.post(f"/predict/{name}", json=row or GOOD)


def until(true: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = true()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s in vain")


@contextmanager
def running(home: Path, *arguments: str) -> Iterator[RunningGateway]:
    """Run ``ratchet serve`` on a free port while the block runs, and see it end well."""
    ready = home / "ready.json"
    command = [sys.executable, "-m", "ratchet.cli.main", "serve", "--port", "0", "--ready-file", str(ready), *arguments]
    environment = {**os.environ, "RATCHET_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, cwd=home)
    try:
        until(lambda: ready.exists() or process.poll() is not None)
        assert process.poll() is None, (home / "log").read_text()
        made = RunningGateway(process, home, ready)
        with made.client:
            yield made
    finally:
        process.terminate()
        process.wait(60)
        assert process.stdout is not None
        process.stdout.close()


class InProcess:
    """An application with its event loop in a thread, asked through ASGI without a socket."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.lifespan = app.router.router.lifespan_context(app.router)
        self._run(self.lifespan.__aenter__())

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def request(self, method: str, path: str, **how: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.request(method, path, **how)

        response = self._run(send())
        assert isinstance(response, httpx.Response)
        return response

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self.request("POST", path, **how)

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def close(self) -> None:
        self._run(self.lifespan.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@dataclass
class Office:
    """An application in process with the package that it serves as the deployment "fraud"."""

    package: ModelPackage
    settings: Settings
    app: Gateway
    asked: InProcess

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self.asked.post(path, **how)

    def get(self, path: str) -> httpx.Response:
        return self.asked.get(path)


@contextmanager
def office(home: Path, package: ModelPackage, **options: Any) -> Iterator[Office]:
    """Open an application in process on a ledger of its own."""
    settings = Settings(home=home)
    promote(settings, "fraud", package, "1")
    app = build_gateway(settings, GatewayOptions(**options))
    asked = InProcess(app)
    try:
        yield Office(package, settings, app, asked)
    finally:
        asked.close()


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ModelPackage]:
    """Return a package of a task; each is trained once."""
    folder, made = tmp_path_factory.mktemp("taught"), {}

    def of(task: str) -> ModelPackage:
        if task not in made:
            made[task] = train(folder / task, task=task)
        return made[task]

    return of


@pytest.fixture(scope="session")
def desktop(taught: Callable[[str], ModelPackage], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An application in process that serves a binary model; no test changes its ledger."""
    with office(tmp_path_factory.mktemp("desktop"), taught("binary"), rehearsal=True) as made:
        yield made


@pytest.fixture(scope="session")
def watch(taught: Callable[[str], ModelPackage], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An application in process that serves an autoencoder; no test changes its ledger."""
    with office(tmp_path_factory.mktemp("watch"), taught("anomaly"), rehearsal=True) as made:
        yield made


@pytest.fixture(scope="session")
def gateway(taught: Callable[[str], ModelPackage], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """``ratchet serve`` as a process, with an autoencoder "odd" beside "fraud"; no test changes its ledger or kills it."""
    home = tmp_path_factory.mktemp("gateway")
    promote(Settings(home=home), "fraud", taught("binary"), "1")
    promote(Settings(home=home), "odd", taught("anomaly"), "1")
    with running(home) as made:
        yield made
