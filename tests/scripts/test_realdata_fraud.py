"""The handbook's card precision, and boosting without an encoder beside boosting with one."""

import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.evaluation.ranking import average_precision, roc_auc
from ratchet.features.build import build_features
from ratchet.features.split_plan import SplitPlan
from ratchet.models.training import BoostingParameters, train_boosting
from scripts.realdata_fraud import beside_boosting_alone, blocked_cards, card_precision
from scripts.realdata_run import Artifacts
from tests.scripts.runs import Run


def payments(cards: list[int], days: list[str], frauds: list[int]) -> pl.DataFrame:
    return pl.DataFrame({"CUSTOMER_ID": cards, "TX_DATETIME": pl.Series(days).str.to_datetime(), "TX_FRAUD": frauds})


def test_a_card_that_was_found_is_not_found_again(tmp_path):
    rows = payments([1, 1], ["2018-08-08", "2018-08-09"], [1, 1])
    assert blocked_cards(Run(rows, [0.9, 0.9]), tmp_path) == {"card_precision_100": pytest.approx(0.005)}


def test_cards_are_ranked_by_their_most_suspicious_payment_of_the_day_and_only_the_first_are_looked_at():
    rows = payments([1, 1, 2, 3], ["2018-08-08"] * 4, [0, 1, 0, 1])
    assert card_precision(rows, np.array([0.1, 0.9, 0.8, 0.7]), first=2) == 0.5
    assert card_precision(rows, np.array([0.1, 0.2, 0.8, 0.7]), first=2) == 0.5
    assert card_precision(rows, np.array([0.1, 0.6, 0.8, 0.7]), first=3) == pytest.approx(2 / 3)


def test_boosting_alone_has_the_rows_and_the_parameters_of_the_run(tmp_path):
    rng = np.random.default_rng(0)
    amount = rng.gamma(2.0, 30.0, 1500)
    fraud = (rng.random(1500) < 1 / (1 + np.exp((90 - amount) / 10))).astype(int)
    days = [f"2018-08-{1 + at // 100:02d}" for at in range(1500)]
    rows = payments(list(range(1500)), days, fraud.tolist()).with_columns(amount=pl.Series(amount))
    folder = tmp_path / "stacked-delivery-1" / "features"
    folder.mkdir(parents=True)
    write_dataset(rows, tmp_path / "data", source="made", time_column="TX_DATETIME")
    build_features(
        tmp_path / "data",
        champion_path=None,
        **{f"{part}_path": folder / part for part in ("train", "validation", "holdout", "table", "specification")},
        target="TX_FRAUD",
        drop_columns=["CUSTOMER_ID"],
        plan=SplitPlan(time="TX_DATETIME"),
    )
    parts = [folder / part for part in ("train", "validation", "specification")]
    how = BoostingParameters(iterations=30, depth=2, members=2, seed=5)
    train_boosting(*parts, folder.with_name("train-stacked") / "model", parameters=how)
    run = Artifacts(tmp_path, "stacked_delivery")
    found = beside_boosting_alone(run, tmp_path)
    truth = run.holdout["TX_FRAUD"].to_numpy().astype(np.int64)
    assert found == {
        "card_precision_100": found["card_precision_100_alone"],
        "card_precision_100_alone": card_precision(run.holdout, run.predictions),
        "roc_auc_alone": roc_auc(truth, run.predictions),
        "average_precision_alone": average_precision(truth, run.predictions),
    }, "where there was no encoder, both are one model"
    assert 0.8 < found["roc_auc_alone"] < 1
