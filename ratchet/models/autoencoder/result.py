"""What training an autoencoder made, and the page that a person reads of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ratchet.models.autoencoder.alarm import ANOMALY
from ratchet.models.autoencoder.fitting import Fit
from ratchet.models.autoencoder.latent_search import Trial
from ratchet.models.package import ModelPackage
from ratchet.report.metrics import MetricSink, log_metrics
from ratchet.report.page import Cell, Page, Table

if TYPE_CHECKING:
    from ratchet.report.page import Figure

BINS = 60
LEAST_ERROR = 1e-9  # where a logarithmic axis begins


@dataclass(frozen=True)
class ColumnError:
    """How well a column is made again.

    Attributes:
        name: The column.
        error: Mean error over the validation rows that are not known to be anomalies: of a number the share of its variance that is not
            explained, of a category nats.
        in_anomalies: Its mean share of an anomaly's error; None where no validation row is known to be one.
    """

    name: str
    error: float
    in_anomalies: float | None = None


@dataclass(frozen=True)
class AutoencoderResult:
    """What training made.

    Attributes:
        package: The model package, loaded from where it was written.
        history: The learning curve.
        labels: float64, shape (n,), of the validation rows: 0 normal, 1 anomaly, -1 not known.
        errors: float64, shape (n,), likewise.
        columns: How well each column is made again, the hardest first.
        trials: Of the search for the embedding's width; none where it was given.
        rows: Number of training and validation rows.
        device: What the network was trained on.
    """

    package: ModelPackage
    history: Fit
    labels: np.ndarray
    errors: np.ndarray
    columns: Sequence[ColumnError]
    trials: Sequence[Trial]
    rows: tuple[int, int]
    device: str

    @property
    def digest(self) -> str:
        """Digest of the package."""
        return self.package.digest

    @property
    def threshold(self) -> float:
        """At or above it a row is an anomaly."""
        assert self.package.threshold is not None
        return self.package.threshold

    @property
    def latent_size(self) -> int:
        """Width of the embedding."""
        return int(self.package.parameters["latent_size"])

    @property
    def alarm_rate(self) -> float:
        """Share of the validation rows at or above the threshold."""
        return float((self.errors >= self.threshold).mean())

    def log_to(self, sink: MetricSink) -> None:
        """Write what was measured into a Metrics artifact."""
        best = self.history.best_epoch - 1
        errors = {"train_error": self.history.train_error[best], "validation_error": self.history.validation_error[best]}
        told = {
            "threshold": self.threshold,
            "alarm_rate": self.alarm_rate,
            **{trial.measure: trial.score for trial in self.trials if trial.chosen},
        }
        counts = {"latent_size": self.latent_size, "epochs": len(self.history.train_error), "train_rows": self.rows[0]}
        log_metrics(sink, {**errors, **told, **{name: str(count) for name, count in counts.items()}, "device": self.device})

    def page(self) -> Page:
        """Return learning curve, errors with the threshold, what is hard to make again, and what the search found."""
        facts: dict[str, Cell] = {
            "embedding": self.latent_size,
            "best pass": self.history.best_epoch,
            "train rows": self.rows[0],
            "validation rows": self.rows[1],
            "threshold": self.threshold,
            "validation rows at or above it": self.alarm_rate,
            "trained on": self.device,
            "digest": self.digest[:19],
        }
        hard: list[dict[str, Cell]] = []
        for one in self.columns[:30]:
            shares: dict[str, Cell] = {} if one.in_anomalies is None else {"share of an anomaly's error": one.in_anomalies}
            hard.append({"column": one.name, "error": one.error, **shares})
        note = "Mean error of the usual validation rows: of a number the share of its variance that is lost, of a text nats."
        table = Table("What is hard to make again", hard, note=note)
        return Page("Train autoencoder", facts=facts, parts=(self._curve(), self._distribution(), *self._search(), table))

    def _curve(self) -> "Figure":
        from ratchet.report import figures
        from ratchet.report.page import Figure

        passes = list(range(1, len(self.history.train_error) + 1))
        svg = figures.lines(
            {"train": (passes, self.history.train_error), "validation": (passes, self.history.validation_error)},
            x="passes",
            y="mean error of a column",
            mark_x={"chosen": self.history.best_epoch},
            log_y=True,
        )
        return Figure(
            "Learning curve", svg, "After each pass over the training rows, as noise had them; the weights of the chosen one are kept."
        )

    def _distribution(self) -> "Figure":
        from ratchet.report import figures
        from ratchet.report.page import Figure

        errors = np.maximum(self.errors, LEAST_ERROR)
        edges = np.geomspace(errors.min() * 0.999, max(errors.max(), self.threshold) * 1.001, BINS + 1)
        anomalies = self.labels == ANOMALY
        parts = {"normal": errors[~anomalies], "anomaly": errors[anomalies]} if anomalies.any() else {"validation": errors}
        heights = {name: (np.histogram(part, edges)[0] / max(len(part), 1)).tolist() for name, part in parts.items()}
        svg = figures.histogram(
            edges.tolist(), heights, x="reconstruction error of a row", mark_x={"threshold": self.threshold}, log_x=True
        )
        return Figure("Errors of the validation rows", svg, "At or above the threshold a row is an anomaly.")

    def _search(self) -> "tuple[Table | Figure, ...]":
        if not self.trials:
            return ()
        from ratchet.report import figures
        from ratchet.report.page import Figure

        widths, measure = [trial.latent for trial in self.trials], self.trials[0].measure
        chosen = {"chosen": float(self.latent_size)}
        errors = figures.lines(
            {"error": (widths, [trial.error for trial in self.trials])}, x="width of the embedding", y="validation error", mark_x=chosen
        )
        scores = figures.lines(
            {measure: (widths, [trial.score for trial in self.trials])}, x="width of the embedding", y=measure, mark_x=chosen
        )
        rows: list[dict[str, Cell]] = [
            {"embedding": trial.latent, "validation error": trial.error, measure: trial.score, "taken": trial.chosen}
            for trial in self.trials
        ]
        note = "The narrowest whose score is within 0.01 of the best is taken."
        return (
            Figure("What a wider embedding makes again", errors),
            Figure("What a wider embedding is good for", scores, note),
            Table("Widths tried", rows, flag="taken"),
        )
