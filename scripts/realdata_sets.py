"""The six data sets of ``make realdata``: how a file becomes a source, what is measured, what is published, and what is to be reached.

Each has its configuration in ``pipelines/delivery/configs``. Where a file lacks what the pipeline needs to know (the order of its rows, the
split of a benchmark), a copy with one more column is made in a scratch folder, and the reason stands beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from scripts.realdata_run import Artifacts

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Reach:
    """A figure that must hold.

    Attributes:
        figure: Its name.
        bound: What it is held to: a number, or the name of another figure.
        most: The figure must not be above the bound; else not below it.
        digits: Decimals at which both are compared, as many as the bound is written with.
    """

    figure: str
    bound: float | str
    most: bool = False
    digits: int = 3

    def holds(self, figures: Figures) -> bool:
        """Return whether it does; a figure that was not measured holds nothing.

        >>> Reach("roc_auc", 0.89).holds({"roc_auc": 0.8896}), Reach("log_loss", 0.1405, most=True, digits=4).holds({"log_loss": 0.1406})
        (True, False)
        """
        bound = self.bound if isinstance(self.bound, float) else figures.get(self.bound, float("nan"))
        found, held = (round(value, self.digits) for value in (figures.get(self.figure, float("nan")), bound))
        return found <= held if self.most else found >= held

    @property
    def told(self) -> str:
        """The reach in words."""
        bound = f"{self.bound:.{self.digits}f}" if isinstance(self.bound, float) else self.bound
        return f"{self.figure} {'≤' if self.most else '≥'} {bound}"


@dataclass(frozen=True)
class DataSet:
    """One data set.

    Attributes:
        name: Its folder beside the checkout, and its configuration.
        file: In that folder.
        shown: The figures that are printed, in order.
        published: Rows to print beside ours: who, the figures by name, where they are published.
        reaches: What must hold.
        outcome: The word that the run must come to.
        prepare: Makes the source from the file, in a scratch folder.
        measure: Further figures, from what the run has written.
    """

    name: str
    file: str
    shown: tuple[str, ...]
    published: tuple[tuple[str, Figures, str], ...]
    reaches: tuple[Reach, ...] = ()
    outcome: str = "promoted"
    prepare: Callable[[Path, Path], Path] = lambda file, scratch: file
    measure: Callable[[Artifacts, Path], dict[str, float]] = lambda run, file: {}


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


def blocked_cards(run: Artifacts, file: Path) -> dict[str, float]:
    """Return the handbook's card precision@100.

    A day's cards are ranked by the highest score of their payments that day; of the first 100, the share that has a fraud that day is
    the day's precision. A card found so is blocked: its payments of later days count no more. The mean over the days is returned.

    Source:
        Le Borgne et al., "Reproducible Machine Learning for Credit Card Fraud Detection", chapter 4.4.
    """
    holdout = run.holdout
    scored = holdout.select("CUSTOMER_ID", "TX_FRAUD", day=pl.col("TX_DATETIME").dt.date()).with_columns(score=pl.Series(run.predictions))
    found: list[int] = []
    shares = []
    for day in scored["day"].unique().sort():
        of_day = scored.filter((pl.col("day") == day) & ~pl.col("CUSTOMER_ID").is_in(found))
        cards = of_day.group_by("CUSTOMER_ID").agg(pl.col("score").max(), pl.col("TX_FRAUD").max())
        first = cards.sort("score", "CUSTOMER_ID", descending=[True, False]).head(100).filter(pl.col("TX_FRAUD") == 1)
        found += first["CUSTOMER_ID"].to_list()
        shares.append(first.height / 100)
    return {"card_precision_100": float(np.mean(shares))}


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
HANDBOOK = "Fraud Detection Handbook, chapters 3 and 7"
RIVER = "river, docs/benchmarks; prequential: tested, then trained, row by row"


def _fraud(auc: float, precision: float, cards: float) -> dict[str, float]:
    return {"roc_auc": auc, "average_precision": precision, "card_precision_100": cards}


DATA_SETS = (
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
        (
            ("logistic regression", _fraud(0.871, 0.606, 0.291), HANDBOOK),
            ("random forest", _fraud(0.867, 0.658, 0.287), HANDBOOK),
            ("XGBoost", _fraud(0.862, 0.639, 0.273), HANDBOOK),
            ("autoencoder alone", _fraud(0.836, 0.180, 0.217), HANDBOOK),
        ),
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
