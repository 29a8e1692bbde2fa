"""Business metrics of a rollout: a value per unit from what clients were answered and what came of it, as a user's SQL says.

The SQL is a scalar expression over the columns of one answered request, and passes the same gate as a feature's: it can reach nothing
but the row. What it gives is summed by unit (revenue per user, clicks per session), and a unit counts once it is complete.
"""

from collections.abc import Mapping

import numpy as np
import orjson
import polars as pl

from ratchet.delivery.judge.gates import Gate
from ratchet.delivery.judge.metric import judge_metric
from ratchet.delivery.policy import Metric, Policy
from ratchet.delivery.rollout import Rollout
from ratchet.errors import RatchetError
from ratchet.features.expressions import parse_expressions
from ratchet.traffic.pairs import served
from ratchet.traffic.store import TrafficStore


def judge_measures(store: TrafficStore, rollout: Rollout, as_of: float, share: Mapping[str, float]) -> list[Gate]:
    """Judge the policy's business metrics.

    Args:
        store: Recorded traffic.
        rollout: Whose metrics.
        as_of: Unix seconds.
        share: Alpha of an abort, by the metric's name.

    Returns:
        One gate a metric, in the policy's order. One whose expression fails waits, and says so.
    """
    policy = rollout.policy
    if not policy.metrics:
        return []
    rows = served(store, rollout.deployment.name, rollout=rollout.begun, as_of=as_of, label_delay=policy.label_delay)
    table = columns(rows.filter(pl.col("label").is_not_null()) if policy.needs_labels else rows)
    gates = []
    for metric in policy.metrics:
        try:
            arms = by_unit(table, metric, complete=policy.block + policy.label_delay, as_of=as_of)
            gates.append(_judge(metric, arms, policy, share[metric.name]))
        except (RatchetError, pl.exceptions.PolarsError) as error:
            gates.append(Gate(metric.name, "wait", f"it cannot be measured: {error}"))
    return gates


def columns(rows: pl.DataFrame) -> pl.DataFrame:
    """Return answered requests with a column for each input, and ``label`` and ``prediction`` as numbers where they are.

    Args:
        rows: From `ratchet.traffic.pairs.served`.
    """
    inputs = [orjson.loads(text) if text else {} for text in rows["inputs"].to_list()]
    wide = pl.DataFrame(inputs, infer_schema_length=None, strict=False) if any(inputs) else pl.DataFrame()
    label = rows["label"].cast(pl.Float64, strict=False)
    own = rows.select("time", "unit", "request_id", "role", pl.col("prediction").list.first())
    own = own.with_columns((label if label.null_count() == rows["label"].null_count() else rows["label"]).alias("label"))
    return own.hstack(wide.select([name for name in wide.columns if name not in own.columns])) if wide.width else own


def by_unit(
    table: pl.DataFrame, metric: Metric, *, complete: float, as_of: float
) -> dict[str, "np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    """Return a metric's value for each complete unit, by the model that answered it, in order of appearance.

    Args:
        table: From `columns`.
        metric: The metric.
        complete: Seconds from a unit's first request after which its value is final; later requests do not count.
        as_of: Unix seconds.

    Raises:
        ExpressionError: the expression is not allowed, or names a column that the requests do not have.
    """
    (expression,) = parse_expressions({metric.name: metric.expression})
    expression.kind(table.schema)
    unit = pl.when(pl.col("unit") != "").then(pl.col("unit")).otherwise(pl.col("request_id"))
    valued = table.with_columns(expression.to_polars().cast(pl.Float64).alias("value"), unit.alias("unit"))
    valued = valued.with_columns(pl.col("time").min().over("unit").alias("first"))
    done = valued.filter(pl.col("first") + complete <= as_of, pl.col("time") < pl.col("first") + complete)
    totals = done.group_by("unit").agg(pl.col("value").sum(), pl.col("first").first(), pl.col("role").sort_by("time").first())
    totals = totals.sort("first", "unit")
    return {role: totals.filter(pl.col("role") == role)["value"].to_numpy() for role in ("champion", "challenger")}


def _judge(metric: Metric, arms: Mapping[str, "np.ndarray[tuple[int], np.dtype[np.float64]]"], policy: Policy, share: float) -> Gate:
    return judge_metric(
        metric.name,
        arms["champion"],
        arms["challenger"],
        low=metric.low,
        high=metric.high,
        higher_is_better=metric.higher_is_better,
        margin=metric.margin,
        alpha=policy.alpha,
        abort_alpha=share,
        minimum=policy.minimum_labels,
    )
