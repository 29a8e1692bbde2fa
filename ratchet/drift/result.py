"""What a comparison of two tables found, and the words, numbers and pages it is told in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ratchet.data.revision import Revision
from ratchet.drift.columns import ColumnDrift
from ratchet.report import figures
from ratchet.report.metrics import MetricSink, log_metrics
from ratchet.report.page import Cell, Figure, Page, Table

TOLD = 4  # drifted columns that the reason says more of than the name
NAMED = 16
DRAWN = 25
TINY = 1e-12  # a p-value below it tells nobody more than that
TONES = {"drifted": "bad", "stable": "good", "unknown": "neutral"}


@dataclass(frozen=True)
class DriftResult:
    """Drift between a reference and a current table.

    Attributes:
        verdict: "drifted", "stable" or "unknown".
        reason: Why, in a sentence or two.
        drifted_share: Share of the input columns that drifted, 0 to 1; 0 when unknown.
        columns: Every column compared, the farthest moved first.
        rows: Rows of the reference and of the current table.
        not_compared: Why a column was left out, by name.
        paths: The two Datasets, for the report that Evidently draws.
        revision: What became of the rows that the model learnt from; None without a model.
    """

    verdict: str
    reason: str
    drifted_share: float
    columns: tuple[ColumnDrift, ...] = ()
    rows: tuple[int, int] = (0, 0)
    not_compared: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, str] = ("", "")
    revision: Revision | None = None

    @classmethod
    def unknown(cls, reason: str) -> "DriftResult":
        """Return the result of a comparison that could not be made."""
        return cls("unknown", reason, 0.0)

    @classmethod
    def judged(
        cls,
        columns: tuple[ColumnDrift, ...],
        *,
        share_threshold: float,
        rows: tuple[int, int],
        not_compared: Mapping[str, str],
        note: str,
        paths: tuple[str, str],
    ) -> "DriftResult":
        """Return the verdict on compared columns.

        Args:
            columns: What became of each.
            share_threshold: Share of drifted input columns that is tolerated.
            rows: Rows of the reference and of the current table.
            not_compared: Why a column was left out, by name.
            note: A sentence to add to the reason, or empty.
            paths: The two Datasets.
        """
        ordered = tuple(sorted(columns, key=lambda column: (-(column.distance / column.limit), column.name)))
        inputs = [column for column in ordered if column.role == "input"]
        share = sum(column.drifted for column in inputs) / len(inputs) if inputs else 0.0
        predictions = any(column.drifted for column in ordered if column.role == "prediction")
        verdict = "drifted" if share > share_threshold or predictions else "stable"
        if all(column.limit >= 1 for column in ordered):
            verdict = "unknown"
        reason = " ".join(filter(None, [_reason(verdict, ordered, inputs, rows), note]))
        return cls(verdict, reason, share, ordered, rows, not_compared, paths)

    @property
    def drifted_columns(self) -> tuple[str, ...]:
        """Names of the input columns that drifted, the farthest moved first."""
        return tuple(column.name for column in self.columns if column.drifted and column.role == "input")

    def log_to(self, sink: MetricSink) -> None:
        """Write the verdict, the share and each column's distance into a KFP Metrics artifact."""
        values: dict[str, float | int | str] = {"verdict": self.verdict, "drifted_share": self.drifted_share}
        values |= {"reference_rows": self.rows[0], "current_rows": self.rows[1], "drifted_columns": ", ".join(self.drifted_columns)}
        log_metrics(sink, values | {f"distance of {column.name}": column.distance for column in self.columns})

    def page(self) -> Page:
        """Return the report."""
        facts: dict[str, Cell] = {"drifted columns": len(self.drifted_columns), "columns compared": len(self.columns)}
        facts |= {"reference rows": self.rows[0], "current rows": self.rows[1]}
        return Page("Drift", self.verdict, self.reason, TONES[self.verdict], facts, self._parts())

    def write_html(self, path: str | Path) -> None:
        """Write the report as one self-contained HTML file."""
        self.page().write_html(path)

    def write_markdown(self, path: str | Path) -> None:
        """Write the verdict and the drifted columns as Markdown."""
        rows = [_row(column) for column in self.columns if column.drifted]
        parts = [Table("What drifted", rows, flag="drifted")] if rows else []
        page = self.page()
        Page(page.title, page.verdict, page.reason, page.tone, page.facts, parts).write_markdown(path)

    def write_evidently(self, path: str | Path, *, rows: int = 5_000, seed: int = 0) -> None:
        """Write Evidently's report when drift is there, else a page that says why there is none.

        Args:
            path: HTML file.
            rows: Rows of the sample drawn from each table.
            seed: Of the sample.
        """
        if self.verdict != "drifted":
            reason = f"Evidently draws its report only when drift is there; the verdict is {self.verdict!r}. {self.reason}"
            Page("Evidently", "not drawn", reason).write_html(path)
            return
        from ratchet.drift.evidently_report import write_evidently

        names = [column.name for column in self.columns if column.role != "prediction"]
        write_evidently(*self.paths, path, columns=names, rows=rows, seed=seed)

    def _parts(self) -> list[Table | Figure]:
        if not self.columns:
            return []
        limits = {column.limit for column in self.columns}
        chart = figures.bars(
            {column.name: column.distance for column in self.columns[:DRAWN]},
            x="distance (D, or total variation for categories), 0 to 1",
            mark_x={"limit": min(limits)} if len(limits) == 1 else None,
        )
        note = "A column has drifted when its distance exceeds its limit: the threshold, or what chance does at this number of rows."
        parts: list[Table | Figure] = [
            Figure("Distance by column", chart, note if len(self.columns) <= DRAWN else f"{note} The {DRAWN} farthest moved are drawn."),
            Table("Columns", [_row(column) for column in self.columns], flag="drifted"),
        ]
        for kind, title in (("number", "Statistics of numbers"), ("category", "Statistics of categories")):
            measured = [column for column in self.columns if column.kind == kind and column.statistics]
            if measured:
                parts.append(Table(title, _rectangular(measured), NOTES[kind]))
        if self.revision is not None:
            parts.append(self.revision.table())
        if self.not_compared:
            parts.append(Table("Not compared", [{"column": name, "why": why} for name, why in self.not_compared.items()]))
        return parts


