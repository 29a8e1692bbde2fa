"""The page that tells what validation found: the findings, the columns beside what is allowed, and rows that were set aside."""

from collections.abc import Sequence

import polars as pl
from polars import selectors

from ratchet.data.findings import Finding
from ratchet.data.kinds import kind_of
from ratchet.data.row_checks import REASON
from ratchet.data.schema import ColumnSchema, Schema
from ratchet.report.page import Cell, Page, Table

TONES = {"valid": "good", "quarantined": "neutral", "invalid": "bad"}
LEVELS = {"row": "rows set aside", "table": "data invalid", "note": "told only"}
EXAMPLES = 20


def quality_page(
    verdict: str,
    reason: str,
    raw: pl.DataFrame,
    quarantined: pl.DataFrame,
    findings: Sequence[Finding],
    schema: Schema,
    origin: str,
) -> Page:
    """Return the report of a validation.

    Args:
        verdict: "valid", "quarantined" or "invalid".
        reason: Why.
        raw: The table as it came.
        quarantined: The rows set aside, with their reasons.
        findings: All that was found.
        schema: The schema used.
        origin: Whose schema it is.
    """
    facts: dict[str, Cell] = {
        "rows in": raw.height,
        "rows valid": raw.height - quarantined.height,
        "rows set aside": quarantined.height,
        "held against": origin,
        "schema": schema.digest[:20],
    }
    parts = [Table("Columns", _columns(raw, schema), note="What is there, and what the schema allows.", flag="at fault")]
    at_fault = {finding.column for finding in findings if finding.level != "note"}
    parts = [
        Table(part.title, [{**row, "at fault": row["column"] in at_fault} for row in part.rows], part.note, part.flag) for part in parts
    ]
    if findings:
        parts.insert(0, Table("Findings", [_finding(finding) for finding in findings], flag="fatal"))
    if quarantined.height:
        shown = quarantined.select(REASON, pl.exclude(REASON)).head(EXAMPLES)
        note = f"The first {EXAMPLES} of {quarantined.height:,}." if quarantined.height > EXAMPLES else ""
        parts.append(Table("Rows set aside", _written(shown).to_dicts(), note))
    return Page("Validate", verdict, reason, TONES[verdict], facts, parts)


def _finding(finding: Finding) -> dict[str, Cell]:
    return {
        "check": finding.check,
        "column": finding.column,
        "found": finding.message,
        "remedy": finding.remedy,
        "rows": finding.rows,
        "effect": LEVELS[finding.level],
        "fatal": finding.level == "table",
    }


def _columns(raw: pl.DataFrame, schema: Schema) -> list[dict[str, Cell]]:
    names = [*schema.columns, *(name for name in raw.columns if name not in schema.columns)]
    ranges = _written(raw.select(pl.all().min().name.prefix("low "), pl.all().max().name.prefix("high ")))
    low_high = ranges.row(0, named=True) if raw.width else {}
    return [_column(name, raw, schema.columns.get(name), low_high) for name in names]


def _column(name: str, raw: pl.DataFrame, allowed: ColumnSchema | None, ranges: dict[str, str]) -> dict[str, Cell]:
    there = name in raw.columns
    return {
        "column": name,
        "type": kind_of(raw.schema[name]) if there else "missing",
        "allowed type": allowed.type if allowed else "not in the schema",
        "missing": raw[name].null_count() / max(raw.height, 1) if there else None,
        "allowed missing": allowed.max_missing if allowed else None,
        "lowest": ranges.get(f"low {name}"),
        "highest": ranges.get(f"high {name}"),
        "allowed values": _allowed(allowed) if allowed else "",
    }


def _written(frame: pl.DataFrame) -> pl.DataFrame:
    """Every cell as text; a time without the zeros of its fraction."""
    return frame.with_columns(selectors.datetime().cast(pl.String).str.replace(r"\.0+$", "")).cast(pl.String)


def _allowed(column: ColumnSchema) -> str:
    if column.categories is not None:
        return ", ".join(column.categories[:12]) + (f", … ({len(column.categories)})" if len(column.categories) > 12 else "")
    if column.minimum is None and column.maximum is None:
        return "any"
    return f"{'…' if column.minimum is None else column.minimum} to {'…' if column.maximum is None else column.maximum}"
