"""A month of card transactions, and what was learnt of it: trees, and the linear autoencoder."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from ratchet.data.cards import simulate_cards
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.features.build import build_features
from ratchet.features.spec import FeatureSpec
from ratchet.features.split_plan import SplitPlan
from ratchet.models.training import BoostingParameters, train_boosting
from tests.autoencoders import linear_package


@pytest.fixture(scope="session")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `data`, `rows` (the same in several parts), `table`, and the packages `boosting` and `autoencoder`."""
    folder = tmp_path_factory.mktemp("cards")
    month = simulate_cards(1, seed=1, customers=300)
    write_dataset(month, folder / "data", source="test")
    places = {f"{name}_path": folder / name for name in ("train", "validation", "holdout", "table", "specification")}
    plan = SplitPlan(time="time", key=("transaction_id",))
    made = {"log_amount": "ln(1 + amount)", "hour": "extract(hour from time)", "weekday": "extract(dow from time)"}
    build_features(
        folder / "data",
        champion_path=None,
        target="fraud",
        expressions=made,
        drop_columns=("customer_id", "terminal_id"),
        plan=plan,
        **places,
    )
    train_boosting(
        *(folder / name for name in ("train", "validation", "specification", "boosting")), parameters=BoostingParameters(iterations=40)
    )
    spec = FeatureSpec.read(folder / "specification")
    linear_package(folder / "autoencoder", replace(spec.as_anomaly(), target=""), read_dataset(folder / "train"))
    write_dataset(iter(read_dataset(folder / "table").iter_slices(1_000)), folder / "rows", source="test")
    return folder


@pytest.fixture(scope="session")
def rows(cards: Path) -> pl.DataFrame:
    """What is scored."""
    return read_dataset(cards / "rows")