NOTES = {
    "number": "psi_deciles is over deciles of the reference, psi_sturges over Evidently's bins; they can differ tenfold. Jensen–Shannon "
    "and Kullback–Leibler are over the deciles. Wasserstein is in the column's unit. A p-value below 10⁻¹² is shown as 0.",
    "category": "Over the single categories; an empty one counts as a share of 0.0001 in PSI and Kullback–Leibler. "
    "A p-value below 10⁻¹² is shown as 0.",
}


def _reason(verdict: str, ordered: tuple[ColumnDrift, ...], inputs: list[ColumnDrift], rows: tuple[int, int]) -> str:
    if verdict == "unknown":
        return f"{rows[0]:,} reference rows and {rows[1]:,} current rows are too few to tell drift from chance."
    drifted = [column for column in inputs if column.drifted]
    counted = f"{len(drifted)} of {len(inputs)} columns drifted"
    others = [f"The {_called(c)} {'drifted' if c.drifted else 'did not drift'} ({_told(c)})." for c in ordered if c.role != "input"]
    if drifted:
        told = "; ".join(f"{column.name} {_told(column)}" for column in drifted[:TOLD])
        names = ", ".join(column.name for column in drifted[TOLD:NAMED])
        rest = f" and {len(drifted) - NAMED} more" if len(drifted) > NAMED else ""
        return " ".join([f"{counted}: {told}{f'; also {names}{rest}' if names else ''}.", *others])
    farthest = ""
    if inputs:
        told = f"the farthest moved is {inputs[0].name} ({_told(inputs[0])}), below its limit of {inputs[0].limit:.3f}"
        farthest = f"; {told if inputs[0].distance else 'none moved at all'}"
    return " ".join([f"{counted}{farthest}.", *others])


def _called(column: ColumnDrift) -> str:
    return column.name if column.role == "prediction" else column.role


def _told(column: ColumnDrift) -> str:
    return f"by {column.distance:.3f}, {column.moved}"


def _row(column: ColumnDrift) -> dict[str, Cell]:
    return {
        "column": column.name,
        "role": column.role,
        "distance": round(column.distance, 4),
        "limit": column.limit,
        "where it is largest": column.moved,
        "missing, reference": f"{column.missing_reference:.1%}",
        "missing, current": f"{column.missing_current:.1%}",
        "drifted": column.drifted,
    }


def _rectangular(columns: list[ColumnDrift]) -> list[dict[str, Cell]]:
    names = list(dict.fromkeys(name for column in columns for name in column.statistics))
    return [{"column": column.name} | {name: _shown(name, column.statistics.get(name)) for name in names} for column in columns]


def _shown(name: str, value: float | None) -> float | None:
    return 0.0 if value is not None and name.endswith("p_value") and value < TINY else value
