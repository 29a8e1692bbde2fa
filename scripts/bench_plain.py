"""The script that a data scientist would write in place of the pipeline: one process, pandas and CatBoost, no state, no checks.

What `bench_pipeline` holds the pipeline against. It was written before the pipeline was tuned and stays as it is: the same rows, splits,
features, trees and threads as ``pipelines/delivery/configs`` ask for, and nothing of what a pipeline is for (no schema, no quarantine, no
package, no comparison, no registry, no promotion, no verification).

    python -m scripts.bench_plain elec2 FILE.csv FOLDER
    python -m scripts.bench_plain fraud_handbook FILE.parquet FOLDER
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

TRAIN_FROM, TRAIN_UNTIL, HOLDOUT_FROM, HOLDOUT_UNTIL = map(pd.Timestamp, ("2018-04-03", "2018-08-01", "2018-08-08", "2018-08-15"))
DELAY = pd.Timedelta(days=7)


def elec2(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, str]:
    """Return train, validation and holdout rows of the electricity market, the latest fifth last, and the target."""
    rows = pd.read_csv(path).drop(columns="day")
    rows["class"] = (rows["class"] == "UP").astype(int)
    rows = rows.sort_values("date", kind="stable")
    cut = rows["date"].iloc[round(len(rows) * 0.8)]
    before = rows[rows["date"] < cut]
    turn = before["date"].iloc[round(len(before) * 0.8)]
    parts = before[before["date"] < turn], before[before["date"] >= turn], rows[rows["date"] >= cut]
    return *(part.drop(columns="date") for part in parts), "class"


def fraud_handbook(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, str]:
    """Return train, validation and holdout rows of the card payments with 15 rolling features, and the target."""
    rows = pd.read_parquet(path)
    rows = rows[rows["TX_DATETIME"] < HOLDOUT_UNTIL].sort_values("TX_DATETIME", kind="stable").reset_index(drop=True)
    made = [*card_features(rows), *terminal_features(rows)]
    hour, weekday = rows["TX_DATETIME"].dt.hour, rows["TX_DATETIME"].dt.weekday
    rows = rows.assign(night=(hour <= 6).astype(int), weekend=(weekday >= 5).astype(int), **{feature.name: feature for feature in made})
    when = rows["TX_DATETIME"]
    pool = rows[(when >= TRAIN_FROM) & (when < TRAIN_UNTIL)]
    turn = pool["TX_DATETIME"].iloc[round(len(pool) * 0.8)]
    holdout = rows[when >= HOLDOUT_FROM]
    frauds = rows[(when >= TRAIN_FROM) & (rows["TX_FRAUD"] == 1)]
    known = holdout["CUSTOMER_ID"].map(frauds.groupby("CUSTOMER_ID")["TX_DATETIME"].min()) + DELAY
    holdout = holdout[~(known < holdout["TX_DATETIME"].dt.normalize())]
    rolling = sorted((feature.name for feature in made), key=lambda name: int(name.split("_")[2].rstrip("d")))
    features = ["TX_AMOUNT", *rolling, "night", "weekend", "TX_FRAUD"]  # in the pipeline's order, on which a model depends
    parts = pool[pool["TX_DATETIME"] < turn], pool[pool["TX_DATETIME"] >= turn], holdout
    return *(part[features] for part in parts), "TX_FRAUD"


def card_features(rows: pd.DataFrame) -> list[pd.Series]:
    """Return number, mean and maximum of the card's amounts over the last 1, 7 and 30 days, the payment itself left out."""
    made = []
    for days in (1, 7, 30):
        of_card = rows.set_index("TX_DATETIME").groupby("CUSTOMER_ID", sort=False)["TX_AMOUNT"].rolling(f"{days}D", closed="left")
        places = np.concatenate(list(rows.groupby("CUSTOMER_ID", sort=False).indices.values()))
        for name, values in (("count", of_card.count().fillna(0)), ("mean", of_card.mean()), ("max", of_card.max())):
            made.append(pd.Series(values.to_numpy(), index=rows.index[places], name=f"card_{name}_{days}d").sort_index())
    return made


def terminal_features(rows: pd.DataFrame) -> list[pd.Series]:
    """Return number of payments and share of frauds at the terminal over 1, 7 and 30 days that ended a week ago (labels come that late)."""
    by_terminal = rows.set_index("TX_DATETIME").groupby("TERMINAL_ID", sort=False)["TX_FRAUD"]
    places = np.concatenate(list(rows.groupby("TERMINAL_ID", sort=False).indices.values()))
    late = by_terminal.rolling("7D", closed="left")
    late_count, late_frauds = late.count().fillna(0).to_numpy(), late.sum().fillna(0).to_numpy()
    made = []
    for days in (1, 7, 30):
        whole = by_terminal.rolling(f"{days + 7}D", closed="left")
        count = whole.count().fillna(0).to_numpy() - late_count
        frauds = whole.sum().fillna(0).to_numpy() - late_frauds
        with np.errstate(invalid="ignore"):
            risk = np.where(count > 0, frauds / count, np.nan)
        for name, values in (("count", count), ("risk", risk)):
            made.append(pd.Series(values, index=rows.index[places], name=f"terminal_{name}_{days}d").sort_index())
    return made


def train_and_score(train: pd.DataFrame, validation: pd.DataFrame, holdout: pd.DataFrame, target: str, folder: Path) -> dict[str, float]:
    """Train as the pipeline does, save the model, return its figures on the holdout."""
    model = CatBoostClassifier(iterations=1000, random_seed=0, thread_count=2, allow_writing_files=False, verbose=False)
    sets = [(part.drop(columns=target), part[target]) for part in (train, validation)]
    model.fit(*sets[0], eval_set=sets[1], early_stopping_rounds=100, use_best_model=True)
    model.save_model(str(folder / "model.cbm"))
    truth, scores = holdout[target], model.predict_proba(holdout.drop(columns=target))[:, 1]
    return {
        "train": len(train),
        "validation": len(validation),
        "holdout": len(holdout),
        "trees": model.tree_count_,
        "roc_auc": float(roc_auc_score(truth, scores)),
        "average_precision": float(average_precision_score(truth, scores)),
        "log_loss": float(log_loss(truth, scores)),
    }


def main() -> None:
    """Train on the named data and print the figures as JSON."""
    name, source, folder = sys.argv[1:]
    *parts, target = {"elec2": elec2, "fraud_handbook": fraud_handbook}[name](Path(source))
    figures = train_and_score(*parts, target, Path(folder))
    (Path(folder) / "figures.json").write_text(json.dumps(figures))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
