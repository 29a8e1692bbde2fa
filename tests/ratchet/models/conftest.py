"""A small real training, shared: 4,000 half hours of the Sydney electricity market, with a text column beside the numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.features.build import build_features
from ratchet.features.split_plan import SplitPlan
from ratchet.models.training import BoostingParameters, TrainingResult, train_boosting


def electricity(path: Path, rows: int) -> pl.DataFrame:
    table = pl.read_csv(path, n_rows=rows, infer_schema_length=None)
    names = dict(enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], start=1))
    weekday = pl.col("day").replace_strict(names)
    return table.with_columns(weekday=weekday, at=pl.datetime(1996, 5, 7) + pl.duration(minutes=30) * pl.int_range(pl.len()))


@pytest.fixture(scope="session")
def trained(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., TrainingResult]:
    """Return a trainer; the tables are made once."""
    folder = tmp_path_factory.mktemp("elec2")
    write_dataset(electricity(real_data("elec2/electricity-normalized.csv"), 4000), folder / "data", source="elec2")
    build_features(
        folder / "data",
        champion_path=None,
        **{f"{name}_path": folder / name for name in ("train", "validation", "holdout", "table", "specification")},
        target="class",
        expressions={"demand_gap": "nswdemand - vicdemand", "evening": "period > 0.75"},
        drop_columns=["date", "day"],
        plan=SplitPlan(time="at"),
    )
    places = [folder / name for name in ("train", "validation", "specification")]

    def train(package: Path, key: bytes | None = None, **how: Any) -> TrainingResult:
        return train_boosting(*places, package, parameters=BoostingParameters(**{"iterations": 60, **how}), key=key)

    train.folder = folder  # type: ignore[attr-defined]
    return train


@pytest.fixture(scope="session")
def package(trained: Callable[..., TrainingResult], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a package that no test may change."""
    return trained(tmp_path_factory.mktemp("packages") / "model").package.path


@pytest.fixture(scope="session")
def holdout(trained: Callable[..., TrainingResult]) -> pl.DataFrame:
    """Return the rows that come after the training."""
    from ratchet.data.tables import read_dataset

    return read_dataset(trained.folder / "holdout")  # type: ignore[attr-defined]
