"""What the model makes of both tables, on simulated card transactions with windows."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ratchet.data.cards import simulate_cards
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.drift import compare_tables, predictions, sides
from ratchet.errors import SchemaError
from ratchet.features.build import build_features
from ratchet.features.spec import FeatureSpec
from ratchet.features.split_plan import SplitPlan
from ratchet.models.training import BoostingParameters, train_boosting
from tests.autoencoders import linear_package

pytestmark = pytest.mark.slow  # trained models

WINDOWS = [
    {"name": "spent_1d", "by": "customer_id", "aggregate": "sum", "column": "amount", "over": "1d"},
    {"name": "frauds_7d", "by": "terminal_id", "aggregate": "mean", "column": "fraud", "over": "7d", "delay": "3d"},
]


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of January, the rows that trained it, and January as it came."""
    folder = tmp_path_factory.mktemp("cards")
    write_dataset(simulate_cards(1, seed=3, customers=150), folder / "data", source="test")
    paths = {f"{name}_path": folder / name for name in ("train", "validation", "holdout", "table")}
    build_features(
        folder / "data",
        champion_path=None,
        **paths,
        specification_path=folder / "specification.json",
        target="fraud",
        windows=WINDOWS,
        drop_columns=("customer_id", "terminal_id"),
        plan=SplitPlan(time="time", key=("transaction_id",)),
    )
    train_boosting(
        folder / "train",
        folder / "validation",
        folder / "specification.json",
        folder / "model",
        parameters=BoostingParameters(iterations=20),
    )
    return folder


def against(cards: Path, current: pl.DataFrame, folder: Path) -> tuple[str, dict[str, bool], str]:
    write_dataset(current, folder / "current", source="test")
    result = compare_tables(cards / "train", folder / "current", model_path=cards / "model")
    return result.verdict, {column.name: column.drifted for column in result.columns}, result.reason


def test_the_models_windows_and_predictions_are_compared_though_the_current_table_has_no_windows(cards: Path, tmp_path: Path) -> None:
    verdict, columns, reason = against(cards, read_dataset(cards / "data"), tmp_path)
    assert {"amount", "channel", "spent_1d", "frauds_7d", "fraud", "prediction"} <= set(columns)
    assert "The prediction did not drift" in reason
    assert not columns["amount"]
    assert verdict in ("stable", "drifted")


def test_keys_times_and_entities_are_left_out_because_they_always_move(cards: Path, tmp_path: Path) -> None:
    columns = against(cards, read_dataset(cards / "data"), tmp_path)[1]
    assert not {"transaction_id", "time", "customer_id", "terminal_id"} & set(columns)


def test_amounts_in_cents_drift_by_name(cards: Path, tmp_path: Path) -> None:
    cents = read_dataset(cards / "data").with_columns(pl.col("amount") * 100)
    verdict, columns, _ = against(cards, cents, tmp_path)
    assert (verdict, columns["amount"], columns["spent_1d"]) == ("drifted", True, True)


def test_without_an_input_the_predictions_are_left_out_and_the_reason_names_it(cards: Path, tmp_path: Path) -> None:
    _, columns, reason = against(cards, read_dataset(cards / "data").drop("channel"), tmp_path)
    assert "prediction" not in columns
    assert "Predictions were not compared: the model needs channel" in reason


