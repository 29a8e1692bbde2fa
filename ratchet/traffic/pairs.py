"""What the judge reads: both models' answers to the same request rows, and the label of each, as far as it could be known at a time.

A label comes late, and the order in which evidence becomes available is the order in which it may be looked at: sorting by the time of
the request would let a fast label jump the queue, and a judge that peeks would no longer be right. So each pair says when it became
available, which is never before its delay is over: else labels that come early because they are of one kind (a fraud is reported at
once, its absence is told by silence) would be judged first.
"""

import polars as pl

from ratchet.traffic.parts import collected
from ratchet.traffic.store import TrafficStore

PAIRED = ("request_id", "time", "unit", "champion", "challenger", "champion_error", "challenger_error", "served_role", "label", "available")
SERVED = ("request_id", "time", "unit", "role", "version", "prediction", "inputs", "label", "available")
CANARY = ("role", "request_id", "time", "unit", "served", "latency_ms", "error", "percent")


def paired(
    store: TrafficStore, deployment: str, *, rollout: int, as_of: float, label_delay: float, other: str = "challenger"
) -> pl.DataFrame:
    """Return one row for each request row that both models answered, until a time.

    Args:
        store: Where traffic is recorded.
        deployment: Its name.
        rollout: The generation at which the rollout began.
        as_of: Unix seconds; neither requests nor labels that came later are seen.
        label_delay: Seconds after the request before which its label does not count.
        other: Role of the model beside the champion: "challenger", or "previous" while a promotion is watched.

    Returns:
        request_id; time; unit; champion and challenger (lists of numbers; null where there was an error); champion_error and
        challenger_error; served_role ("" when neither was served); label (text, the first that was received; null when none counts
        yet); available (Unix seconds: when the label was received, at the earliest label_delay after the request; null without a
        label). Sorted by available, those without a label last, then by request_id. A request id that was used again counts once,
        at its first time.

    Raises:
        StoreError: a part of the store is damaged, by its name.
    """

    def build() -> pl.LazyFrame:
        seen = store.predictions(deployment, rollout=rollout).filter(pl.col("time") <= as_of)
        pairs = _of_role(seen, "champion", "champion").join(_of_role(seen, other, "challenger"), on=["request_id", "time"])
        served = pl.when("champion_served").then(pl.lit("champion")).when("challenger_served").then(pl.lit(other)).otherwise(pl.lit(""))
        labelled = _labelled(_first(pairs), store, deployment, as_of, label_delay)
        return labelled.with_columns(served.alias("served_role")).sort("available", "request_id", nulls_last=True).select(PAIRED)

    return collected(build)


def coverage(pairs: pl.DataFrame, *, as_of: float, label_delay: float) -> float:
    """Return the share of request rows that have a label, among those whose label is due.

    Args:
        pairs: From `paired`, or from `served`, with the same as_of and label_delay.
        as_of: Unix seconds.
        label_delay: Seconds after the request at which its label is due.

    Returns:
        0 to 1; 0 when none is due, because nothing is decided on missing data.

    >>> rows = pl.DataFrame({"time": [0.0, 5.0, 100.0], "label": ["1", None, None]})
    >>> coverage(rows, as_of=60, label_delay=50)
    0.5
    """
    due = pairs.filter(pl.col("time") + label_delay <= as_of)
    return due["label"].count() / due.height if due.height else 0.0


def served(store: TrafficStore, deployment: str, *, rollout: int | None, as_of: float, label_delay: float = 0.0) -> pl.DataFrame:
    """Return what clients got, one row for each request row, for business metrics.

    Args:
        store: Where traffic is recorded.
        deployment: Its name.
        rollout: The generation at which the rollout began; 0 for what was recorded outside one; None for all.
        as_of: Unix seconds; neither requests nor labels that came later are seen.
        label_delay: Seconds after the request before which its label does not count.

    Returns:
        request_id, time, unit, role, version, prediction (null on error), inputs (JSON text with sorted keys), label and available as in
        `paired`. Sorted by time, then request_id.

    Raises:
        StoreError: a part of the store is damaged, by its name.
    """

    def build() -> pl.LazyFrame:
        rows = store.predictions(deployment, rollout=rollout).filter(pl.col("served") & (pl.col("time") <= as_of))
        rows = rows.with_columns(_answer())
        return _labelled(_first(rows), store, deployment, as_of, label_delay).sort("time", "request_id").select(SERVED)

    return collected(build)


def canary(store: TrafficStore, deployment: str, *, rollout: int) -> pl.DataFrame:
    """Return every prediction of both models in the canary phase, for latency, errors and the sample ratio.

    Returns:
        role, request_id, time, unit, served, latency_ms, error and percent. Sorted by time, request_id and role.

    Raises:
        StoreError: a part of the store is damaged, by its name.
    """

    def build() -> pl.LazyFrame:
        rows = store.predictions(deployment, rollout=rollout).filter(pl.col("phase") == "canary")
        return rows.select(CANARY).sort("time", "request_id", "role", "served", "latency_ms")

    return collected(build)


def _answer() -> pl.Expr:
    return pl.when(pl.col("error") == "", pl.col("prediction").list.len() > 0).then("prediction").alias("prediction")


def _of_role(seen: pl.LazyFrame, role: str, name: str) -> pl.LazyFrame:
    rows = seen.filter(pl.col("role") == role)
    shared = ["unit"] if name == "champion" else []
    return rows.select(
        "request_id",
        "time",
        *shared,
        _answer().alias(name),
        pl.col("error").alias(f"{name}_error"),
        pl.col("served").alias(f"{name}_served"),
    )


def _first(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the first row of each request id."""
    order = [name for name in rows.collect_schema().names() if name not in ("time", "request_id")]
    return rows.sort("request_id", "time", *[pl.col(name).hash() for name in order]).unique("request_id", keep="first", maintain_order=True)


def _labelled(rows: pl.LazyFrame, store: TrafficStore, deployment: str, as_of: float, label_delay: float) -> pl.LazyFrame:
    available = pl.max_horizontal("received", pl.col("time") + label_delay)
    rows = rows.join(store.first_labels(deployment, as_of=as_of), on="request_id", how="left").with_columns(available=available)
    counts = pl.col("received").is_not_null() & (pl.col("available") <= as_of)
    return rows.with_columns(pl.when(counts).then(name).alias(name) for name in ("label", "available"))
