"""The data sets of ``make realdata``: how a file becomes a source, what is measured, what is published, and what is to be reached.

Those here go through ``delivery``; `realdata_autoencoders` has the others. Each has its configuration among its pipeline's. Where a file
lacks what the pipeline needs to know (the order of its rows, the split of a benchmark), a copy with one more column is made in a scratch
folder, and the reason stands beside it.
"""

from pathlib import Path

import numpy as np
import polars as pl

from scripts.realdata_autoencoders import AUTOENCODERS
from scripts.realdata_fraud import AUTOENCODER, SUPERVISED, blocked_cards
from scripts.realdata_run import Artifacts
from scripts.realdata_set import DataSet, Reach


def numbered(file: Path, scratch: Path) -> Path:
    """Write the bank's calls with the number of their row, because the file is in order of time and has no column that says so."""
    rows = pl.read_csv(file, separator=";", infer_schema_length=None).with_row_index("row")
    rows.write_csv(target := scratch / file.name)
    return target


def with_split(file: Path, scratch: Path) -> Path:
    """Write the access requests with the split of CatBoost's benchmark, which is given as two files of row numbers."""
    rows = pl.read_csv(file)
    split = np.full(rows.height, "", dtype="U9")
    for word, name in (("train", "stratified_train_idx.txt"), ("holdout", "stratified_test_idx.txt")):
        split[np.loadtxt(file.with_name(name), dtype=np.int64)] = word
    rows.with_columns(split=pl.Series(split.tolist())).write_csv(target := scratch / file.name)
    return target


def last_class(run: Artifacts, file: Path) -> dict[str, float]:
    """Return the accuracy of saying what the row before was, on the same holdout."""
    price = run.holdout["class"]
    return {"last_class": float((price[1:] == price[:-1]).mean())}


def last_year(run: Artifacts, file: Path) -> dict[str, float]:
    """Return R² of answering with the mean of the same month last year, and of the same month and hour, on the same holdout."""
    rows = pl.read_csv(file, try_parse_dates=True)
    before = rows.filter(pl.col("yr") == 0)
    holdout = run.holdout
    truth = holdout["cnt"].to_numpy()
    found = {}
    for name, by in (("r2_same_month", ["mnth"]), ("r2_same_month_and_hour", ["mnth", "hr"])):
        means = holdout.join(before.group_by(by).agg(pl.col("cnt").mean().alias("mean")), on=by, how="left", maintain_order="left")["mean"]
        found[name] = 1 - float(((truth - means.to_numpy()) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())
    return found


def by_group(run: Artifacts, file: Path) -> dict[str, float]:
    """Return AUC by sex and by race, where a group has 100 rows."""
    from ratchet.evaluation.ranking import roc_auc

    truth = (run.holdout["class"] == ">50K").to_numpy().astype(np.int64)
    found = {}
    for column in ("sex", "race"):
        for (group,), rows in sorted(run.holdout.select(column).with_row_index("place").group_by(column)):
            places = rows["place"].to_numpy()
            if len(places) >= 100:
                found[f"roc_auc, {column} = {group} ({len(places):,} rows)"] = roc_auc(truth[places], run.predictions[places])
    return found


HERE = "measured beside the data with CatBoost's defaults, seed 0"
BENCHMARK = "catboost/benchmarks, quality_benchmarks"
RIVER = "river, docs/benchmarks; prequential: tested, then trained, row by row"


SETS = (
    DataSet(
        "elec2",
        "electricity-normalized.csv",
        ("accuracy", "last_class", "roc_auc", "log_loss"),
        (
            ("last class seen", {"accuracy": 0.853}, RIVER),
            ("leveraging bagging", {"accuracy": 0.893}, RIVER),
            ("adaptive random forest", {"accuracy": 0.877}, RIVER),
            ("ALMA", {"accuracy": 0.906}, RIVER),
            ("naive Bayes", {"accuracy": 0.729}, RIVER),
            ("frozen after 16 weeks", {"accuracy": 0.710}, HERE),
        ),
        measure=last_class,
    ),
    DataSet(
        "bank_marketing",
        "bank-additional-full.csv",
        ("roc_auc", "average_precision", "log_loss"),
        (("by time, without duration", {"roc_auc": 0.702}, HERE), ("random split, without duration", {"roc_auc": 0.814}, HERE)),
        (Reach("roc_auc", 0.70),),
        outcome="rejected",  # three times as many say yes as in training: it ranks them, and is further off than the best constant answer
        prepare=numbered,
    ),
    DataSet(
        "fraud_handbook",
        "transactions.parquet",
        ("roc_auc", "average_precision", "card_precision_100", "log_loss"),
        (*SUPERVISED, AUTOENCODER),
        (Reach("roc_auc", 0.890), Reach("average_precision", 0.667), Reach("card_precision_100", 0.300)),
        measure=blocked_cards,
    ),
    DataSet(
        "amazon_access",
        "train.csv",
        ("log_loss", "roc_auc"),
        (
            ("CatBoost, default", {"log_loss": 0.13811}, BENCHMARK),
            ("CatBoost, tuned", {"log_loss": 0.13772}, BENCHMARK),
            ("XGBoost, tuned", {"log_loss": 0.16327}, BENCHMARK),
            ("LightGBM, tuned", {"log_loss": 0.16360}, BENCHMARK),
        ),
        (Reach("log_loss", 0.1405, most=True, digits=4),),
        prepare=with_split,
    ),
    DataSet(
        "adult",
        "adults.parquet",
        ("roc_auc", "log_loss", "accuracy"),
        (
            ("CatBoost, tuned (a split that is not published)", {"log_loss": 0.26974}, BENCHMARK),
            ("XGBoost, tuned (likewise)", {"log_loss": 0.27542}, BENCHMARK),
            ("LightGBM, tuned (likewise)", {"log_loss": 0.27602}, BENCHMARK),
        ),
        (Reach("roc_auc", 0.928),),
        measure=by_group,
    ),
    DataSet(
        "bike_sharing",
        "hour.csv",
        ("r2", "rmse", "mae"),
        (),
        (Reach("r2", "r2_same_month"), Reach("r2", "r2_same_month_and_hour")),
        measure=last_year,
    ),
)

DATA_SETS = (*SETS, *AUTOENCODERS)
