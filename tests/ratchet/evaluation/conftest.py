"""Real models on real data, trained once for the tests of this folder."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.features.build import build_features
from ratchet.models.training import BoostingParameters, train_boosting


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Path]]:
    """Return a function that trains on a table and returns the paths of the package and of the holdout."""

    def train(frame: pl.DataFrame, target: str, *, drop: tuple[str, ...] = (), **how: object) -> tuple[Path, Path]:
        folder = tmp_path_factory.mktemp(target.replace("/", "_"))
        write_dataset(frame, folder / "data", source="test")
        paths = {name: folder / name for name in ("train", "validation", "holdout", "table")}
        build_features(
            folder / "data",
            champion_path=None,
            train_path=paths["train"],
            validation_path=paths["validation"],
            holdout_path=paths["holdout"],
            table_path=paths["table"],
            specification_path=folder / "specification.json",
            target=target,
            drop_columns=drop,
        )
        parameters = BoostingParameters(**({"iterations": 60} | how))  # type: ignore[arg-type]
        package = folder / "package"
        train_boosting(paths["train"], paths["validation"], folder / "specification.json", package, parameters=parameters)
        return package, paths["holdout"]

    return train


@pytest.fixture(scope="session")
def adults(real_data: Callable[[str], Path]) -> pl.DataFrame:
    return pl.read_parquet(real_data("adult/adults.parquet")).sample(12_000, seed=0)


@pytest.fixture(scope="session")
def adult(trained: Callable[..., tuple[Path, Path]], adults: pl.DataFrame) -> tuple[Path, Path]:
    """Package and holdout of a useful model of who earns more than 50,000."""
    return trained(adults, "class")


@pytest.fixture(scope="session")
def weak_adult(trained: Callable[..., tuple[Path, Path]], adults: pl.DataFrame) -> Path:
    """Package of a model that knows age and sex only."""
    known = ("age", "sex", "class")
    return trained(adults, "class", drop=tuple(name for name in adults.columns if name not in known), iterations=20)[0]
