"""Holds a table against its schema, piece by piece: each row goes one of two ways, and what the whole shows is counted on the way.

Only what a check cannot do without is read whole, and then a column at a time: the times, for their order and their usual span, and
the key, for rows that repeat it.
"""

from datetime import datetime
from typing import Protocol

import polars as pl

from ratchet.data.conform import Conformed, Misfits, conform, fitted
from ratchet.data.findings import Limits
from ratchet.data.inference import infer_schema
from ratchet.data.kinds import DTYPES
from ratchet.data.pieces import Piece, Pieces
from ratchet.data.quality_report import EXAMPLES, Overview
from ratchet.data.row_checks import REASON, REPEATS, RowVerdicts, misfit_mark, row_checks
from ratchet.data.schema import Schema
from ratchet.data.table_checks import remaining_checks, table_checks
from ratchet.data.tally import Tally, repeated_keys, time_span, times_of
from ratchet.errors import SchemaError, SourceError


class Outlet(Protocol):
    """Where rows go."""

    def keep(self, rows: pl.DataFrame, piece: Piece) -> None:
        """Take rows of a piece that passed; the piece's own table where all of them did and nothing was converted."""
        ...

    def set_aside(self, rows: pl.DataFrame) -> None:
        """Take rows that did not pass, with their reasons."""
        ...


class Inspection:
    """One table, held against one schema.

    Attributes:
        schema: What it is held against, with new columns where they were accepted.
        findings: All that was found; complete after `run`.
        tally: Counts over all rows.
        overview: The columns as they came.
        examples: The first rows that were set aside.
    """

    def __init__(self, pieces: Pieces, schema: Schema, limits: Limits, now: datetime | None) -> None:
        """Read what is needed of whole columns.

        Args:
            pieces: The table.
            schema: What it must look like.
            limits: How much is too much.
            now: Rows after it are in the future; None for no such check.

        Raises:
            SchemaError: there is no column, or none but the one that validation itself writes.
        """
        if not pieces.schema:
            raise SchemaError(f"the data has no column but {REASON!r}, which validation writes; rename it, or give the data's own columns")
        self._pieces, self._limits, self._now = pieces, limits, now
        extra = [name for name in pieces.schema if name not in schema.columns] if limits.accept_new_columns else []
        new = {column.name: infer_schema(column.to_frame()).columns[column.name] for column in pieces.columns(extra)}
        self.schema, self.findings = fitted(pieces.schema, schema, new)
        self._names = [name for name in self.schema.columns if name in pieces.schema]
        self.time = self.schema.time if self.schema.time in self._names else ""
        times = times_of(pieces, self.schema)
        self.tally, self.overview = Tally(pieces, self.schema, times), Overview()
        self._repeats = repeated_keys(pieces, self.schema)
        self._converted = [name for name in self._names if pieces.schema[name] != DTYPES[self.schema.columns[name].type]]
        self._as_it_is = self._names == pieces.schema.names() and not self._converted
        repeats = self._repeats is not None
        checks = row_checks(self._names, self.schema, converted=self._converted, repeats=repeats, span=time_span(times), now=now)
        self._verdicts = RowVerdicts(checks)
        self.examples = pl.DataFrame()

    def run(self, outlet: Outlet) -> None:
        """Send every row one of two ways, and complete the findings.

        Raises:
            SourceError: rows are damaged.
        """
        misfits, examples = Misfits(), list[pl.DataFrame]()
        for place, piece in enumerate(self._pieces.pieces()):
            self.overview.add(piece.rows)
            kept, aside = self._split(piece.rows, misfits) if self._names else self._refused(piece.rows)
            outlet.keep(piece.rows if self._as_it_is and not aside.height else kept, piece)
            if aside.height or not place:
                outlet.set_aside(aside)
            if sum(part.height for part in examples) < EXAMPLES:
                examples.append(aside.head(EXAMPLES))
        if self.tally.rows != self._pieces.height:  # polars' reader may end without an error where a page is damaged
            lost = f"{self._pieces.height - self.tally.rows:,} of {self._pieces.height:,} rows"
            raise SourceError(f"{lost} of the data cannot be read; its parts are damaged: run the step that wrote them again")
        self.examples = pl.concat(examples).head(EXAMPLES)
        self.findings += misfits.findings(self.schema)
        if self._names:
            self.findings += table_checks(self.tally, self.schema, self._limits, self._now)
        self.findings += self._verdicts.findings()
        self.findings += remaining_checks(self.tally, self.schema, self._limits)

    def _split(self, raw: pl.DataFrame, misfits: Misfits) -> tuple[pl.DataFrame, pl.DataFrame]:
        conformed = conform(raw, self.schema)
        misfits.add(raw, conformed.misfits)
        kept, aside = self._verdicts.split(conformed.frame.with_columns(self._marks(conformed)), raw)
        kept = kept.select(self._names)
        self.tally.add(conformed.frame, kept)
        return kept, aside

    def _refused(self, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Nothing is in common with the schema: there is no row that fits."""
        self.tally.rows += raw.height
        return raw.clear(), raw.with_columns(pl.lit("the row has no column of the schema").alias(REASON))

    def _marks(self, conformed: Conformed) -> list[pl.Series]:
        rows = conformed.frame.height
        none = pl.zeros(rows, pl.Boolean, eager=True)
        marks = [conformed.misfits.get(name, none).alias(misfit_mark(name)) for name in self._converted]
        if self._repeats is not None:
            marks.append(self._repeats.slice(self.tally.rows, rows).alias(REPEATS))
        return marks
