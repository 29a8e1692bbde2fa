"""The two that are compared, and the rows that they are compared on.

Both see the same labelled rows. Where there is no champion the opponent is the best constant answer in hindsight, taken from the
holdout's own labels: harder to beat than any constant that could have been known before.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ratchet.data.tables import read_dataset
from ratchet.errors import ParameterError, SchemaError, nearest
from ratchet.evaluation.bootstrap import Blocks
from ratchet.evaluation.losses import Loss
from ratchet.features.spec import FeatureSpec
from ratchet.features.target import class_names

if TYPE_CHECKING:
    from ratchet.models.package import ModelPackage

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Holdout:
    """Labelled rows that trained neither model.

    Attributes:
        frame: The rows.
        labels: shape (n,): 0 or 1; class indices (−1 for a class no model knows); or numbers.
        classes: Class names, by index; empty for numbers.
        unlabelled: Rows left out because they have no label.
        path: The Dataset.
    """

    frame: pl.DataFrame
    labels: NDArray[np.generic]
    classes: tuple[str, ...]
    unlabelled: int
    path: str

    @classmethod
    def read(cls, path: str | Path, spec: FeatureSpec, classes: tuple[str, ...] = ()) -> "Holdout":
        """Return the labelled rows of a Dataset.

        Args:
            path: The Dataset.
            spec: Says what the target is.
            classes: Class names beyond those of the specification, for a second model.

        Raises:
            SourceError: the Dataset cannot be read.
            SchemaError: the target is not there.
            TargetError: a label of a two-class target is of no known class.
        """
        frame = read_dataset(path)
        if spec.target not in frame.columns:
            raise SchemaError(f"holdout {str(path)!r} has no target column {spec.target!r}; {nearest(spec.target, frame.columns)}")
        target = pl.col(spec.target)
        labelled = frame.filter(target.is_not_null() & (target.is_not_nan() if frame.schema[spec.target].is_float() else True))
        names = tuple(dict.fromkeys((*spec.classes, *classes)))
        if spec.task == "multiclass":
            places = {name: place for place, name in enumerate(names)}
            labels = np.array([places.get(name, -1) for name in class_names(labelled[spec.target])], dtype=np.int64)
        else:
            labels = spec.labels(labelled)
        return cls(labelled, labels, names, len(frame) - len(labelled), str(path))

    def blocks(self, spec: FeatureSpec) -> Blocks:
        """Return which rows are drawn together: by group, else by time, where the specification names one that the rows have."""
        group, time = (self.frame[name] if name in self.frame.columns else None for name in (spec.group, spec.time))
        return Blocks.of(len(self.frame), group=group, time=time)


@dataclass(frozen=True)
class Contender:
    """One side of a comparison.

    Attributes:
        name: "challenger", "champion" or "naive baseline".
        predictions: shape (n,) or (n, k), on the holdout's rows and classes.
        threshold: A row is flagged when its probability is at least this.
        size_bytes: Of the package; 0 for a baseline.
    """

    name: str
    predictions: Array
    threshold: float = 0.5
    size_bytes: int = 0

    @property
    def unfinished(self) -> int:
        """Rows whose prediction is not a finite number."""
        finite = np.isfinite(self.predictions)
        return int(np.sum(~(finite.all(axis=1) if finite.ndim == 2 else finite)))


def contender(name: str, model: "ModelPackage", holdout: Holdout) -> Contender:
    """Return a model's predictions on the holdout, its classes put in the holdout's order.

    Raises:
        SchemaError: the holdout lacks an input of the model.
    """
    predictions = np.asarray(model.predict(holdout.frame), dtype=np.float64)
    if predictions.ndim == 2:
        aligned = np.zeros((len(predictions), len(holdout.classes)))
        aligned[:, [holdout.classes.index(known) for known in model.spec.classes]] = predictions
        predictions = aligned
    return Contender(name, predictions, 0.5 if model.threshold is None else model.threshold, model.size_bytes)


def baseline(task: str, labels: NDArray[np.generic], classes: int, loss: Loss) -> Contender:
    """Return the constant answer with the smallest loss on these labels.

    Args:
        task: "binary", "multiclass" or "regression".
        labels: shape (n,), at least one.
        classes: Number of classes.
        loss: What the answer is to keep small; with costs, the constant is the cheaper of flagging all and flagging none.

    >>> baseline("binary", np.array([0, 0, 0, 1]), 2, Loss("brier")).predictions.tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    rows = len(labels)
    if task == "regression":
        return Contender("naive baseline", np.full(rows, float(np.median(np.asarray(labels, dtype=np.float64)))))
    if task == "multiclass":
        whole = np.asarray(labels, dtype=np.int64)
        shares = np.bincount(whole[whole >= 0], minlength=classes) / max(int(np.sum(whole >= 0)), 1)
        return Contender("naive baseline", np.tile(shares, (rows, 1)))
    break_even = loss.cost_false_positive / (loss.cost_false_positive + loss.cost_false_negative)
    return Contender("naive baseline", np.full(rows, float(np.mean(np.asarray(labels, dtype=np.float64)))), break_even)


def check_comparable(challenger: FeatureSpec, champion: FeatureSpec) -> None:
    """Refuse two models that answer different questions.

    Raises:
        ParameterError: target, task or the two classes differ.
    """
    asked = [(spec.target, spec.task, spec.classes if spec.task == "binary" else ()) for spec in (challenger, champion)]
    if asked[0] != asked[1]:
        told = [f"{target!r} ({task}{', positive ' + repr(classes[1]) if classes else ''})" for target, task, classes in asked]
        raise ParameterError(
            f"the challenger predicts {told[0]} and the champion {told[1]}, so they cannot be compared; "
            f"deliver a model for another question under another name"
        )
