"""A ledger on both databases, and model references that need no package."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ratchet.data.digests import content_digest
from ratchet.data.tables import write_dataset
from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.delivery.mlflow_store import open_client
from ratchet.delivery.promotion import promote_in_run
from ratchet.delivery.registry import Lineage, register_model
from ratchet.features.spec import FeatureSpec
from ratchet.models.boosting import CatBoostNative, pool
from ratchet.models.package import Description, write_package
from ratchet.settings import Settings
from tests.autoencoders import linear_package

collect_ignore = ["contenders.py", "recorded.py", "victims.py"]  # programs that tests run; nothing to collect in them


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An installation of its own with an empty ledger, once on each database."""
    return Settings(home=tmp_path, ledger_url=request.getfixturevalue("postgresql").new_database() if request.param == "postgresql" else "")


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return Ledger.open(settings)


@pytest.fixture
def model() -> Callable[[int], ModelRef]:
    """Make references to models by number."""
    return lambda number: ModelRef(str(number), f"sha256:{number:064x}", f"/models/{number}/model")


@dataclass(frozen=True)
class World:
    """One embedded installation with MLflow, shared by the tests of a session; each test has a deployment of its own in it."""

    settings: Settings
    packages: tuple[Path, ...]
    reference: Path
    schema: Path

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.settings)

    def register(self, name: str, package: int, *, generation: int = 0, run_id: str = "a run") -> ModelRef:
        lineage = Lineage(name, generation, run_id, {"auc": 0.875, "lift": float("inf")}, {"ratchet.source": "the test"})
        return register_model(self.packages[package], self.reference, self.schema, lineage=lineage, settings=self.settings)

    def promote(self, name: str, package: int, run_id: str) -> ModelRef:
        """Register and promote, as a run that has read the present state."""
        generation = self.ledger.deployment(name).generation
        model = self.register(name, package, generation=generation, run_id=run_id)
        change = promote_in_run(name, model.version, generation=generation, run_id=run_id, why="better", ledger=self.ledger)
        assert change.word == "promoted"
        return model

    def aliases(self, name: str) -> dict[str, str]:
        with open_client(self.settings) as client:
            return {alias: str(version) for alias, version in client.get_registered_model(name).aliases.items()}

    def damage(self, model: ModelRef) -> None:
        """Flip one bit in the middle of a stored model."""
        path = next(path for path in (Path(model.uri) / "model.cbm", Path(model.uri) / "model.onnx") if path.is_file())
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(bytes(content))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    table = pl.DataFrame({"amount": np.arange(400.0) % 37, "hour": np.arange(400) % 24})
    write_dataset(table, folder / "reference", source="the test")
    (folder / "schema.yaml").write_text("columns: {amount: {type: number}}\n", encoding="utf-8")
    packages = tuple(small_package(folder / f"package-{number}", table, seed=number) for number in range(3))
    return World(Settings(home=folder / "home"), packages, folder / "reference", folder / "schema.yaml")


@pytest.fixture(scope="session", params=["labelled", "unlabelled"])
def anomalies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """An installation of autoencoders, once trained with labels, one row in ten an anomaly, and once where there are none."""
    folder = tmp_path_factory.mktemp(request.param)
    rng = np.random.default_rng(0)
    table = pl.DataFrame(rng.normal(size=(400, 3)) @ np.array([[1.0, 0.5, 0.2], [0.0, 1.0, 0.3], [0.0, 0.0, 0.1]]), schema=["a", "b", "c"])
    target, classes = ("defect", ("0", "1")) if request.param == "labelled" else ("", ("normal", "anomaly"))
    if target:
        table = table.with_columns(defect=(pl.int_range(pl.len()) % 10 == 0).cast(pl.Int64))
    write_dataset(table, folder / "reference", source="the test")
    (folder / "schema.yaml").write_text("columns: {a: {type: number}, b: {type: number}, c: {type: number}}\n", encoding="utf-8")
    spec = FeatureSpec("anomaly", target, dict.fromkeys("abc", "number"), ("a", "b", "c"), classes=classes)
    packages = tuple(linear_package(folder / f"package-{k}", spec, table, latent=k, threshold=float(k)).path for k in (1, 2))
    return World(Settings(home=folder / "home"), packages, folder / "reference", folder / "schema.yaml")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Name of a deployment that no other test uses."""
    return f"d{uuid.uuid4().hex[:12]}"


def small_package(path: Path, table: pl.DataFrame, seed: int) -> Path:
    """Train a model of a few trees on the table and write it as a real package."""
    from catboost import CatBoost

    labels = (table["amount"] + 3 * seed > table["hour"]).to_numpy().astype(int)
    spec = FeatureSpec("binary", "fraud", {"amount": "number", "hour": "integer"}, ("amount", "hour"), classes=("0", "1"))
    options = {
        "loss_function": "Logloss",
        "iterations": 8,
        "depth": 3,
        "random_seed": seed,
        "thread_count": 1,
        "allow_writing_files": False,
    }
    model = CatBoost({**options, "verbose": False}).fit(pool(spec.matrix(table), labels))
    description = Description("catboost", spec, 0.5, {"iterations": 8}, seed, content_digest(table))
    return write_package(path, description, CatBoostNative(model, "binary").write, table).path
