"""The plain script makes the pipeline's model: the same rows, the same features, the same trees."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ratchet.features.windows import compute_windows, parse_windows
from ratchet.submit.configuration import Configuration
from scripts.bench_plain import card_features, elec2, fraud_handbook, terminal_features

CONFIGS = Path(__file__).resolve().parents[2] / "pipelines" / "delivery" / "configs"


@pytest.mark.realdata
def test_its_rolling_features_are_the_windows_of_the_configuration(real_data):
    rows = pd.read_parquet(real_data("fraud_handbook/transactions.parquet"))
    rows = rows[(rows["CUSTOMER_ID"] < 60) | (rows["TERMINAL_ID"] < 40)].sort_values("TX_DATETIME", kind="stable").reset_index(drop=True)
    declared = parse_windows(Configuration.read(CONFIGS / "fraud_handbook.yaml").parameters["windows"])
    frame = pl.from_pandas(rows[["TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"]])
    right = compute_windows(frame, declared, "TX_DATETIME")
    made = {feature.name: feature for feature in (*card_features(rows), *terminal_features(rows))}
    assert set(made) == set(right.columns)
    for name in right.columns:
        mine = made[name].to_numpy()
        np.testing.assert_allclose(mine, right[name].cast(pl.Float64).to_numpy(), atol=1e-9, err_msg=name)


@pytest.mark.realdata
def test_elec2_is_split_as_the_pipeline_splits_it(real_data):
    train, validation, holdout, target = elec2(real_data("elec2/electricity-normalized.csv"))
    assert (len(train), len(validation), len(holdout), target) == (28_944, 7_248, 9_120, "class")
    assert list(train) == ["period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer", "class"]


def test_fraud_is_split_so_that_labels_are_a_week_old_and_known_cards_are_out(tmp_path):
    days = pd.date_range("2018-04-01", "2018-08-20", freq="6h")
    rows = pd.DataFrame({"TX_DATETIME": days, "CUSTOMER_ID": np.arange(len(days)) % 4, "TERMINAL_ID": np.arange(len(days)) % 3})
    rows = rows.assign(TX_AMOUNT=1.0, TX_FRAUD=((rows["CUSTOMER_ID"] == 2) & (days < "2018-05-01")).astype(int))
    rows.to_parquet(tmp_path / "rows.parquet")
    train, validation, holdout, target = fraud_handbook(tmp_path / "rows.parquet")
    assert (len(train) + len(validation), target) == (4 * 120, "TX_FRAUD")
    assert len(holdout) == 3 * 7, "the card whose fraud is known is out"
