"""What a comparison found, and the words, numbers and page it is told in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ratchet.evaluation.bootstrap import Interval
from ratchet.evaluation.guards import SliceComparison
from ratchet.evaluation.verdict import Rules, Weighing
from ratchet.report import figures
from ratchet.report.metrics import MetricSink, log_metrics
from ratchet.report.page import Cell, Figure, Page, Table

WORST = 1.0
DRAWN = 25


@dataclass(frozen=True)
class Comparison:
    """Challenger against champion, or against the naive baseline.

    Attributes:
        weighing: Verdict, reason, losses, intervals, slices and guard rails.
        rows: Labelled rows compared on.
        unlabelled: Rows left out because they have no label.
        opponent: "champion" or "naive baseline".
        loss_told: What the loss is, in words.
        primary_name: Which metric must not get worse.
        blocks: What was drawn together in the bootstrap, in words.
        rules: What had to be shown.
        metrics: Every metric by contender.
        injected: What was injected, in a sentence; empty where labels judged.
    """

    weighing: Weighing
    rows: int = 0
    unlabelled: int = 0
    opponent: str = "champion"
    loss_told: str = ""
    primary_name: str = ""
    blocks: str = ""
    rules: Rules = field(default_factory=Rules)
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    injected: str = ""

    @classmethod
    def impossible(cls, reason: str, unlabelled: int) -> "Comparison":
        """Return the rejection of a challenger that there are no rows to judge on."""
        return cls(Weighing("reject", reason), unlabelled=unlabelled)

    @property
    def verdict(self) -> str:
        """ "release" or "reject"."""
        return self.weighing.verdict

    @property
    def reason(self) -> str:
        """Why, with figures and units."""
        return self.weighing.reason

    @property
    def loss_challenger(self) -> float:
        """Mean loss, 0 to 1; 1, the worst, where it cannot be known."""
        return _finite(self.weighing.loss_challenger)

    @property
    def loss_champion(self) -> float:
        """Mean loss of the opponent, 0 to 1; 1, the worst, where it cannot be known."""
        return _finite(self.weighing.loss_champion)

    @property
    def difference(self) -> float:
        """Challenger's loss minus the opponent's; negative is better, not a number where it cannot be known."""
        return self.weighing.loss.difference

    @property
    def low(self) -> float:
        """Lower end of the difference's interval."""
        return self.weighing.loss.low

    @property
    def high(self) -> float:
        """Upper end of the difference's interval."""
        return self.weighing.loss.high

    def log_to(self, sink: MetricSink) -> None:
        """Write verdict, losses, intervals and both models' metrics into a KFP Metrics artifact."""
        values: dict[str, float | int | str] = {"verdict": self.verdict, "opponent": self.opponent, "rows": self.rows}
        values |= {"loss_challenger": self.weighing.loss_challenger, "loss_champion": self.weighing.loss_champion}
        for name, span in (("loss", self.weighing.loss), ("primary", self.weighing.primary)):
            values |= {f"{name}_difference": span.difference, f"{name}_low": span.low, f"{name}_high": span.high}
        for name, measured in self.metrics.items():
            values |= {f"{metric} of {name}": value for metric, value in measured.items()}
        log_metrics(sink, values)

    def page(self) -> Page:
        """Return the report."""
        facts: dict[str, Cell] = {"loss": self.loss_told, "loss of the challenger": self.weighing.loss_challenger}
        facts |= {f"loss of the {self.opponent}": self.weighing.loss_champion, "rows": self.rows}
        facts |= {"anomalies": "injected"} if self.injected else {"rows without label": self.unlabelled}
        facts |= {"resampled": f"{self.rules.resamples:,} times, {self.blocks}"} if self.blocks else {}
        tone = "good" if self.verdict == "release" else "bad"
        return Page("Compare", self.verdict, self.reason, tone, facts, self._parts())

    def write_html(self, path: str | Path) -> None:
        """Write the report as one self-contained HTML file."""
        self.page().write_html(path)

    def write_markdown(self, path: str | Path) -> None:
        """Write verdict, guard rails and metrics as Markdown."""
        page = self.page()
        parts = [part for part in page.parts if isinstance(part, Table)]
        facts = {**page.facts, **({"anomalies": self.injected} if self.injected else {})}  # a note below a table is for the page only
        Page(page.title, page.verdict, page.reason, page.tone, facts, parts).write_markdown(path)

    def _parts(self) -> list[Figure | Table]:
        parts: list[Figure | Table] = []
        if math.isfinite(self.low):
            note = f"Challenger minus {self.opponent}; left of zero the challenger is better. {self.rules.confidence:.0%} interval."
            parts.append(Figure("Difference in loss", figures.intervals(self._drawn(), x="difference in loss"), note))
        if self.weighing.guards:
            rows: list[dict[str, Cell]] = [
                {"guard rail": rail.name, "holds": not rail.broken, "measured": rail.told, "flag": rail.broken}
                for rail in self.weighing.guards
            ]
            parts.append(Table("Guard rails", rows, "A guard rail can only reject.", flag="flag"))
        if self.metrics:
            names = dict.fromkeys(name for measured in self.metrics.values() for name in measured)
            table: list[dict[str, Cell]] = [
                {"metric": name} | {side: measured.get(name) for side, measured in self.metrics.items()} for name in names
            ]
            parts.append(Table("Metrics", table, f"Both on the same rows. {self.injected}".strip()))
        if self.weighing.slices:
            note = f"Intervals hold for all together. A slice may be worse by {self.rules.slice_tolerance:.0%} of the loss on all rows."
            parts.append(Table("Slices", [_slice_row(item, self.opponent) for item in self.weighing.slices], note, flag="flag"))
        return parts

    def _drawn(self) -> dict[str, tuple[float, float, float]]:
        spans = {"all rows": self.weighing.loss} | {item.name: item.interval for item in self.weighing.slices[:DRAWN]}
        return {name: (span.low, span.difference, span.high) for name, span in spans.items() if _known(span)}


def _slice_row(item: SliceComparison, opponent: str) -> dict[str, Cell]:
    return {
        "slice": item.name,
        "rows": item.rows,
        "loss of the challenger": item.loss_challenger,
        f"loss of the {opponent}": item.loss_champion,
        "difference": item.interval.difference,
        "low": item.interval.low,
        "high": item.interval.high,
        "flag": item.worse,
    }


def _known(span: Interval) -> bool:
    return math.isfinite(span.low) and math.isfinite(span.high)


def _finite(loss: float) -> float:
    return loss if math.isfinite(loss) else WORST
