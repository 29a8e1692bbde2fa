"""The checks that set single rows aside. Each is a mask over the rows and a reason that names column and value.

All masks are computed in one pass; reasons are written only for the rows that need one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from ratchet.data.findings import Finding
from ratchet.data.schema import ColumnSchema, Schema

REASON = "quarantine_reason"
FAR = 3  # spans between the 1st and the 99th percentile of time; a row further out than that has a wrong clock


@dataclass(frozen=True, slots=True)
class RowCheck:
    """One check of one column.

    Attributes:
        name: Of the check, as in `Finding.check`.
        column: The column looked at.
        mask: True for the rows at fault.
        says: What is wrong with the value, e.g. "is above 200".
        remedy: What to do about it.
    """

    name: str
    column: str
    mask: pl.Expr
    says: str
    remedy: str


def row_checks(frame: pl.DataFrame, schema: Schema, misfits: Mapping[str, pl.Series], now: datetime | None) -> Iterator[RowCheck]:
    """Yield the checks that the schema asks for.

    Args:
        frame: The table, conformed to the schema.
        schema: What rows must look like.
        misfits: By column, which rows hold a value of another type.
        now: Rows after it are in the future; None compares times with each other only.
    """
    for name, wrong in misfits.items():
        kind = schema.columns[name].type
        yield RowCheck("wrong type", name, pl.lit(wrong), f"is not of type {kind}", "correct the values upstream")
    for name in frame.columns:
        yield from _column_checks(name, schema.columns[name], schema, misfits)
    if schema.key and all(name in frame.columns for name in schema.key):
        whole = pl.struct(schema.key) if len(schema.key) > 1 else pl.col(schema.key[0])
        says, remedy = f"repeats a key ({', '.join(schema.key)})", "remove the copies; the first was kept"
        yield RowCheck("duplicate key", schema.key[0], ~whole.is_first_distinct() & whole.is_not_null(), says, remedy)
    if schema.time in frame.columns and schema.columns[schema.time].type == "datetime":
        yield from _time_checks(frame, schema.time, now)


def apply_checks(frame: pl.DataFrame, raw: pl.DataFrame, checks: list[RowCheck]) -> tuple[pl.DataFrame, pl.DataFrame, list[Finding]]:
    """Split the rows into those that pass and those that do not.

    Args:
        frame: The table that is looked at.
        raw: The same rows as they arrived; what is set aside keeps these values.
        checks: From `row_checks`.

    Returns:
        The rows of `frame` that pass; the rows of `raw` that do not, with all reasons joined in `quarantine_reason`; a finding per
        check that found something. The two tables together have as many rows as `frame`.
    """
    raw = raw.drop(REASON, strict=False)
    masks = frame.select([check.mask.fill_null(False).alias(str(place)) for place, check in enumerate(checks)])
    counts = masks.sum().row(0) if checks else ()
    hit = [place for place, count in enumerate(counts) if count]
    if not hit:
        return frame, raw.clear().with_columns(pl.lit(None, pl.String).alias(REASON)), []
    bad = masks.select(pl.any_horizontal([str(place) for place in hit])).to_series()
    aside, marks = raw.filter(bad), masks.select([str(place) for place in hit]).filter(bad)
    reasons = [pl.when(marks[str(place)]).then(_reason(checks[place])) for place in hit]
    findings = [_finding(checks[place], raw, masks[str(place)], counts[place]) for place in hit]
    return frame.filter(~bad), aside.with_columns(pl.concat_str(reasons, separator="; ", ignore_nulls=True).alias(REASON)), findings


def _column_checks(name: str, column: ColumnSchema, schema: Schema, misfits: Mapping[str, pl.Series]) -> Iterator[RowCheck]:
    value = pl.col(name)
    required = name in (*schema.key, schema.time, schema.target)
    if required or not column.nullable:
        remedy = "fill it upstream" if required else "fill it upstream, or raise max_missing in the schema"
        absent = value.is_null() & ~pl.lit(misfits[name]) if name in misfits else value.is_null()
        yield RowCheck("missing value", name, absent, "is missing", remedy)
    if column.type == "number":
        yield RowCheck("not finite", name, ~value.is_finite(), "is not a finite number", "leave missing values empty instead of NaN or inf")
    remedy = f"correct the values, or change {'{}'} in the schema"
    if column.minimum is not None:
        finite = value.is_finite() if column.type == "number" else pl.lit(True)
        says = f"is below {_plain(column.minimum)}"
        yield RowCheck("out of range", name, (value < column.minimum) & finite, says, remedy.format("minimum"))
    if column.maximum is not None:
        finite = value.is_finite() if column.type == "number" else pl.lit(True)
        says = f"is above {_plain(column.maximum)}"
        yield RowCheck("out of range", name, (value > column.maximum) & finite, says, remedy.format("maximum"))
    allowed = column.categories
    if allowed is None and name == schema.target and schema.labels:
        allowed = tuple(schema.labels)
    if allowed is not None:
        known = value.cast(pl.String).is_in(list(allowed))
        kind = "unseen label" if name == schema.target else "unseen category"
        yield RowCheck(kind, name, ~known, "is a value that the schema does not list", "add it to the schema if it is right")


def _time_checks(frame: pl.DataFrame, name: str, now: datetime | None) -> Iterator[RowCheck]:
    value = pl.col(name)
    if now is not None:
        yield RowCheck("future time", name, value > now, f"is after {now.isoformat()}", "correct the clock, or pass the right now")
    low, high = frame.select(value.quantile(0.01, "nearest").alias("low"), value.quantile(0.99, "nearest").alias("high")).row(0)
    if isinstance(low, datetime) and isinstance(high, datetime):
        reach = (high - low) * FAR + timedelta(days=1)
        earliest, latest = _shifted(low, -reach), _shifted(high, reach)
        yield RowCheck("implausible time", name, value > latest, f"is far after the other rows (after {latest})", "correct the clock")
        yield RowCheck("implausible time", name, value < earliest, f"is far before the other rows (before {earliest})", "correct the clock")


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return datetime.max if by > timedelta(0) else datetime.min


def _reason(check: RowCheck) -> pl.Expr:
    shown = pl.col(check.column).cast(pl.String).fill_null("")
    value = pl.when(shown == "").then(pl.lit("")).otherwise(pl.concat_str(pl.lit(" "), shown.str.slice(0, 60)))
    return pl.concat_str(pl.lit(check.column), value, pl.lit(" " + check.says))


def _finding(check: RowCheck, raw: pl.DataFrame, mask: pl.Series, count: int) -> Finding:
    example = raw[check.column].filter(mask)[0]
    shown = "" if example is None else f" (e.g. {example if not isinstance(example, str) else repr(example[:60])})"
    message = f"{count:,} {'row' if count == 1 else 'rows'}: {check.column!r} {check.says}{shown}"
    return Finding(check.name, "row", check.column, message, check.remedy, count)


def _plain(bound: float) -> str:
    return f"{bound:,.6g}" if isinstance(bound, float) else f"{bound:,}"
