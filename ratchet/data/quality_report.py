"""The page that tells what validation found: the findings, the columns beside what is allowed, and rows that were set aside."""

from collections.abc import Sequence
from typing import Any

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


class Overview:
    """What the page tells of the columns as they came, seen piece by piece.

    >>> overview = Overview()
    >>> overview.add(pl.DataFrame({"a": [1, None]}))
    >>> overview.add(pl.DataFrame({"a": [5, None]}))
    >>> overview.rows, overview.missing, overview.ends().row(0)
    (4, {'a': 2}, ('1', '5'))
    """

    def __init__(self) -> None:
        """Begin with no rows."""
        self.rows = 0
        self.missing: dict[str, int] = {}
        self.kinds: dict[str, str] = {}
        self._ends: dict[str, list[Any]] = {}
        self._schema = pl.Schema()

    def add(self, raw: pl.DataFrame) -> None:
        """Add canonical rows as they came."""
        self.rows += raw.height
        self._schema = raw.schema
        self.kinds = {name: kind_of(dtype) for name, dtype in raw.schema.items()}
        ends = raw.select(pl.all().min().name.prefix("low "), pl.all().max().name.prefix("high ")).row(0) if raw.width else ()
        for place, column in enumerate(raw.iter_columns()):
            self.missing[column.name] = self.missing.get(column.name, 0) + column.null_count()
            known = [*self._ends.get(column.name, ()), ends[place], ends[place + raw.width]]
            known = [end for end in known if end is not None and end == end]
            self._ends[column.name] = [min(known), max(known)] if known else []

    def ends(self) -> pl.DataFrame:
        """Return one row of texts: the lowest value of each column, then the highest."""
        columns = [
            pl.Series(f"{which} {name}", self._ends[name][at : at + 1] or [None], dtype=self._schema[name])
            for at, which in enumerate(("low", "high"))
            for name in self._schema
        ]
        return _written(pl.DataFrame(columns))


def quality_page(
    verdict: str,
    reason: str,
    raw: Overview,
    quarantined: pl.DataFrame,
    rows_quarantined: int,
    findings: Sequence[Finding],
    schema: Schema,
    origin: str,
) -> Page:
    """Return the report of a validation.

    Args:
        verdict: "valid", "quarantined" or "invalid".
        reason: Why.
        raw: The columns as they came.
        quarantined: The first of the rows set aside, with their reasons.
        rows_quarantined: How many there are in all.
        findings: All that was found.
        schema: The schema used.
        origin: Whose schema it is.
    """
    facts: dict[str, Cell] = {
        "rows in": raw.rows,
        "rows valid": raw.rows - rows_quarantined,
        "rows set aside": rows_quarantined,
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
        note = f"The first {EXAMPLES} of {rows_quarantined:,}." if rows_quarantined > EXAMPLES else ""
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


def _columns(raw: Overview, schema: Schema) -> list[dict[str, Cell]]:
    names = [*schema.columns, *(name for name in raw.kinds if name not in schema.columns)]
    low_high = raw.ends().row(0, named=True) if raw.kinds else {}
    return [_column(name, raw, schema.columns.get(name), low_high) for name in names]


def _column(name: str, raw: Overview, allowed: ColumnSchema | None, ranges: dict[str, str]) -> dict[str, Cell]:
    there = name in raw.kinds
    return {
        "column": name,
        "type": raw.kinds[name] if there else "missing",
        "allowed type": allowed.type if allowed else "not in the schema",
        "missing": raw.missing[name] / max(raw.rows, 1) if there else None,
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
