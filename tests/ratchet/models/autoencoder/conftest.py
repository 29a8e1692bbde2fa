"""A small training that several tests look at: readings of a machine, of which some days are faulty, with gaps and with a text column."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.features.spec import FeatureSpec

if TYPE_CHECKING:
    from ratchet.models.autoencoder.result import AutoencoderResult

NUMBERS = tuple(f"reading_{place}" for place in range(8))


def readings(rows: int, seed: int = 0) -> pl.DataFrame:
    """Return readings that two hidden causes explain; one row in twenty is faulty: its readings do not go together."""
    rng = np.random.default_rng(seed)
    values = np.tanh(rng.normal(size=(rows, 2)) @ np.random.default_rng(0).normal(size=(2, len(NUMBERS))))
    faulty = np.arange(rows) % 20 == 7
    values[faulty] = rng.permuted(values, axis=0)[faulty] * 1.5
    values += 0.1 * rng.normal(size=values.shape)
    table = pl.DataFrame(dict(zip(NUMBERS, values.T, strict=True)))
    gaps = pl.when(pl.Series(rng.random(rows) > 0.1)).then(pl.col(NUMBERS[0]))
    mode = pl.when(pl.col(NUMBERS[1]) > 0).then(pl.lit("heating")).otherwise(pl.lit("cooling"))
    return table.with_columns(gaps.alias(NUMBERS[0]), mode=mode, state=pl.Series(np.where(faulty, "faulty", "ok")))


@dataclass(frozen=True)
class Site:
    """A folder with splits and a specification.

    Attributes:
        folder: Holds "train", "validation" and "specification.json".
    """

    folder: Path

    def train(self, package: Path, **how: Any) -> "AutoencoderResult":
        """Train; parameters left out are few and quick."""
        from ratchet.models.autoencoder.parameters import AutoencoderParameters
        from ratchet.models.autoencoder.training import train_autoencoder

        given = AutoencoderParameters(**{"epochs": 12, "hidden": (16,), "latent_size": 2, "learning_rate": 0.01, **how})
        paths = [self.folder / name for name in ("train", "validation", "specification.json")]
        return train_autoencoder(*paths, package, parameters=given)


def site(folder: Path, table: pl.DataFrame, *, target: str = "state", task: str = "anomaly") -> Site:
    """Write a table as splits: the last quarter validates."""
    cut = table.height * 3 // 4
    write_dataset(table[:cut], folder / "train", source="test")
    write_dataset(table[cut:], folder / "validation", source="test")
    plain = tuple(name for name in table.columns if name != "state")
    kinds = {name: "string" if table[name].dtype == pl.String else "number" for name in plain}
    classes = ("ok", "faulty") if target else ("normal", "anomaly")
    FeatureSpec(task, target, kinds, plain, classes).write(folder / "specification.json")
    return Site(folder)


@pytest.fixture(autouse=True)
def threads(request: pytest.FixtureRequest) -> None:
    """Load TensorFlow as a training does, before a test's own use of Keras: its number of threads is set once for a whole process."""
    if request.node.get_closest_marker("slow"):
        from ratchet.models.autoencoder.tensorflow import load_tensorflow

        load_tensorflow(2)


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the splits."""
    return site(tmp_path_factory.mktemp("machine"), readings(2400))


@pytest.fixture(scope="session")
def encoder(machine: Site, tmp_path_factory: pytest.TempPathFactory) -> "AutoencoderResult":
    """Return a training whose package no test may change."""
    return machine.train(tmp_path_factory.mktemp("encoders") / "model", noise=0.1, masking=0.1)


@pytest.fixture(scope="session")
def new_site(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Site]:
    """Return a writer of splits of another table."""
    return lambda table, **how: site(tmp_path_factory.mktemp("site"), table, **how)
