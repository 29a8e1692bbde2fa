"""Judges a table against its schema: which rows may be used, and whether the table may be used at all.

Single bad rows are set aside with their reasons, where a person can count, repair and return them; a broken feed stops the run. Every row
that came in is in one of the two outputs, whatever the verdict.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from ratchet.data.conform import conform
from ratchet.data.findings import Finding, Limits
from ratchet.data.inference import check_roles, infer_schema
from ratchet.data.kinds import canonical
from ratchet.data.parsing import parse_times
from ratchet.data.quality_report import quality_page
from ratchet.data.row_checks import REASON, apply_checks, row_checks
from ratchet.data.schema import Schema
from ratchet.data.table_checks import remaining_checks, table_checks
from ratchet.data.tables import DatasetInfo, read_dataset, write_dataset
from ratchet.errors import ParameterError
from ratchet.report.metrics import MetricSink, log_metrics
from ratchet.report.page import Page

SHOWN = 4  # findings that the reason spells out


@dataclass(frozen=True)
class Assessment:
    """What is thought of a table.

    Attributes:
        verdict: "valid" (every row may be used), "quarantined" (some rows were set aside) or "invalid" (the table must not be used).
        reason: Why, naming columns, values and the remedy.
        kept: The rows that fit, in the columns and types of the schema.
        quarantined: The rows that do not, as they came, with `quarantine_reason`.
        findings: All that was found.
        schema: The schema used, with new columns where they were accepted.
    """

    verdict: str
    reason: str
    kept: pl.DataFrame
    quarantined: pl.DataFrame
    findings: tuple[Finding, ...]
    schema: Schema


@dataclass(frozen=True)
class ValidationResult:
    """What `validate` wrote and decided; the verdict and reason are those of the `Assessment`."""

    verdict: str
    reason: str
    rows_in: int
    rows_out: int
    rows_quarantined: int
    findings: tuple[Finding, ...]
    schema: Schema
    clean: DatasetInfo
    quarantine: DatasetInfo
    page: Page

    def log_to(self, scores: MetricSink) -> None:
        """Write the row counts and the number of findings by check into a Metrics artifact."""
        share = self.rows_quarantined / self.rows_in if self.rows_in else 0.0
        counts = {
            "rows_in": self.rows_in,
            "rows_valid": self.rows_out,
            "rows_quarantined": self.rows_quarantined,
            "quarantined_share": share,
        }
        log_metrics(scores, counts | dict(Counter(finding.check.replace(" ", "_") for finding in self.findings)))


def assess(raw: pl.DataFrame, schema: Schema, limits: Limits | None = None, *, origin: str = "schema") -> Assessment:
    """Judge a table against a schema.

    Args:
        raw: The table as it came.
        schema: What it must look like.
        limits: How much is too much.
        origin: Whose schema it is, for the reason.

    Returns:
        The verdict, and the rows split so that kept and quarantined together are all rows of `raw`.

    Raises:
        ParameterError: `limits.now` is not a time.

    >>> schema = Schema.parse("columns: {amount: {type: number, minimum: 0}}")
    >>> result = assess(pl.DataFrame({"amount": [5.0] * 99 + [-1.0]}), schema)
    >>> result.verdict, result.kept.height, result.quarantined["quarantine_reason"].to_list()
    ('quarantined', 99, ['amount -1.0 is below 0'])
    """
    limits, raw = limits or Limits(), canonical(raw).drop(REASON, strict=False)
    now = _moment(limits.now)
    shaped = conform(raw, schema, accept_new_columns=limits.accept_new_columns)
    if not shaped.frame.width:  # nothing in common: there is no row that fits
        reason = pl.lit("the row has no column of the schema").alias(REASON)
        return _conclude(raw, raw.clear(), raw.with_columns(reason), list(shaped.findings), shaped.schema, limits, origin)
    checks = list(row_checks(shaped.frame, shaped.schema, shaped.misfits, now))
    findings = [*shaped.findings, *table_checks(shaped.frame, shaped.schema, limits, now)]
    kept, quarantined, of_rows = apply_checks(shaped.frame, raw, checks)
    return _conclude(raw, kept, quarantined, [*findings, *of_rows], shaped.schema, limits, origin)


def validate(
    data_path: str | Path,
    *,
    clean_path: str | Path,
    quarantine_path: str | Path,
    schema_path: str | Path,
    report_path: str | Path,
    champion_schema_path: str | Path = "",
    schema_text: str = "",
    key: Sequence[str] = (),
    time_column: str = "",
    target: str = "",
    limits: Limits | None = None,
    source: str = "",
) -> ValidationResult:
    """Judge a Dataset and write what may be used, what may not, the schema that was used, and a report.

    The schema is `schema_text` where given, else the champion's where there is one, else inferred from the data.

    Args:
        data_path: The Dataset.
        clean_path: Folder for the rows that fit.
        quarantine_path: Folder for the rows that do not, with `quarantine_reason`.
        schema_path: File for the schema used.
        report_path: File for the HTML report.
        champion_schema_path: The champion's schema; empty, or the mark of absence, for none.
        schema_text: A schema as YAML, or the path of one.
        key: Columns that together name a row; overrides the schema's.
        time_column: Column of times; overrides the schema's.
        target: Column to predict; overrides the schema's.
        limits: How much is too much.
        source: Where the rows came from, for the metadata; the path of the Dataset where empty.

    Raises:
        SchemaError: the schema is none, or a key or time column is neither in it nor in the data.
        TargetError: likewise for the target.
        ParameterError: a limit is out of its range.
    """
    limits = limits or Limits()
    _check_limits(limits)
    raw = read_dataset(data_path)
    schema, origin = _choose_schema(raw, schema_text, champion_schema_path, key, time_column, target, limits)
    result = assess(raw, schema, limits, origin=origin)
    time = result.schema.time if result.schema.time in result.kept.columns else ""
    origin_text = source or str(data_path)
    clean = write_dataset(result.kept, clean_path, source=origin_text, time_column=time)
    quarantine = write_dataset(result.quarantined, quarantine_path, source=origin_text)
    result.schema.write_yaml(schema_path)
    page = quality_page(result.verdict, result.reason, raw, result.quarantined, result.findings, result.schema, origin)
    page.write_html(report_path)
    rows = (raw.height, clean.rows, quarantine.rows)
    return ValidationResult(result.verdict, result.reason, *rows, result.findings, result.schema, clean, quarantine, page)


def _choose_schema(
    raw: pl.DataFrame, text: str, champion: str | Path, key: Sequence[str], time: str, target: str, limits: Limits
) -> tuple[Schema, str]:
    given, origin = None, ""
    if text.strip():
        written_out = "\n" in text or ":" in text
        given, origin = (Schema.parse(text, where="parameter 'schema_text'") if written_out else Schema.read(text)), "the given schema"
    if given is None and champion:
        given, origin = Schema.read(champion), "the champion's schema"
    if given is None:
        return infer_schema(raw.drop(REASON, strict=False), key=key, time=time, target=target), "a schema made from this very data"
    known = [*given.columns, *(raw.columns if limits.accept_new_columns else ())]
    check_roles(known, key=key, time=time, target=target)
    labels = {} if target and target != given.target else given.labels
    return replace(given.with_roles(key=key, time=time, target=target), labels=labels), origin


def _conclude(
    raw: pl.DataFrame,
    kept: pl.DataFrame,
    quarantined: pl.DataFrame,
    findings: list[Finding],
    schema: Schema,
    limits: Limits,
    origin: str,
) -> Assessment:
    findings += remaining_checks(raw.height, kept, schema, limits)
    fatal = [finding for finding in findings if finding.level == "table"]
    verdict = "invalid" if fatal else "quarantined" if quarantined.height else "valid"
    if verdict == "valid":
        reason = f"All {raw.height:,} rows fit {origin}."
    elif verdict == "quarantined":
        by_row = [finding for finding in findings if finding.level == "row"]
        reason = f"{quarantined.height:,} of {raw.height:,} rows were set aside. {_spelled_out(by_row)}"
    else:
        # what made rows fail says more than that too many did
        causes = sorted((finding for finding in findings if finding.level == "row"), key=lambda finding: -finding.rows)
        explained = any(finding.check in ("too many quarantined", "too few rows") for finding in fatal)
        reason = f"The data must not be used. {_spelled_out([*fatal, *(causes if explained else ())])}"
    notes = [finding for finding in findings if finding.level == "note"]
    reason += f" Also: {_spelled_out(notes)}" if notes else ""
    return Assessment(verdict, reason, kept, quarantined, tuple(findings), schema)


def _spelled_out(findings: Sequence[Finding]) -> str:
    sentences = [finding.sentence() for finding in findings[:SHOWN]]
    more = f" And {len(findings) - SHOWN} more; see the report." if len(findings) > SHOWN else ""
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences) + more


def _moment(text: str) -> datetime | None:
    if not text.strip():
        return None
    moment = parse_times(pl.Series([text.strip()]))[0]
    if not isinstance(moment, datetime):
        raise ParameterError(f"parameter 'now' is {text!r}; write a time such as 2024-03-31T18:05:00, or leave it empty")
    return moment


def _check_limits(limits: Limits) -> None:
    if not 0 <= limits.max_quarantined_share <= 1:
        raise ParameterError(f"max_quarantined_share is {limits.max_quarantined_share}; it is a share, from 0 to 1")
    for name in ("scale_factor", "label_factor"):
        if getattr(limits, name) <= 1:
            raise ParameterError(f"{name} is {getattr(limits, name)}; it is a factor above 1, e.g. 5")
    for name in ("min_rows", "max_age_days"):
        if getattr(limits, name) < 0:
            raise ParameterError(f"{name} is {getattr(limits, name)}; give 0 or more")