def test_tables_read_a_few_rows_at_a_time_give_the_same_windows_and_predictions(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset((part for part in read_dataset(cards / "data").iter_slices(400)), tmp_path / "parts", source="test")
    whole = compare_tables(cards / "train", cards / "data", model_path=cards / "model")
    monkeypatch.setattr(sides, "BATCH_ROWS", 97)
    monkeypatch.setattr(predictions, "BATCH_ROWS", 131)
    assert compare_tables(cards / "train", tmp_path / "parts", model_path=cards / "model").columns == whole.columns


def test_a_value_that_the_model_does_not_take_is_named_with_its_row_in_the_table(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "BATCH_ROWS", 100)
    table = read_dataset(cards / "data").with_row_index()
    infinite = table.with_columns(amount=pl.when(pl.col("index") == 205).then(float("inf")).otherwise(pl.col("amount"))).drop("index")
    with pytest.raises(SchemaError, match=r"current': column 'amount' is inf in row 5; .*counted from row 200"):
        against(cards, infinite, tmp_path)


def test_of_several_classes_the_shares_of_the_class_decided_on_are_compared(tmp_path: Path) -> None:
    rng = range(3_000)
    frame = pl.DataFrame({"x": [float(i % 97) for i in rng], "kind": [("low", "middle", "high")[i % 97 // 33] for i in rng]})
    write_dataset(frame, tmp_path / "data", source="test")
    paths = {f"{name}_path": tmp_path / name for name in ("train", "validation", "holdout", "table", "specification")}
    build_features(tmp_path / "data", champion_path=None, **paths, target="kind")
    train_boosting(*(paths[f"{name}_path"] for name in ("train", "validation", "specification")), tmp_path / "model")
    write_dataset(frame.filter(pl.col("kind") != "middle"), tmp_path / "current", source="test")
    result = compare_tables(tmp_path / "data", tmp_path / "current", model_path=tmp_path / "model")
    (column,) = (column for column in result.columns if column.role == "prediction")
    assert (column.kind, column.drifted) == ("category", True)
    assert column.moved.startswith("'middle': 33% → ")


@pytest.fixture(scope="module")
def sensors(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    """A folder with an autoencoder of five columns that move together, and the rows that it learnt from."""
    folder = tmp_path_factory.mktemp("sensors")
    rng = np.random.default_rng(0)
    level = rng.normal(size=12_000)
    rows = pl.DataFrame({f"s{i}": (i + 1) * level + rng.normal(size=12_000) for i in range(5)})
    spec = FeatureSpec("anomaly", "", dict.fromkeys(rows.columns, "number"), tuple(rows.columns), classes=("normal", "anomaly"))
    linear_package(folder / "model", spec, rows, latent=1)
    write_dataset(rows, folder / "reference", source="test")
    return folder, rows


def test_an_autoencoders_errors_and_alarms_are_compared(sensors: tuple[Path, pl.DataFrame], tmp_path: Path) -> None:
    folder, rows = sensors
    write_dataset(rows.reverse(), tmp_path / "same", source="test")
    same = compare_tables(folder / "reference", tmp_path / "same", model_path=folder / "model")
    assert same.verdict == "stable"
    assert "The reconstruction error did not drift (by 0.000" in same.reason
    assert "The alarm rate did not drift (by 0.000" in same.reason
    assert [column.name for column in same.columns if column.role == "prediction"] == ["alarm rate", "reconstruction error"]


def test_several_times_as_many_alarms_are_a_drift_though_little_of_all_rows(sensors: tuple[Path, pl.DataFrame], tmp_path: Path) -> None:
    folder, rows = sensors
    faulty = rows.with_row_index().with_columns(s0=pl.when(pl.col("index") % 14 == 0).then(-pl.col("s4")).otherwise(pl.col("s0")))
    write_dataset(faulty.drop("index"), tmp_path / "faulty", source="test")
    result = compare_tables(folder / "reference", tmp_path / "faulty", model_path=folder / "model")
    moved = {column.name: column for column in result.columns}
    assert (result.verdict, result.drifted_columns) == ("drifted", ())
    assert (moved["alarm rate"].drifted, moved["reconstruction error"].drifted) == (True, False)
    assert moved["alarm rate"].distance < 0.1
    assert "The alarm rate drifted (by 0.0" in result.reason
    assert "'alarm': 1% → 6%" in result.reason


def test_a_model_without_labels_is_no_reason_to_miss_a_target(sensors: tuple[Path, pl.DataFrame], tmp_path: Path) -> None:
    folder, rows = sensors
    write_dataset(rows.with_columns(pl.lit(0.0).alias("alarm rate")), tmp_path / "named", source="test")
    result = compare_tables(folder / "reference", tmp_path / "named", model_path=folder / "model")
    assert "model alarm rate" in {column.name for column in result.columns}, "a column of the data may be called so"
    assert not any(column.role == "target" for column in result.columns)
