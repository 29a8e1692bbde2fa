"""A small model of simulated card transactions, one of what is usual, and KFP's own artifacts to hand to a component."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ratchet.data.absent import write_absent
from ratchet.data.cards import simulate_cards
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.features.build import build_features
from ratchet.features.split_plan import SplitPlan
from ratchet.models.training import BoostingParameters, train_boosting
from tests.autoencoders import linear_package


@pytest.fixture(scope="session")
def january(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `data`, `train`, `validation`, `holdout`, `model`, and the mark `nobody`."""
    folder = tmp_path_factory.mktemp("january")
    write_dataset(simulate_cards(1, seed=1, customers=300), folder / "data", source="test")
    build_features(
        folder / "data",
        champion_path=None,
        train_path=folder / "train",
        validation_path=folder / "validation",
        holdout_path=folder / "holdout",
        table_path=folder / "table",
        specification_path=folder / "specification.json",
        target="fraud",
        drop_columns=("customer_id", "terminal_id"),
        plan=SplitPlan(time="time", key=("transaction_id",)),
    )
    how = BoostingParameters(iterations=40)
    train_boosting(folder / "train", folder / "validation", folder / "specification.json", folder / "model", parameters=how)
    write_absent(folder / "nobody", "no champion yet")
    return folder


@pytest.fixture
def outputs(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that makes output artifacts by name and type, as KFP does: the folder is there, the path is not."""

    def make(**kinds: Any) -> dict[str, Any]:
        return {name: kind(name=name, uri=str(tmp_path / name)) for name, kind in kinds.items()}

    return make


@pytest.fixture(scope="session")
def meters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `train`, `holdout`, `table` of readings that nobody labels, an autoencoder `model`, and the mark `nobody`."""
    folder = tmp_path_factory.mktemp("meters")
    rng = np.random.default_rng(0)
    level = rng.normal(size=4_000)
    rows = pl.DataFrame({f"meter_{i}": (i + 1) * level + 0.3 * rng.normal(size=4_000) for i in range(5)})
    write_dataset(rows.with_columns(hour=pl.Series(range(4_000))), folder / "data", source="test")
    places = {f"{name}_path": folder / name for name in ("train", "validation", "holdout", "table")}
    made = build_features(
        folder / "data",
        champion_path=None,
        **places,
        specification_path=folder / "specification.json",
        task="anomaly",
        plan=SplitPlan(time="hour"),
    )
    linear_package(folder / "model", made.spec, read_dataset(folder / "train"), latent=1)
    write_absent(folder / "nobody", "no champion yet")
    return folder
