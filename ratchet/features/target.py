"""What is to be predicted: which task the target column makes, which classes it has, and which of two is the positive one.

Nothing here may depend on how common a class is once a model is live: the rarer class of one month is the commoner one of another. So a
champion's answer is taken over, and the share of rows decides only the first time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ratchet.data.kinds import kind_of
from ratchet.errors import ParameterError, TargetError, nearest

TASKS = ("binary", "multiclass", "regression", "anomaly")
MAX_CLASSES = 100
MOST_INTEGER_CLASSES = 10
POSITIVE_WORDS = ("1", "true", "yes", "y", "positive")


@dataclass(frozen=True, slots=True)
class Target:
    """What a column means as a target.

    Attributes:
        column: Its name.
        task: "binary", "multiclass" or "regression".
        classes: Class names, the negative one first in "binary", sorted in "multiclass"; empty in "regression".
    """

    column: str
    task: str
    classes: tuple[str, ...] = ()

    @property
    def positive(self) -> str:
        """Name of the positive class; empty unless the task is "binary"."""
        return self.classes[1] if self.task == "binary" else ""


def class_names(values: pl.Series) -> pl.Series:
    """Return the values as class names: whole numbers without a point, booleans as true and false, texts as they are.

    >>> class_names(pl.Series([1.0, 0.0])).to_list(), class_names(pl.Series([True])).to_list()
    (['1', '0'], ['true'])
    """
    if values.dtype.is_float() and values.drop_nulls().round(0).eq(values.drop_nulls()).all():
        values = values.cast(pl.Int64)
    return values.cast(pl.String)


def read_target(values: pl.Series, *, task: str = "", positive: str = "", live: Target | None = None) -> Target:
    """Return what a target column means.

    Two values make "binary"; texts make "multiclass"; so do 3 to 10 whole numbers; other numbers make "regression". Of two classes the
    positive one is the one asked for, else the live model's, else 1, true or yes, else the rarer, else the last in the alphabet.

    Args:
        values: The column, named.
        task: The task asked for; empty to find it.
        positive: The positive class asked for; empty to find it.
        live: What the live model predicts, where there is one.

    Raises:
        ParameterError: there is no such task, or the task has no positive class.
        TargetError: a value is missing or not finite, all are equal, or the column does not fit the task.

    >>> read_target(pl.Series("y", ["yes", "no", "no"]))
    Target(column='y', task='binary', classes=('no', 'yes'))
    """
    if task and task not in TASKS:
        raise ParameterError(f"task {task!r} is unknown; {nearest(task, TASKS)}")
    _check_values(values)
    same = live if live is not None and live.column == values.name else None
    found = task or (same.task if same else _task_of(values))
    if found == "regression":
        if not values.dtype.is_numeric():
            raise TargetError(f"target {values.name!r} is {values.dtype}; regression needs numbers: choose another task or column")
        if positive:
            raise ParameterError(f"positive={positive!r} has no meaning in regression; leave it empty, or set task=binary")
        return Target(values.name, found)
    counts = class_names(values).value_counts().rows()
    classes = tuple(sorted(name for name, _ in counts))
    if found == "multiclass":
        return _multiclass(values, classes, positive)
    return _binary(values.name, dict(counts), positive or (same.positive if same else ""))


def _check_values(values: pl.Series) -> None:
    kind = kind_of(values.dtype)
    if kind not in ("integer", "number", "boolean", "string"):
        raise TargetError(f"target {values.name!r} is {values.dtype}, which nothing here predicts; choose numbers, texts or booleans")
    if values.len() == 0:
        raise TargetError(f"target {values.name!r} has no rows; ingest a longer period")
    missing = values.is_null() | (values.is_nan() if values.dtype.is_float() else False)
    if missing.any():
        raise TargetError(
            f"target {values.name!r} is missing in {missing.sum():,} of {values.len():,} rows, the first of them row {missing.arg_max()}; "
            f"leave out rows whose label is not known yet (ingest's until), or repair them"
        )
    if values.dtype.is_float() and values.is_infinite().any():
        raise TargetError(f"target {values.name!r} is infinite in row {values.is_infinite().arg_max()}; repair or remove that row")
    if values.n_unique() == 1:
        raise TargetError(
            f"target {values.name!r} is {values[0]!r} in all {values.len():,} rows, so there is nothing to learn; "
            f"choose another target, or ingest a longer period"
        )


def _task_of(values: pl.Series) -> str:
    distinct = values.n_unique()
    if distinct == 2:
        return "binary"
    if not values.dtype.is_numeric():
        return "multiclass"
    return "multiclass" if values.dtype.is_integer() and distinct <= MOST_INTEGER_CLASSES else "regression"


def _multiclass(values: pl.Series, classes: tuple[str, ...], positive: str) -> Target:
    if positive:
        raise ParameterError(f"positive={positive!r} has no meaning for {len(classes)} classes; leave it empty")
    if len(classes) > MAX_CLASSES:
        raise TargetError(
            f"target {values.name!r} has {len(classes):,} different values, more than {MAX_CLASSES} classes; "
            f"is it an identifier? choose another target, or set task=regression for numbers"
        )
    if all(name.lstrip("-").isdigit() for name in classes):
        classes = tuple(sorted(classes, key=int))
    return Target(values.name, "multiclass", classes)


def _binary(column: str, counts: dict[str, int], positive: str) -> Target:
    if len(counts) != 2:
        few = _few(sorted(counts))
        raise TargetError(f"target {column!r} has {len(counts)} different values ({few}), and binary takes 2; set task=multiclass")
    if positive and positive not in counts:
        raise TargetError(f"target {column!r} has no value {positive!r} to be the positive class; {nearest(positive, counts)}")
    words = [name for name in counts if name.lower() in POSITIVE_WORDS]
    chosen = positive or (words[0] if len(words) == 1 else min(sorted(counts, reverse=True), key=counts.__getitem__))
    return Target(column, "binary", (next(name for name in counts if name != chosen), chosen))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def encode(values: pl.Series, target: Target) -> np.ndarray:
    """Return the labels as numbers.

    Args:
        values: The target column.
        target: What it means.

    Returns:
        shape (n,): float64 0 or 1 in "binary", int64 places in ``classes`` in "multiclass", float64 in "regression".

    Raises:
        TargetError: a value is missing or of no known class.

    >>> encode(pl.Series("y", ["no", "yes"]), Target("y", "binary", ("no", "yes")))
    array([0., 1.])
    """
    if values.null_count():
        raise TargetError(f"target {target.column!r} is missing in row {values.is_null().arg_max()}; leave out rows without a label")
    if target.task == "regression":
        return np.asarray(values.cast(pl.Float64).to_numpy())
    names = class_names(values)
    codes = names.replace_strict(list(target.classes), list(range(len(target.classes))), default=None, return_dtype=pl.Int64)
    if codes.null_count():
        row = codes.is_null().arg_max()
        raise TargetError(f"target {target.column!r} is {values[row or 0]!r} in row {row}; known classes: {_few(target.classes)}")
    return np.asarray(codes.cast(pl.Float64 if target.task == "binary" else pl.Int64).to_numpy())
