"""The checks that set single rows aside. Each is a mask over the rows and a reason that names column and value.

All masks of a piece of the table are counted in one pass; masks are kept and reasons written only where a row needs one.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from ratchet.data.findings import Finding
from ratchet.data.schema import ColumnSchema, Schema

REASON = "quarantine_reason"
UNPRINTED = r"[\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]"  # a reason is read in terminals, which obey what they are sent
FAR = 3  # spans between the 1st and the 99th percentile of time; a row further out than that has a wrong clock
REPEATS = "\0repeats"  # a column of marks beside the data: rows that repeat a key

Span = tuple[datetime, datetime]


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


def misfit_mark(name: str) -> str:
    """Return the name of the column of marks that says in which rows a column holds a value of another type."""
    return f"\0misfit {name}"


def row_checks(
    names: Sequence[str],
    schema: Schema,
    *,
    converted: Collection[str] = (),
    repeats: bool = False,
    span: Span | None = None,
    now: datetime | None,
) -> list[RowCheck]:
    """Return the checks that the schema asks for.

    Args:
        names: The schema's columns that are there.
        schema: What rows must look like.
        converted: Columns that came in another type, each with a column of marks named by `misfit_mark`.
        repeats: Whether there is a column of marks `REPEATS`.
        span: The 1st and the 99th percentile of the times; None for no such check.
        now: Rows after it are in the future; None compares times with each other only.
    """
    checks = [
        RowCheck(
            "wrong type", name, pl.col(misfit_mark(name)), f"is not of type {schema.columns[name].type}", "correct the values upstream"
        )
        for name in converted
    ]
    for name in names:
        checks += _column_checks(name, schema.columns[name], schema, name in converted)
    if repeats:
        says, remedy = f"repeats a key ({', '.join(schema.key)})", "remove the copies; the first was kept"
        checks.append(RowCheck("duplicate key", schema.key[0], pl.col(REPEATS), says, remedy))
    if schema.time in names and schema.columns[schema.time].type == "datetime":
        checks += _time_checks(schema.time, span, now)
    return checks


class RowVerdicts:
    """What a list of checks found, piece by piece.

    >>> verdicts = RowVerdicts([RowCheck("out of range", "a", pl.col("a") > 1, "is above 1", "correct it")])
    >>> frame = pl.DataFrame({"a": [1, 2]})
    >>> kept, aside = verdicts.split(frame, frame)
    >>> kept["a"].to_list(), aside.rows(), verdicts.findings()[0].rows
    ([1], [(2, 'a 2 is above 1')], 1)
    """

    def __init__(self, checks: Sequence[RowCheck]) -> None:
        """Begin with no rows."""
        self._checks = list(checks)
        self._counts = [0] * len(self._checks)
        self._examples: dict[int, object] = {}

    def split(self, frame: pl.DataFrame, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows that pass and those that do not.

        Args:
            frame: Rows in the columns of the schema, with the columns of marks.
            raw: The same rows as they arrived; what is set aside keeps these values.

        Returns:
            The rows of `frame` that pass, with the marks; the rows of `raw` that do not, with all reasons joined in `quarantine_reason`.
            The two together have as many rows as `frame`.
        """
        found = (
            frame.select([check.mask.sum().alias(str(place)) for place, check in enumerate(self._checks)]).row(0) if self._checks else ()
        )
        hit = [place for place, count in enumerate(found) if count]
        if not hit:
            return frame, raw.clear().with_columns(pl.lit(None, pl.String).alias(REASON))
        masks = frame.select([self._checks[place].mask.fill_null(False).alias(str(place)) for place in hit])
        bad = masks.select(pl.any_horizontal(pl.all())).to_series()
        aside, marks = raw.filter(bad), masks.filter(bad)
        for place in hit:
            self._counts[place] += found[place]
            self._examples.setdefault(place, raw[self._checks[place].column].filter(masks[str(place)])[0])
        reasons = [pl.when(marks[str(place)]).then(_reason(self._checks[place])) for place in hit]
        return frame.filter(~bad), aside.with_columns(pl.concat_str(reasons, separator="; ", ignore_nulls=True).alias(REASON))

    def findings(self) -> list[Finding]:
        """Return a finding for each check that found something."""
        return [
            _finding(check, self._examples[place], self._counts[place]) for place, check in enumerate(self._checks) if self._counts[place]
        ]


def _column_checks(name: str, column: ColumnSchema, schema: Schema, converted: bool) -> Iterator[RowCheck]:
    value = pl.col(name)
    required = name in (*schema.key, schema.time, schema.target)
    if required or not column.nullable:
        remedy = "fill it upstream" if required else "fill it upstream, or raise max_missing in the schema"
        absent = value.is_null() & ~pl.col(misfit_mark(name)) if converted else value.is_null()
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


def _time_checks(name: str, span: Span | None, now: datetime | None) -> Iterator[RowCheck]:
    value = pl.col(name)
    if now is not None:
        yield RowCheck("future time", name, value > now, f"is after {now.isoformat()}", "correct the clock, or pass the right now")
    if span is not None:
        low, high = span
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
    return pl.concat_str(pl.lit(check.column), value, pl.lit(" " + check.says)).str.replace_all(UNPRINTED, " ")


def _finding(check: RowCheck, example: object, count: int) -> Finding:
    shown = "" if example is None else f" (e.g. {example if not isinstance(example, str) else repr(example[:60])})"
    message = f"{count:,} {'row' if count == 1 else 'rows'}: {check.column!r} {check.says}{shown}"
    return Finding(check.name, "row", check.column, message, check.remedy, count)


def _plain(bound: float) -> str:
    return f"{bound:,.6g}" if isinstance(bound, float) else f"{bound:,}"
