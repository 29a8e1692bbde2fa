"""The rows that models are judged on.

Both sides of a comparison see the same labelled rows. Where the task is to find anomalies and labels cannot tell good from bad, because
there are none or because nobody has met an anomaly yet, the rows not known to be anomalies get some injected (`injection`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ratchet.data.tables import read_dataset
from ratchet.errors import SchemaError, nearest
from ratchet.evaluation.bootstrap import Blocks
from ratchet.evaluation.injection import Injected, Injection, inject
from ratchet.features.spec import FeatureSpec
from ratchet.features.target import class_names


@dataclass(frozen=True)
class Holdout:
    """Rows that trained neither model, and what they are.

    Attributes:
        frame: The rows.
        labels: shape (n,): 0 or 1; class indices (−1 for a class no model knows); or numbers.
        classes: Class names, by index; empty for numbers.
        unlabelled: Rows left out because they have no label.
        path: The Dataset.
        untouched: The rows before anything was injected, for slices.
        injected: What was injected; None where labels judge.
    """

    frame: pl.DataFrame
    labels: NDArray[np.generic]
    classes: tuple[str, ...]
    unlabelled: int
    path: str
    untouched: pl.DataFrame
    injected: Injected | None = None

    @classmethod
    def read(
        cls, path: str | Path, spec: FeatureSpec, other: FeatureSpec | None = None, *, injection: Injection | None = None
    ) -> "Holdout":
        """Return the rows of a Dataset to judge on.

        Args:
            path: The Dataset.
            spec: Says what the target is.
            other: Of a second model, which may know other classes and read other columns.
            injection: What to inject where labels cannot judge, in "anomaly" only; None for the defaults.

        Raises:
            SourceError: the Dataset cannot be read.
            SchemaError: the target is not there, or nothing can be injected.
            TargetError: a label of a two-class target is of no known class.
            EmptySampleError: there are too few rows to inject anomalies in.
            ParameterError: a kind of anomaly was asked for that the columns do not allow.
        """
        frame = read_dataset(path)
        if spec.target and spec.target not in frame.columns:
            raise SchemaError(f"holdout {str(path)!r} has no target column {spec.target!r}; {nearest(spec.target, frame.columns)}")
        labelled = spec.labelled(frame)
        if spec.task == "anomaly" and len(np.unique(spec.labels(labelled) if spec.target else [])) < 2:
            return cls._injected(frame, str(path), spec, other, injection or Injection())
        names = tuple(dict.fromkeys((*spec.classes, *(other.classes if other is not None else ()))))
        if spec.task == "multiclass":
            places = {name: place for place, name in enumerate(names)}
            labels = np.array([places.get(name, -1) for name in class_names(labelled[spec.target])], dtype=np.int64)
        else:
            labels = spec.labels(labelled)
            names = spec.classes
        return cls(labelled, labels, names, len(frame) - len(labelled), str(path), labelled)

    @classmethod
    def _injected(cls, frame: pl.DataFrame, path: str, spec: FeatureSpec, other: FeatureSpec | None, how: Injection) -> "Holdout":
        if spec.target:
            frame = frame.filter((class_names(frame[spec.target]) != spec.positive).fill_null(True))
        models = [spec] if other is None else [spec, other]
        apart = {name for model in models for name in (model.time, model.group, model.target, *model.key)}
        columns = {name for model in models for name in model.inputs} - apart
        made = inject(frame, columns, how, order=spec.time if spec.time in frame.columns else "")
        return cls(made.frame, made.labels, spec.classes, 0, path, frame, made)

    def blocks(self, spec: FeatureSpec) -> Blocks:
        """Return which rows are drawn together: by group, else by time, where the specification names one that the rows have."""
        group, time = (self.frame[name] if name in self.frame.columns else None for name in (spec.group, spec.time))
        return Blocks.of(len(self.frame), group=group, time=time)
