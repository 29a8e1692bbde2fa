"""The small real pipeline as plain functions: elec2 in, checked, split by time, trained on, measured.

What ZenML and Metaflow wrap in `bench_frameworks`: pandas, and CatBoost with the trees of `bench_plain`. Our own side of that comparison is
made of Ratchet's components instead.
"""

from typing import Any

import pandas as pd


def ingest(path: str) -> pd.DataFrame:
    """Return the rows of the file."""
    return pd.read_csv(path)


def validate(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows; refuse what nothing can be learnt from."""
    if rows.isna().any().any() or rows["class"].nunique() != 2 or len(rows) < 100:
        raise ValueError("rows are missing values, or there are too few of them, or there are not two classes")
    return rows


def split(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return train, validation and holdout rows, by time."""
    rows = rows.assign(**{"class": (rows["class"] == "UP").astype(int)}).drop(columns="day").sort_values("date", kind="stable")
    cut = rows["date"].iloc[round(len(rows) * 0.8)]
    before = rows[rows["date"] < cut]
    turn = before["date"].iloc[round(len(before) * 0.8)]
    parts = before[before["date"] < turn], before[before["date"] >= turn], rows[rows["date"] >= cut]
    train, validation, holdout = (part.drop(columns="date") for part in parts)
    return train, validation, holdout


def train(rows: pd.DataFrame, validation: pd.DataFrame) -> Any:
    """Return a CatBoost model."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(iterations=1000, random_seed=0, thread_count=2, allow_writing_files=False, verbose=False)
    sets = [(part.drop(columns="class"), part["class"]) for part in (rows, validation)]
    return model.fit(*sets[0], eval_set=sets[1], early_stopping_rounds=100, use_best_model=True)


def evaluate(model: Any, holdout: pd.DataFrame) -> float:
    """Return the AUC on the holdout."""
    from catboost.utils import eval_metric

    scores = model.predict_proba(holdout.drop(columns="class"))[:, 1]
    return float(eval_metric(holdout["class"].to_numpy(), scores, "AUC")[0])
