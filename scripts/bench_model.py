"""The work that every contender of ``make bench`` is given: a CatBoost model behind feature expressions, rows, and their requests.

A payment is invented, not taken from a data set, so that the bench needs no network and the same seed gives the same work everywhere. The
label follows the columns, so that the trees are real ones; how good the model is does not matter here.
"""

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from ratchet.data.digests import content_digest
from ratchet.data.kinds import DTYPES
from ratchet.features.spec import FeatureSpec
from ratchet.models.package import Description, ModelPackage, write_package

KINDS = {
    "amount": "number",
    "average": "number",
    "balance": "number",
    "distance": "number",
    "visits": "integer",
    "age": "integer",
    "abroad": "boolean",
    "paid_at": "datetime",
    "channel": "string",
    "country": "string",
}
PLAIN = tuple(name for name in KINDS if name != "paid_at")
EXPRESSIONS = {
    "log_amount": "ln(1 + amount)",
    "log_balance": "ln(1 + abs(balance))",
    "overdrawn": "balance < 0",
    "root_amount": "sqrt(amount)",
    "to_average": "amount / nullif(average, 0)",
    "to_balance": "amount / (1 + abs(balance))",
    "surprise": "abs(amount - average) / (1 + average)",
    "per_visit": "amount / (1 + visits)",
    "largest": "greatest(amount, average)",
    "far": "coalesce(distance, 0)",
    "place_unknown": "distance is null",
    "speed": "coalesce(distance, 0) / (1 + age)",
    "hour": "extract(hour from paid_at)",
    "weekday": "extract(dow from paid_at)",
    "night": "case when extract(hour from paid_at) < 6 then 1 else 0 end",
    "size": "case when amount < 10 then 0 when amount < 100 then 1 else 2 end",
    "spent_abroad": "case when abroad then amount else 0 end",
}
DATATYPES = {"number": "FP64", "integer": "INT64", "string": "BYTES", "boolean": "BOOL", "datetime": "BYTES"}
TREES, DEPTH = 300, 6


def payments(n: int, seed: int) -> pl.DataFrame:
    """Return n invented payments with the columns of ``KINDS``; some distances are missing."""
    rng = np.random.default_rng(seed)
    begin = datetime(2026, 1, 1)
    average = rng.lognormal(3, 1, n)
    made = pl.DataFrame(
        {
            "amount": average * rng.lognormal(0, 0.7, n),
            "average": average,
            "balance": rng.normal(300, 800, n),
            "distance": rng.exponential(30, n),
            "visits": rng.integers(0, 40, n),
            "age": rng.integers(18, 90, n),
            "abroad": rng.random(n) < 0.2,
            "paid_at": [begin + timedelta(seconds=int(second)) for second in rng.integers(0, 10_000_000, n)],
            "channel": rng.choice(["chip", "contactless", "online", "phone"], n),
            "country": rng.choice(["nl", "be", "de", "fr", "uk", "us", "pl", "es"], n),
        }
    )
    return made.with_columns(distance=pl.when(pl.Series(rng.random(n) > 0.1)).then("distance"))


def train(folder, seed: int, trees: int = TREES, rows: int = 20_000) -> ModelPackage:
    """Train a model and write it as a package that appears as ``folder``."""
    from catboost import CatBoost

    from ratchet.models.boosting import CatBoostNative, pool

    table = payments(rows, seed)
    spec = FeatureSpec("binary", "fraud", KINDS, PLAIN, classes=("0", "1"), expressions=EXPRESSIONS)
    risk = (
        table.select(pl.col("amount") / pl.col("average") + 2 * pl.col("abroad") + (pl.col("channel") == "online")).to_series().to_numpy()
    )
    labels = (risk + np.random.default_rng(seed).normal(0, 1, rows) > 3).astype(float)
    options = {"loss_function": "Logloss", "iterations": trees, "depth": DEPTH, "random_seed": seed, "allow_writing_files": False}
    model = CatBoost({**options, "verbose": False}).fit(pool(spec.matrix(table), labels))
    description = Description("catboost", spec, 0.5, {"iterations": trees, "depth": DEPTH}, seed, content_digest(table), ("distance",))
    return write_package(folder, description, CatBoostNative(model, "binary").write, table)


def rows_of(frame: pl.DataFrame) -> list[dict]:
    """Return rows as JSON can hold them: a time is an ISO text."""
    return frame.with_columns(pl.col("paid_at").dt.to_string("iso:strict")).to_dicts()


def inference_body(frame: pl.DataFrame) -> str:
    """Return rows as a request of the Open Inference Protocol v2, on one line."""
    rows = rows_of(frame)
    inputs = [
        {"name": name, "datatype": DATATYPES[kind], "shape": [len(rows)], "data": [row[name] for row in rows]}
        for name, kind in KINDS.items()
    ]
    return json.dumps({"inputs": inputs})


def split_body(frame: pl.DataFrame) -> str:
    """Return rows as MLflow's scoring server takes them ("dataframe_split"), on one line."""
    rows = rows_of(frame)
    return json.dumps({"dataframe_split": {"columns": list(KINDS), "data": [list(row.values()) for row in rows]}})


def table_of(columns: dict[str, list]) -> pl.DataFrame:
    """Return the columns of a v2 request as a table; nothing of them is checked but what polars refuses by itself.

    >>> table_of({"amount": [1.5, None]})["amount"].to_list()
    [1.5, None]
    """
    return pl.DataFrame([_series(name, data) for name, data in columns.items()])


def _series(name: str, data: list) -> pl.Series:
    kind = KINDS[name]
    values = [datetime.fromisoformat(value) for value in data] if kind == "datetime" else data
    return pl.Series(name, values, dtype=DTYPES[kind])
