"""The checks that judge a table as a whole: what no single row shows.

They are made to stay silent on ordinary change (seasons, growth, a shifting mix) and to speak when the feed is broken. A change of unit,
for example, multiplies every value by one number, so all quartiles of the absolute values move by the same large factor; that
is looked for in the whole table and in ten slices of its time, since a fault upstream rarely starts at midnight of the first.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl

from ratchet.data.findings import Finding, Limits
from ratchet.data.inference import quartiles
from ratchet.data.schema import Schema
from ratchet.data.tally import Tally

Quartiles = tuple[float, float, float]

SLICES = 10
AGREE = 2.0  # the quartiles' factors agree within this, when the cause is a unit
MIN_LABELS = 20  # rows expected or seen of a label, below which its share says nothing
RECHECK = "check the unit upstream (cents for units?), or remove `scale` from the schema if the change is meant"


def table_checks(tally: Tally, schema: Schema, limits: Limits, now: datetime | None) -> Iterator[Finding]:
    """Yield what is wrong with the table as a whole.

    Args:
        tally: Of all rows, conformed to the schema.
        schema: What the table must look like.
        limits: How much is too much.
        now: For staleness; None for no such check.
    """
    yield from _missing_shares(tally, schema)
    yield from scale_shifts(tally.sample(), schema, limits.scale_factor, tally.rows)
    yield from _labels(tally, schema, limits.label_factor)
    yield from _stale(tally, schema, limits.max_age_days, now)


def remaining_checks(tally: Tally, schema: Schema, limits: Limits) -> Iterator[Finding]:
    """Yield what is wrong with what is left after rows were set aside."""
    aside = tally.rows - tally.kept
    if tally.rows and aside / tally.rows > limits.max_quarantined_share:
        share = f"{aside:,} of {tally.rows:,} rows ({aside / tally.rows:.1%})"
        message = f"{share} had to be set aside, more than {limits.max_quarantined_share:.1%}"
        yield Finding("too many quarantined", "table", "", message, "correct them upstream, or correct the schema", aside)
    fewest = limits.min_rows or schema.min_rows
    if tally.kept < fewest:
        message = f"{tally.kept:,} rows are left where at least {fewest:,} are needed"
        yield Finding("too few rows", "table", "", message, "take a longer window, or lower min_rows", tally.kept)
    if tally.kept and len(tally.targets) == 1:
        message = f"target {schema.target!r} is {tally.targets[0]!r} in every row"
        yield Finding("constant target", "table", schema.target, message, "take rows of both kinds, or name another target", tally.kept)


def scale_shifts(sample: pl.DataFrame, schema: Schema, factor: float, rows: int) -> Iterator[Finding]:
    """Yield the columns whose unit changed, in the whole table or from some moment on.

    Args:
        sample: Rows of the table, evenly spaced in the order of its time.
        schema: With the quartiles to compare with.
        factor: How far all three quartiles must have moved, at least 1.
        rows: Of the table.

    >>> cents = pl.DataFrame({"amount": [100.0 * i for i in range(1, 101)]})
    >>> from ratchet.data.schema import ColumnSchema
    >>> schema = Schema({"amount": ColumnSchema("number", scale=(25.0, 50.0, 75.0))})
    >>> [finding.message for finding in scale_shifts(cents, schema, 5.0, 100)]
    ["column 'amount' is about 102 times its usual scale (median of absolute values 5100, usually 50)"]
    """
    time = schema.time if schema.time in sample.columns else ""
    for name, column in schema.columns.items():
        if column.scale is None or name not in sample.columns or name == schema.time:
            continue
        since, now = _slice_shift(sample, name, column.scale, time, factor) if time else (None, None)
        now = now or quartiles(sample[name])
        ratio = _ratio(now, column.scale, factor)
        if ratio and now:
            moment = f" in the rows from {since} on" if since is not None else ""
            message = f"column {name!r} is about {_times(ratio)} its usual scale{moment}"
            message += f" (median of absolute values {now[1]:.4g}, usually {column.scale[1]:.4g})"
            yield Finding("scale shift", "table", name, message, RECHECK, rows)


def _slice_shift(
    sample: pl.DataFrame, name: str, usual: Quartiles, time: str, factor: float
) -> tuple[object, Quartiles] | tuple[None, None]:
    """Return the time and the quartiles of the first slice in another unit; nothing where none is, or the first already was."""
    height = math.ceil(sample.height / SLICES)
    for number in range(SLICES):
        part = sample.slice(number * height, height)
        now = quartiles(part[name])
        if now and _ratio(now, usual, factor, agree=AGREE):
            return (part[time][0], now) if number else (None, None)
    return None, None


def _ratio(now: Quartiles | None, usual: Quartiles, factor: float, agree: float = math.inf) -> float:
    """Return by how much the quartiles moved, or 0 where they did not all move far, one way and alike."""
    if now is None or min(usual) <= 0:
        return 0.0
    ratios = [new / old for new, old in zip(now, usual, strict=True)]
    far = min(ratios) >= factor or max(ratios) <= 1 / factor
    return ratios[1] if far and max(ratios) / min(ratios) <= agree else 0.0


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times" if ratio >= 1 else f"1/{1 / ratio:.3g} of"


def _missing_shares(tally: Tally, schema: Schema) -> Iterator[Finding]:
    for name, count in tally.missing.items():
        share, allowed = count / max(tally.rows, 1), schema.columns[name].max_missing
        if 0 < allowed < share:
            message = f"column {name!r} is missing in {share:.1%} of the rows, more than {allowed:.1%}"
            yield Finding("missing share", "table", name, message, "restore it upstream, or raise max_missing in the schema", count)


def _labels(tally: Tally, schema: Schema, factor: float) -> Iterator[Finding]:
    if not schema.labels or schema.target not in tally.missing:
        return
    labelled = tally.rows - tally.missing[schema.target]
    for label, usual in schema.labels.items():
        share = tally.labels.get(label, 0) / max(labelled, 1)
        enough = max(share, usual) * tally.rows >= MIN_LABELS
        if enough and (share * factor < usual or usual * factor < share):
            message = f"label {label!r} of target {schema.target!r} is {share:.2%} of the rows, usually {usual:.2%}"
            remedy = "check that the labels are complete, or correct `labels` in the schema"
            yield Finding("label balance", "table", schema.target, message, remedy, round(share * tally.rows))


def _stale(tally: Tally, schema: Schema, max_age_days: float, now: datetime | None) -> Iterator[Finding]:
    newest = tally.newest
    if max_age_days and now is not None and isinstance(newest, datetime) and newest < now - timedelta(days=max_age_days):
        message = f"the newest row is of {newest} ({schema.time!r}), more than {max_age_days:g} days before {now}"
        yield Finding("stale data", "table", schema.time, message, "check that the feed still runs, or raise max_age_days", tally.rows)
