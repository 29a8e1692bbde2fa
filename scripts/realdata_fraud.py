"""What is measured on the transactions of the Fraud Detection Handbook beside the usual figures, and what the handbook reports."""

import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl

from scripts.realdata_run import Artifacts

BOOK = "Fraud Detection Handbook, chapters 3 and 7"


def handbook(auc: float, precision: float, cards: float) -> dict[str, float]:
    """Return a row of the handbook's tables by the names of our figures."""
    return {"roc_auc": auc, "average_precision": precision, "card_precision_100": cards}


AUTOENCODER = ("autoencoder alone", handbook(0.836, 0.180, 0.217), BOOK)
SUPERVISED = (
    ("logistic regression", handbook(0.871, 0.606, 0.291), BOOK),
    ("random forest", handbook(0.867, 0.658, 0.287), BOOK),
    ("XGBoost", handbook(0.862, 0.639, 0.273), BOOK),
)


def blocked_cards(run: Artifacts, file: Path) -> dict[str, float]:
    """Return the handbook's card precision@100.

    A day's cards are ranked by the highest score of their payments that day; of the first 100, the share that has a fraud that day is
    the day's precision. A card found so is blocked: its payments of later days count no more. The mean over the days is returned.

    Source:
        Le Borgne et al., "Reproducible Machine Learning for Credit Card Fraud Detection", chapter 4.4.
    """
    return {"card_precision_100": card_precision(run.holdout, run.predictions)}


def card_precision(holdout: pl.DataFrame, scores: np.ndarray, first: int = 100) -> float:
    """Return the mean over the days of the share of the first cards that has a fraud, blocked cards left out.

    Args:
        holdout: n payments.
        scores: shape (n,), the higher the more suspicious.
        first: Cards that are looked at in a day.
    """
    scored = holdout.select("CUSTOMER_ID", "TX_FRAUD", day=pl.col("TX_DATETIME").dt.date()).with_columns(score=pl.Series(scores))
    found: list[int] = []
    shares = []
    for day in scored["day"].unique().sort():
        of_day = scored.filter((pl.col("day") == day) & ~pl.col("CUSTOMER_ID").is_in(found))
        cards = of_day.group_by("CUSTOMER_ID").agg(pl.col("score").max(), pl.col("TX_FRAUD").max())
        hits = cards.sort("score", "CUSTOMER_ID", descending=[True, False]).head(first).filter(pl.col("TX_FRAUD") == 1)
        found += hits["CUSTOMER_ID"].to_list()
        shares.append(hits.height / first)
    return float(np.mean(shares))


def beside_boosting_alone(run: Artifacts, file: Path) -> dict[str, float]:
    """Return card precision@100, and the figures of boosting trained from the same rows with the same parameters, without the encoder."""
    from ratchet.evaluation.ranking import average_precision, roc_auc
    from ratchet.models.training import BoostingParameters, train_boosting

    stacked = run.package
    known = {part.name for part in fields(BoostingParameters)}
    how = BoostingParameters(**{name: value for name, value in stacked.parameters.items() if name in known}, seed=stacked.seed)
    with tempfile.TemporaryDirectory(prefix="ratchet-realdata-alone-") as scratch:
        parts = (run.path("features", part) for part in ("train", "validation", "specification"))
        package = train_boosting(*parts, Path(scratch) / "package", parameters=how).package
        scores = package.predict(run.holdout)
    labels = package.spec.labels(run.holdout).astype(np.int64)
    alone = handbook(roc_auc(labels, scores), average_precision(labels, scores), card_precision(run.holdout, scores))
    return {**blocked_cards(run, file), **{f"{name}_alone": value for name, value in alone.items()}}
