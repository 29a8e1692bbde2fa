"""What an evaluation found, and the numbers and the page it is told in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ratchet.evaluation.curves import Curves
from ratchet.evaluation.latency import Latency
from ratchet.report import figures
from ratchet.report.metrics import MetricSink, log_metrics
from ratchet.report.page import Cell, Figure, Page, Table

ACRONYMS = ("rmse", "mae", "mape")
UNITS = {
    "log_loss": "log_loss is in nats.",
    "expected_cost": "expected_cost is in the unit of the costs.",
    "mape": "mape is a share, over the rows whose target is not zero.",
}
MOST_CATEGORIES = 20
MOST_BLAMED = 25


class CurveSink(Protocol):
    """What is needed of ``kfp.dsl.ClassificationMetrics``."""

    def log_confusion_matrix(self, categories: list[str], matrix: list[list[int]]) -> None:
        """Take a confusion matrix; row is truth, column is decision."""

    def log_roc_curve(self, fpr: list[float], tpr: list[float], threshold: list[float]) -> None:
        """Take the points of a ROC curve."""


@dataclass(frozen=True)
class SliceEvaluation:
    """A model on one slice.

    Attributes:
        name: The condition that the rows meet.
        rows: How many do.
        loss: Mean loss, 0 to 1.
        primary: The primary metric; not a number where the slice cannot give it.
        positives: Share of positive or anomalous rows; None where the task has none.
    """

    name: str
    rows: int
    loss: float
    primary: float
    positives: float | None


@dataclass(frozen=True)
class KindEvaluation:
    """A model on one kind of injected anomaly.

    Attributes:
        name: The kind.
        rows: How many were injected.
        recall: Share of them that the model flags.
        error: Their median error.
    """

    name: str
    rows: int
    recall: float
    error: float


@dataclass(frozen=True)
class Evaluation:
    """A model on a holdout.

    Attributes:
        task: "binary", "multiclass", "regression" or "anomaly".
        primary_name: The metric that the model is named by.
        primary_metric: Its value.
        metrics: Every metric by name, `loss` (0 to 1) first.
        loss_told: What the loss is, in words.
        rows: Labelled rows measured on.
        unlabelled: Rows left out because they have no label.
        threshold: A row is flagged when its probability or error is at least this; None where the task has no such decision.
        latency: Time of predictions.
        slices: The model on each slice.
        curves: Confusion matrix, ROC, calibration and score distribution, where the task has them.
        injected: What was injected, in a sentence; empty where labels judged.
        kinds: The model on each injected kind.
        blamed: Share of each feature in the error of the rows that were flagged, the largest first.
    """

    task: str
    primary_name: str
    primary_metric: float
    metrics: Mapping[str, float]
    loss_told: str
    rows: int
    unlabelled: int
    threshold: float | None
    latency: Latency
    slices: tuple[SliceEvaluation, ...] = ()
    curves: Curves = field(default_factory=Curves)
    injected: str = ""
    kinds: tuple[KindEvaluation, ...] = ()
    blamed: Mapping[str, float] = field(default_factory=dict)

    def log_to(self, sink: MetricSink) -> None:
        """Write the metrics and the latency into a KFP Metrics artifact."""
        found = {f"recall_{item.name}": item.recall for item in self.kinds}
        log_metrics(sink, {**self.metrics, **found, "rows": self.rows, "rows_without_label": self.unlabelled, **self.latency.metrics()})

    def log_curves_to(self, sink: CurveSink) -> None:
        """Write confusion matrix and ROC curve into a KFP ClassificationMetrics artifact; nothing for a regression."""
        if self.curves.confusion and len(self.curves.categories) <= MOST_CATEGORIES:
            sink.log_confusion_matrix(list(self.curves.categories), [list(row) for row in self.curves.confusion])
        if self.curves.roc is not None:
            points = self.curves.roc.thinned()
            rates = points.false_positive_rate.tolist(), points.true_positive_rate.tolist()
            sink.log_roc_curve(*rates, points.thresholds.tolist())

    def page(self) -> Page:
        """Return the report."""
        name = self.primary_name.replace("_", " ")
        shown = name.upper() if name in ACRONYMS else name[0].upper() + name[1:]
        reason = f"{shown} {self.primary_metric:.4g}, loss {self.metrics['loss']:.4g}, on {self.rows:,} rows."
        facts: dict[str, Cell] = {"task": self.task, "loss": self.loss_told}
        facts |= {"anomaly": self.curves.categories[1], **self._alarms()} if self.task == "anomaly" else {}
        facts |= {} if self.threshold is None else {"threshold": self.threshold}
        facts |= {"anomalies": "injected"} if self.injected else {"rows without label": self.unlabelled}
        facts |= {"latency, median": f"{self.latency.p50:.2g} ms"}
        return Page("Evaluate", reason=reason, facts=facts, parts=[*self._tables(), *self._figures()])

    def _alarms(self) -> dict[str, Cell]:
        return {"false alarms": f"{self.metrics['false_alarm_rate']:.2%} of the normal rows", "found": f"{self.metrics['recall']:.0%}"}

    def write_html(self, path: str | Path) -> None:
        """Write the report as one self-contained HTML file."""
        self.page().write_html(path)

    def _tables(self) -> list[Table]:
        note = " ".join(sentence for name, sentence in UNITS.items() if name in self.metrics)
        tables = [Table("Metrics", [{"metric": name, "value": value} for name, value in self.metrics.items()], note)]
        if self.curves.confusion and len(self.curves.categories) <= MOST_CATEGORIES:
            rows: list[dict[str, Cell]] = [
                {"truth": truth} | {f"decided {name}": count for name, count in zip(self.curves.categories, counts, strict=True)}
                for truth, counts in zip(self.curves.categories, self.curves.confusion, strict=True)
            ]
            tables.append(Table("Confusion matrix", rows))
        if self.kinds:
            kinds: list[dict[str, Cell]] = [
                {"kind": item.name, "rows": item.rows, "recall": item.recall, "median error": item.error} for item in self.kinds
            ]
            tables.append(Table("Injected anomalies", kinds, self.injected))
        if self.slices:
            tables.append(Table("Slices", [self._slice_row(item) for item in self.slices], "Slices with too few rows are left out."))
        speed: list[dict[str, Cell]] = [{"call": "one row, " + name, "ms": value} for name, value in self._speeds().items()]
        batch: dict[str, Cell] = {"call": f"{self.latency.batch_rows:,} rows, median", "ms": self.latency.batch_ms}
        return [*tables, Table("Latency", [*speed, batch], f"{self.latency.calls} single-row calls, this machine, this moment.")]

    def _speeds(self) -> dict[str, float]:
        return {"P50": self.latency.p50, "P90": self.latency.p90, "P95": self.latency.p95, "P99": self.latency.p99}

    def _slice_row(self, item: SliceEvaluation) -> dict[str, Cell]:
        row: dict[str, Cell] = {"slice": item.name, "rows": item.rows, "loss": item.loss, self.primary_name: item.primary}
        name = "anomalies" if self.task == "anomaly" else "positives"
        return row | ({} if item.positives is None else {name: f"{item.positives:.1%}"})

    def _figures(self) -> list[Figure]:
        drawn = []
        if self.curves.roc is not None:
            points = self.curves.roc.thinned(400)
            curve = {f"AUC {self.metrics['roc_auc']:.3f}": (points.false_positive_rate.tolist(), points.true_positive_rate.tolist())}
            drawn.append(Figure("ROC curve", figures.lines(curve, x="false positive rate", y="true positive rate", diagonal=True)))
        if self.curves.calibration:
            curve = {"model": ([b.predicted for b in self.curves.calibration], [b.observed for b in self.curves.calibration])}
            chart = figures.lines(curve, x="predicted probability", y="observed share of positives", diagonal=True)
            drawn.append(Figure("Calibration", chart, "Bins of equal numbers of rows. On the diagonal a probability means what it says."))
        if self.curves.scores:
            drawn.append(self._distribution())
        if self.blamed:
            shares = dict(list(self.blamed.items())[:MOST_BLAMED])
            note = "Mean share of each feature in the error of the rows that were flagged."
            note += f" The {MOST_BLAMED} largest of {len(self.blamed)} are drawn." if len(self.blamed) > MOST_BLAMED else ""
            drawn.append(Figure("What the alarms are about", figures.bars(shares, x="share of the error"), note))
        if self.slices:
            losses = {item.name: item.loss for item in self.slices[:25]}
            drawn.append(Figure("Loss by slice", figures.bars(losses, x="mean loss", mark_x={"all rows": self.metrics["loss"]})))
        return drawn

    def _distribution(self) -> Figure:
        scores = {f"truth {name}": shares for name, shares in self.curves.scores.items()}
        if self.task != "anomaly":
            chart = figures.histogram(self.curves.edges, scores, x="predicted probability", y="share of its rows")
            return Figure("Score distribution", chart)
        marks = {"threshold": self.threshold} if self.threshold else {}
        chart = figures.histogram(self.curves.edges, scores, x="reconstruction error", y="share of its rows", mark_x=marks, log_x=True)
        return Figure("Error distribution", chart, "Each class by itself, on a log axis. At or above the threshold a row is an anomaly.")
