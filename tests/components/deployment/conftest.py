"""A model package as train_boosting leaves it, and an installation for each test."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from kfp.dsl import Artifact, Dataset, Markdown, Model

from components.deployment.champion.component import champion
from components.deployment.promote.component import promote
from components.deployment.register.component import register
from ratchet.data.tables import write_dataset
from ratchet.delivery.ledger import Ledger
from ratchet.features.spec import FeatureSpec
from ratchet.models.boosting import CatBoostNative, pool
from ratchet.models.package import Description, write_package
from ratchet.settings import Settings

MODEL = "fraud"


@dataclass
class Runs:
    """Steps of runs, called as the launcher calls them: with artifacts that have a path, and a settings file."""

    folder: Path
    package: Path
    settings: str

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(Settings(home=self.folder / "home"))

    def output(self, kind: type, name: str) -> Any:
        path = self.folder / "outputs" / name
        path.parent.mkdir(exist_ok=True)
        return kind(name=name, uri=str(path))

    def champion(self, run_id: str) -> Any:
        self.found = {
            "package": self.output(Model, f"{run_id}-package"),
            "reference": self.output(Dataset, f"{run_id}-reference"),
            "schema": self.output(Artifact, f"{run_id}-schema"),
        }
        return champion.python_func(**self.found, model=MODEL, run_id=run_id, settings=self.settings)

    def register(self, run_id: str, generation: float) -> Any:
        return register.python_func(
            challenger=Model(uri=str(self.package)),
            reference=Dataset(uri=str(self.folder / "train")),
            schema=Artifact(uri=str(self.folder / "schema.yaml")),
            model=MODEL,
            run_id=run_id,
            generation=generation,
            primary_metric=0.875,
            settings=self.settings,
        )

    def promote(self, run_id: str, version: str, generation: float) -> Any:
        self.summary = self.output(Markdown, f"{run_id}-promote")
        arguments = {"model": MODEL, "version": version, "generation": generation, "run_id": run_id, "why": "lower loss"}
        return promote.python_func(summary=self.summary, settings=self.settings, **arguments)

    def promoted(self, run_id: str) -> str:
        """Do all steps up to the promotion and return the version."""
        _, _, generation, _ = self.champion(run_id)
        (version,) = self.register(run_id, generation)
        assert self.promote(run_id, version, generation)[1] == "promoted"
        return version

    def damage(self, version: str) -> None:
        """Cut one byte off a stored model."""
        rows = self.ledger.history(MODEL)
        uri = next(row.after.champion.uri for row in rows if row.after.champion and row.after.champion.version == version)
        model = Path(uri) / "model.cbm"
        model.write_bytes(model.read_bytes()[:-1])

    def read(self, artifact: Any) -> str:
        return Path(artifact.path).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def small_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from catboost import CatBoost

    table = pl.DataFrame({"amount": np.arange(200.0) % 37, "hour": np.arange(200) % 24})
    spec = FeatureSpec("binary", "fraud", {"amount": "number", "hour": "integer"}, ("amount", "hour"), classes=("0", "1"))
    options = {"loss_function": "Logloss", "iterations": 5, "thread_count": 1, "allow_writing_files": False, "verbose": False}
    model = CatBoost(options).fit(pool(spec.matrix(table), (table["amount"] > 20).to_numpy().astype(int)))
    path = tmp_path_factory.mktemp("trained") / "model"
    write_package(path, Description("catboost", spec, 0.5, {"iterations": 5}, 0, "rows:0"), CatBoostNative(model, "binary").write, table)
    return path


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Copy an MLflow store whose tables are there already; to make them takes seconds."""
    from shutil import copyfile

    from ratchet.delivery.mlflow_store import open_client

    template = tmp_path_factory.mktemp("template")
    with open_client(Settings(home=template)):
        pass

    def copy(home: Path) -> None:
        home.mkdir()
        copyfile(template / "mlflow.db", home / "mlflow.db")

    return copy


@pytest.fixture
def runs(tmp_path: Path, small_package: Path, installation: Callable[[Path], None]) -> Runs:
    installation(tmp_path / "home")
    (tmp_path / "settings.yaml").write_text(f"home: {tmp_path / 'home'}\n", encoding="utf-8")
    write_dataset(pl.DataFrame({"amount": [1.0, 2.0], "hour": [1, 2]}), tmp_path / "train", source="cards.csv")
    (tmp_path / "schema.yaml").write_text("columns: {amount: {type: number}}\n", encoding="utf-8")
    return Runs(tmp_path, small_package, str(tmp_path / "settings.yaml"))
