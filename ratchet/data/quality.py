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

from ratchet.data.account import DatasetInfo
from ratchet.data.findings import Finding, Limits
from ratchet.data.inference import check_roles, infer_schema
from ratchet.data.inspection import Inspection
from ratchet.data.parsing import parse_times
from ratchet.data.parts import DatasetWriter
from ratchet.data.pieces import DatasetPieces, FramePieces, Piece, Pieces
from ratchet.data.quality_report import quality_page
from ratchet.data.row_checks import REASON
from ratchet.data.schema import Schema
from ratchet.data.staging import writing
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
        SchemaError: there is no column, or none but `quarantine_reason`.

    >>> schema = Schema.parse("columns: {amount: {type: number, minimum: 0}}")
    >>> result = assess(pl.DataFrame({"amount": [5.0] * 99 + [-1.0]}), schema)
    >>> result.verdict, result.kept.height, result.quarantined["quarantine_reason"].to_list()
    ('quarantined', 99, ['amount -1.0 is below 0'])
    """
    limits, pieces, held = limits or Limits(), FramePieces(raw, without=[REASON]), _Held()
    inspection = Inspection(pieces, schema, limits, _moment(limits.now))
    inspection.run(held)
    verdict, reason = _verdict(inspection, origin)
    return Assessment(verdict, reason, pl.concat(held.kept), pl.concat(held.aside), tuple(inspection.findings), inspection.schema)


class _Held:
    """Keeps both kinds of rows in memory."""

    def __init__(self) -> None:
        self.kept: list[pl.DataFrame] = []
        self.aside: list[pl.DataFrame] = []

    def keep(self, rows: pl.DataFrame, piece: Piece) -> None:
        self.kept.append(rows)

    def set_aside(self, rows: pl.DataFrame) -> None:
        self.aside.append(rows)


class _Written:
    """Writes both kinds of rows; parts of which every row is kept as it came are taken over."""

    def __init__(self, clean: DatasetWriter, quarantine: DatasetWriter) -> None:
        self._clean, self._quarantine = clean, quarantine

    def keep(self, rows: pl.DataFrame, piece: Piece) -> None:
        if piece.part is not None and rows is piece.rows:
            self._clean.keep(piece.part, rows)
        else:
            self._clean.add(rows)

    def set_aside(self, rows: pl.DataFrame) -> None:
        self._quarantine.add(rows)


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
        SchemaError: the schema is none, a key or time column is neither in it nor in the data, or there is no column of data.
        SourceError: the Dataset is damaged, or an output cannot be written.
        TargetError: likewise for the target.
        ParameterError: a limit is out of its range.
    """
    limits = limits or Limits()
    _check_limits(limits)
    pieces = DatasetPieces(data_path, without=[REASON])
    schema, origin = _choose_schema(pieces, schema_text, champion_schema_path, key, time_column, target, limits)
    inspection = Inspection(pieces, schema, limits, _moment(limits.now))
    time, told = inspection.time, source or str(data_path)
    clean = DatasetWriter(clean_path, source=told, time_column=time)
    quarantine = DatasetWriter(quarantine_path, source=told)
    with clean, quarantine:
        inspection.run(_Written(clean, quarantine))
    verdict, reason = _verdict(inspection, origin)
    with writing(Path(schema_path), "schema"):
        inspection.schema.write_yaml(schema_path)
    rows = (inspection.tally.rows, clean.info.rows, quarantine.info.rows)
    findings = tuple(inspection.findings)
    page = quality_page(verdict, reason, inspection.overview, inspection.examples, rows[2], findings, inspection.schema, origin)
    with writing(Path(report_path), "report"):
        page.write_html(report_path)
    return ValidationResult(verdict, reason, *rows, findings, inspection.schema, clean.info, quarantine.info, page)


def _choose_schema(
    pieces: Pieces, text: str, champion: str | Path, key: Sequence[str], time: str, target: str, limits: Limits
) -> tuple[Schema, str]:
    given, origin = None, ""
    if text.strip():
        written_out = "\n" in text or ":" in text
        given, origin = (Schema.parse(text, where="parameter 'schema_text'") if written_out else Schema.read(text)), "the given schema"
    if given is None and champion:
        given, origin = Schema.read(champion), "the champion's schema"
    if given is None:
        return infer_schema(pieces, key=key, time=time, target=target), "a schema made from this very data"
    known = [*given.columns, *(pieces.schema if limits.accept_new_columns else ())]
    check_roles(known, key=key, time=time, target=target)
    labels = {} if target and target != given.target else given.labels
    return replace(given.with_roles(key=key, time=time, target=target), labels=labels), origin


def _verdict(inspection: Inspection, origin: str) -> tuple[str, str]:
    findings, rows = inspection.findings, inspection.tally.rows
    aside = rows - inspection.tally.kept
    fatal = [finding for finding in findings if finding.level == "table"]
    verdict = "invalid" if fatal else "quarantined" if aside else "valid"
    if verdict == "valid":
        reason = f"All {rows:,} rows fit {origin}."
    elif verdict == "quarantined":
        by_row = [finding for finding in findings if finding.level == "row"]
        reason = f"{aside:,} of {rows:,} rows were set aside. {_spelled_out(by_row)}"
    else:
        # what made rows fail says more than that too many did
        causes = sorted((finding for finding in findings if finding.level == "row"), key=lambda finding: -finding.rows)
        explained = any(finding.check in ("too many quarantined", "too few rows") for finding in fatal)
        reason = f"The data must not be used. {_spelled_out([*fatal, *(causes if explained else ())])}"
    notes = [finding for finding in findings if finding.level == "note"]
    reason += f" Also: {_spelled_out(notes)}" if notes else ""
    return verdict, reason


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
