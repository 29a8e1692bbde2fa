"""Rows to embeddings and reconstruction errors, each anomaly with the column that it is seen by."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from ratchet.data.account import DatasetInfo
from ratchet.models.package import ModelPackage
from ratchet.report.metrics import MetricSink, log_metrics
from ratchet.report.page import Cell, Page, Table
from ratchet.scoring.batch import score_rows


@dataclass(frozen=True)
class Encoding:
    """What was encoded.

    Attributes:
        info: Of the Dataset that was written.
        anomalies: Rows whose error is at or above the threshold.
        threshold: Of the package; None where it has none, and then no row is an anomaly.
        mean: Of the errors; 0 without rows.
        largest: Of the errors.
        seen_by: Column to number of anomalies in whose error it has the largest share, the most frequent first.
    """

    info: DatasetInfo
    anomalies: int
    threshold: float | None
    mean: float
    largest: float
    seen_by: Mapping[str, int]

    @property
    def share(self) -> float:
        """Share of rows that are anomalies, 0 to 1."""
        return self.anomalies / self.info.rows if self.info.rows else 0.0

    def log_to(self, sink: MetricSink) -> None:
        """Write what was counted into a Metrics artifact."""
        counts = {"rows": str(self.info.rows), "anomalies": str(self.anomalies)}
        log_metrics(sink, {"anomaly_share": self.share, "mean_error": self.mean, "largest_error": self.largest, **counts})

    def page(self) -> Page:
        """Return how many anomalies there are, and which columns they are seen by."""
        facts: dict[str, Cell] = {
            "rows": self.info.rows,
            "anomalies": self.anomalies,
            "share": self.share,
            "threshold": self.threshold,
            "mean error": self.mean,
            "largest error": self.largest,
        }
        rows: list[dict[str, Cell]] = [{"column": name, "anomalies": count} for name, count in self.seen_by.items()]
        note = "In how many anomalies a column has the largest share of the error."
        return Page("Encode", facts=facts, parts=[Table("What anomalies are seen by", rows, note=note)] if rows else ())


class Encoder:
    """Makes the columns of some rows, and counts what it saw of all."""

    def __init__(self, package: ModelPackage) -> None:
        """Encode with an autoencoder's package.

        Raises:
            PackageError: it is of another kind.
        """
        self.package = package
        self.columns = np.array(package.encoder.preparation.columns)
        self.rows = self.anomalies = 0
        self.sum = self.largest = 0.0
        self.seen_by: Counter[str] = Counter()

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return embedding, error, anomaly, and the column with the largest share of the error, with that share."""
        encoded = self.package.encode(rows, shares=True)
        assert encoded.shares is not None
        threshold = np.inf if self.package.threshold is None else self.package.threshold
        anomaly = encoded.errors >= threshold
        top = encoded.shares.argmax(axis=1)
        self._count(encoded.errors, anomaly, top)
        return pl.DataFrame(
            {
                **{f"embedding_{place}": np.ascontiguousarray(column) for place, column in enumerate(encoded.embedding.T)},
                "error": encoded.errors,
                "anomaly": anomaly,
                "top_column": pl.Series(self.columns.tolist(), dtype=pl.String).gather(top),
                "top_share": np.take_along_axis(encoded.shares, top[:, None], axis=1)[:, 0],
            }
        )

    def _count(self, errors: np.ndarray, anomaly: np.ndarray, top: np.ndarray) -> None:
        self.rows += len(errors)
        self.anomalies += int(anomaly.sum())
        self.sum += float(errors.sum())
        self.largest = max(self.largest, float(errors.max(initial=0.0)))
        for place, count in enumerate(np.bincount(top[anomaly], minlength=len(self.columns)).tolist()):
            self.seen_by[str(self.columns[place])] += count


def encode_rows(rows_path: str | Path, model_path: str | Path, output_path: str | Path, *, keep: Sequence[str] = ()) -> Encoding:
    """Write embeddings and errors of a Dataset's rows.

    Args:
        rows_path: Dataset with the columns that the model reads.
        model_path: An autoencoder's package.
        output_path: Dataset to appear, with as many rows, in the same order: the columns kept, ``embedding_0`` and so on, ``error``,
            ``anomaly``, ``top_column`` (the one with the largest share of the error) and ``top_share``.
        keep: Columns to keep; empty for key, time and group.

    Raises:
        DataError: as for `score_rows`.
        PackageError: the package is damaged or no autoencoder's, or its network gives what is no number.
    """
    encoder = Encoder(ModelPackage.load(model_path))
    info = score_rows(rows_path, encoder.package, output_path, encoder, keep=keep)
    mean = encoder.sum / encoder.rows if encoder.rows else 0.0
    seen_by = {name: count for name, count in encoder.seen_by.most_common() if count}
    return Encoding(info, encoder.anomalies, encoder.package.threshold, mean, encoder.largest, seen_by)
