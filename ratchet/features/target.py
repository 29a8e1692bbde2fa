"""What is to be predicted: which task the target column makes, which classes it has, and which of two is the positive one.

Nothing here may depend on how common a class is once a model is live: the rarer class of one month is the commoner one of another. So a
champion's answer is taken over, and the share of rows decides only the first time.

In "anomaly" labels are scarce by nature: there may be none (an empty column name), only normal ones, or rows without one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ratchet.data.kinds import kind_of
from ratchet.errors import ParameterError, TargetError, nearest

TASKS = ("binary", "multiclass", "regression", "anomaly")
TWO_CLASSES = ("binary", "anomaly")
MAX_CLASSES = 100
MOST_INTEGER_CLASSES = 10
POSITIVE_WORDS = ("1", "true", "yes", "y", "positive")
ANOMALY_WORDS = (*POSITIVE_WORDS, "anomaly", "anomalous", "abnormal", "outlier", "defect")
OPPOSITES = {"0": "1", "false": "true", "no": "yes", "n": "y", "negative": "positive", "normal": "anomaly"}
UNLABELLED = ("normal", "anomaly")


@dataclass(frozen=True, slots=True)
class Target:
    """What a column means as a target.

    Attributes:
        column: Its name; empty where rows have no labels, in "anomaly" only.
        task: "binary", "multiclass", "regression" or "anomaly".
        classes: Class names: the negative one, then the positive one, in "binary"; normal, then anomaly, in "anomaly"; sorted in
            "multiclass"; empty in "regression".
    """

    column: str
    task: str
    classes: tuple[str, ...] = ()

    @property
    def positive(self) -> str:
        """Name of the positive class, in "anomaly" the anomaly; empty unless there are two classes to tell apart."""
        return self.classes[1] if self.task in TWO_CLASSES else ""


def class_names(values: pl.Series) -> pl.Series:
    """Return the values as class names: whole numbers without a point, booleans as true and false, texts as they are.

    >>> class_names(pl.Series([1.0, 0.0])).to_list(), class_names(pl.Series([True])).to_list()
    (['1', '0'], ['true'])
    """
    values = values.fill_nan(None) if values.dtype.is_float() else values
    if values.dtype.is_float() and values.drop_nulls().round(0).eq(values.drop_nulls()).all():
        values = values.cast(pl.Int64)
    return values.cast(pl.String)


def read_target(values: pl.Series, *, task: str = "", positive: str = "", live: Target | None = None) -> Target:
    """Return what a target column means.

    Two values make "binary"; texts make "multiclass"; so do 3 to 10 whole numbers; other numbers make "regression"; "anomaly" is found
    only where the live model has it. Of two classes the positive one is the one asked for, else the live model's, else 1, true or yes,
    else the rarer, else the last in the alphabet. In "anomaly" rows may lack a label, and all others may be normal.

    Args:
        values: The column, named.
        task: The task asked for; empty to find it.
        positive: The positive class asked for; empty to find it.
        live: What the live model predicts, where there is one.

    Raises:
        ParameterError: there is no such task, or the task has no positive class.
        TargetError: a value is missing or not finite, all are equal, or the column does not fit the task; in "anomaly", every row is
            unlabelled, every labelled row an anomaly, or most rows are what is an anomaly by its name.

    >>> read_target(pl.Series("y", ["yes", "no", "no"]))
    Target(column='y', task='binary', classes=('no', 'yes'))
    """
    if task and task not in TASKS:
        raise ParameterError(f"task {task!r} is unknown; {nearest(task, TASKS)}")
    same = live if live is not None and live.column == values.name else None
    if (task or (same.task if same else "")) == "anomaly":
        return _anomaly(values, positive or (same.positive if same else ""))
    _check_values(values)
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


def no_target(*, task: str = "", positive: str = "", live: Target | None = None) -> Target:
    """Return what is meant where no column is the target: anomalies that nobody labels.

    Args:
        task: The task asked for; empty takes over the live model's.
        positive: Must be empty.
        live: What the live model predicts, where there is one.

    Raises:
        ParameterError: the task needs a target.

    >>> no_target(task="anomaly")
    Target(column='', task='anomaly', classes=('normal', 'anomaly'))
    """
    found = task or (live.task if live is not None and not live.column else "")
    if found != "anomaly":
        wanted = f"task={task!r} learns" if task else "a model learns"
        remedy = "name the column to predict, or set task=anomaly for rows without labels"
        raise ParameterError(f"target is empty, and {wanted} from one; {remedy}")
    if positive:
        raise ParameterError(f"positive={positive!r} is a value of a target, and target is empty; name the target, or leave positive empty")
    return Target("", "anomaly", UNLABELLED)


def is_labelled(values: pl.Series) -> pl.Series:
    """Return which rows have a label: neither null nor not a number.

    >>> is_labelled(pl.Series([1.0, None, float("nan")])).to_list()
    [True, False, False]
    """
    return values.is_not_null() & values.is_not_nan().fill_null(False) if values.dtype.is_float() else values.is_not_null()


def _check_kind(values: pl.Series) -> None:
    if kind_of(values.dtype) not in ("integer", "number", "boolean", "string"):
        raise TargetError(f"target {values.name!r} is {values.dtype}, which nothing here predicts; choose numbers, texts or booleans")
    if values.len() == 0:
        raise TargetError(f"target {values.name!r} has no rows; ingest a longer period")


def _check_values(values: pl.Series) -> None:
    _check_kind(values)
    missing = ~is_labelled(values)
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


def _anomaly(values: pl.Series, positive: str) -> Target:
    _check_kind(values)
    counts = dict(class_names(values.filter(is_labelled(values))).value_counts().rows())
    if not counts:
        raise TargetError(
            f"target {values.name!r} is missing in all {values.len():,} rows; leave target empty where there are no labels, "
            f"or ingest a longer period"
        )
    if len(counts) > 2:
        raise TargetError(
            f"target {values.name!r} has {len(counts)} different values ({_few(sorted(counts))}), and anomaly takes 2, what is normal and "
            f"what is not; make one column of them"
        )
    if len(counts) == 2:
        found = replace(_binary(values.name, counts, positive, ANOMALY_WORDS), task="anomaly")
        share = counts[found.positive] / sum(counts.values())
        if not positive and share > 0.5:
            raise TargetError(
                f"target {values.name!r}: {found.positive!r} is an anomaly by its name, and {share:.0%} of the rows; "
                f"set positive to the value that is the anomaly, {found.classes[0]!r} or {found.positive!r}"
            )
        return found
    only = next(iter(counts))
    anomaly = positive or OPPOSITES.get(only.lower(), "")
    if only == positive or (not positive and only.lower() in ANOMALY_WORDS):
        raise TargetError(
            f"target {values.name!r} is {only!r}, the anomaly, in every labelled row, so there is nothing normal to learn; "
            f"ingest a longer period, or set positive to what an anomaly is called"
        )
    if not anomaly:
        raise TargetError(f"target {values.name!r} is {only!r} in every labelled row; set positive to what an anomaly is called")
    return Target(values.name, "anomaly", (only, anomaly))


def _binary(column: str, counts: dict[str, int], positive: str, positive_words: Sequence[str] = POSITIVE_WORDS) -> Target:
    if len(counts) != 2:
        few = _few(sorted(counts))
        raise TargetError(f"target {column!r} has {len(counts)} different values ({few}), and binary takes 2; set task=multiclass")
    if positive and positive not in counts:
        raise TargetError(f"target {column!r} has no value {positive!r} to be the positive class; {nearest(positive, counts)}")
    words = [name for name in counts if name.lower() in positive_words]
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
        shape (n,): float64 0 or 1 in "binary" and "anomaly", int64 places in ``classes`` in "multiclass", float64 in "regression".

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
    return np.asarray(codes.cast(pl.Float64 if target.task in TWO_CLASSES else pl.Int64).to_numpy())
