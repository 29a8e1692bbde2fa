"""Rows to predictions and what they mean, for a package of any kind."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ratchet.data.account import DatasetInfo
from ratchet.models.package import ModelPackage
from ratchet.report.metrics import MetricSink, log_metrics
from ratchet.report.page import Cell, Page, Table
from ratchet.scoring.batch import score_rows


@dataclass(frozen=True)
class Predictions:
    """What was predicted.

    Attributes:
        info: Of the Dataset that was written.
        decisions: Class to number of rows it was decided for, the classes in their order; empty for a regression.
    """

    info: DatasetInfo
    decisions: Mapping[str, int]

    def log_to(self, sink: MetricSink) -> None:
        """Write what was counted into a Metrics artifact."""
        decided = {f"decided_{name}": str(count) for name, count in self.decisions.items()}
        log_metrics(sink, {"rows": str(self.info.rows), **decided})

    def page(self) -> Page:
        """Return how many rows there are, and what was decided of them."""
        rows: list[dict[str, Cell]] = [
            {"decision": name, "rows": count, "share": count / max(1, self.info.rows)} for name, count in self.decisions.items()
        ]
        return Page("Predict", facts={"rows": self.info.rows}, parts=[Table("Decisions", rows)] if rows else ())


class Predictor:
    """Makes the columns of some rows, and counts what was decided of all."""

    def __init__(self, package: ModelPackage) -> None:
        """Predict with a package."""
        self.package = package
        self.decisions: Counter[str] = Counter()

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the prediction, or the probability of each class, and unless it is a regression the decision."""
        spec = self.package.spec
        found = self.package.predict(rows)
        if spec.task == "regression":
            return pl.DataFrame({"prediction": found})
        names = [f"probability_{name}" for name in spec.classes] if spec.task == "multiclass" else ["prediction"]
        columns = found.T if spec.task == "multiclass" else [found]
        decided = pl.Series("decision", self.package.decide(found).tolist(), dtype=pl.String)
        self.decisions.update(dict(decided.value_counts(name="rows").iter_rows()))
        return pl.DataFrame([*(pl.Series(name, column) for name, column in zip(names, columns, strict=True)), decided])


def predict_rows(rows_path: str | Path, model_path: str | Path, output_path: str | Path, *, keep: Sequence[str] = ()) -> Predictions:
    """Write a model's predictions of a Dataset's rows.

    Args:
        rows_path: Dataset with the columns that the model reads.
        model_path: Model package.
        output_path: Dataset to appear, with as many rows, in the same order: the columns kept, ``prediction`` (probability of the positive
            class, value, or reconstruction error) or ``probability_<class>`` of each class, and ``decision``, but for a regression.
        keep: Columns to keep; empty for key, time and group.

    Raises:
        DataError: as for `score_rows`.
        PackageError: the package is damaged.
    """
    predictor = Predictor(ModelPackage.load(model_path))
    info = score_rows(rows_path, predictor.package, output_path, predictor, keep=keep)
    classes = () if predictor.package.spec.task == "regression" else predictor.package.spec.classes
    return Predictions(info, {name: predictor.decisions[name] for name in classes})
