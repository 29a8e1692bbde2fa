"""The losses of both models on the requests that count, grouped into blocks that are closed.

A request counts when its label is known. Where there are never labels the loss is an alarm, and each request counts at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ratchet.errors import ParameterError
from ratchet.evaluation.losses import Loss

if TYPE_CHECKING:
    from ratchet.models.description import Description

Array = NDArray[np.float64]
NEVER = 0.5


@dataclass(frozen=True)
class Judged:
    """What has to be known of a model to judge its predictions.

    Attributes:
        task: "binary", "multiclass", "regression" or "anomaly".
        classes: Class names, as labels have them; none where there are never labels.
        threshold: Its own; a row is flagged when its probability, or its reconstruction error, is at least this.
    """

    task: str
    classes: tuple[str, ...]
    threshold: float

    @classmethod
    def of(cls, description: "Description") -> "Judged":
        """Take it from what a package says about itself."""
        spec = description.spec
        threshold = NEVER if description.threshold is None else description.threshold
        return cls(spec.task, spec.classes if spec.target else (), threshold)


@dataclass(frozen=True)
class PairLosses:
    """Losses of pairs that count, in order of availability.

    Attributes:
        champion: shape (pairs,), in [0, 1]; not a number where it gave none.
        challenger: shape (pairs,), likewise.
        blocks: shape (pairs,): pairs of one unit in one window of time.
        constants: Losses of always giving one answer, where the loss counts wrong decisions.
        unusable: Pairs whose label is no class of the model, or no number.
    """

    champion: Array
    challenger: Array
    blocks: NDArray[np.int64]
    constants: Mapping[str, Array] = field(default_factory=dict)
    unusable: int = 0

    @classmethod
    def of(
        cls, pairs: pl.DataFrame, champion: Judged, challenger: Judged, loss: Mapping[str, Any], *, block: float, as_of: float
    ) -> "PairLosses":
        """Return the losses of the pairs whose label is known, where the loss needs one, and whose block is closed.

        Args:
            pairs: From `ratchet.traffic.pairs.paired`; for a loss that needs no label, from `at_once`.
            champion: The model in column ``champion``.
            challenger: The model in column ``challenger``.
            loss: As the policy has it.
            block: Seconds of a window; 0 where each pair is a block of its own.
            as_of: Unix seconds; a window that ends later is open.

        Raises:
            ParameterError: the two models do not predict the same.
        """
        rule = Loss(**loss)
        classes = champion.classes or challenger.classes
        comparable = challenger.classes in ((), classes) or not rule.needs_labels
        if champion.task != challenger.task or not comparable:
            raise ParameterError(
                f"the champion predicts {champion.task} {list(champion.classes)}, the challenger {challenger.task} "
                f"{list(challenger.classes)}: they cannot be compared; promote by hand, or train on the same target"
            )
        known = closed(pairs.filter(pl.col("label").is_not_null()) if rule.needs_labels else pairs, block, as_of)
        labels = numbers(known["label"], champion.task, classes) if rule.needs_labels else np.zeros(known.height)
        usable = np.isfinite(labels)
        known, labels = known.filter(pl.Series(usable, dtype=pl.Boolean)), labels[usable]
        width = len(classes) if champion.task == "multiclass" else 1
        first = rule.per_row(labels, answers(known["champion"], width), champion.threshold)
        second = rule.per_row(labels, answers(known["challenger"], width), challenger.threshold)
        constants = {}
        if rule.kind == "cost":
            constants = {
                name: rule.per_row(labels, np.full(len(labels), value), NEVER) for name, value in zip(classes, (0.0, 1.0), strict=True)
            }
        return cls(first, second, known["block"].to_numpy(), constants, int((~usable).sum()))


def at_once(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return pairs as a loss takes them that needs no label: each is available from its request on, in that order.

    Args:
        pairs: From `ratchet.traffic.pairs.paired`.
    """
    return pairs.with_columns(label=pl.lit("", pl.String), available=pl.col("time")).sort("available", "request_id")


def closed(pairs: pl.DataFrame, block: float, as_of: float) -> pl.DataFrame:
    """Return the pairs of closed blocks with a column ``block``.

    A block is what one unit did in one window of time, by when its pairs became available. With windows of no length each pair is a block
    of its own, and there is nothing to wait for.
    """
    if not block:
        return pairs.with_columns(block=pl.int_range(pl.len(), dtype=pl.Int64))
    window = (pl.col("available") / block).floor()
    whole = pairs.filter((window + 1) * block <= as_of)
    unit = pl.when(pl.col("unit") != "").then(pl.col("unit")).otherwise(pl.col("request_id"))
    return whole.with_columns(block=pl.struct(window, unit.alias("of")).rank("dense").cast(pl.Int64))


def numbers(labels: pl.Series, task: str, classes: tuple[str, ...]) -> Array:
    """Return labels as the loss reads them; not a number for what is no label of the task.

    Args:
        labels: shape (n,), text as recorded.
        task: "binary", "multiclass", "regression" or "anomaly".
        classes: Class names; a label that is none of many is -1, because a model that does not know it was wrong.

    >>> numbers(pl.Series(["1", "0.0", "true", "yes", "?"]), "binary", ("0", "1")).tolist()
    [1.0, 0.0, 1.0, nan, nan]
    """
    if task == "regression":
        found = labels.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
        return np.where(np.isfinite(found), found, np.nan)
    places = {name: float(place) for place, name in enumerate(classes)}
    unknown = np.nan if task in ("binary", "anomaly") else -1.0
    known = {text: places.get(text, places.get(_class_name(text, places), unknown)) for text in labels.unique().to_list()}
    return np.array([known[text] for text in labels.to_list()], dtype=np.float64)


def answers(predictions: pl.Series, width: int) -> Array:
    """Return predictions as an array, not a number where there is none of the right width.

    Args:
        predictions: Lists of numbers, or null.
        width: Numbers of each: 1, or one for each of several classes.

    Returns:
        shape (n,), or (n, width).
    """
    fitting = predictions.set(predictions.list.len().fill_null(0) != width, None)
    blank = [float("nan")] * width
    rows = np.array([blank if row is None else row for row in fitting.to_list()], dtype=np.float64).reshape(-1, width)
    return rows[:, 0] if width == 1 else rows


def _class_name(text: str, places: Mapping[str, float]) -> str:
    """Return a label as a class would be named: whole numbers without a point, truth as 1 where there is a class 1."""
    try:
        number = float(text)
        return str(int(number)) if number.is_integer() else text
    except (ValueError, OverflowError):
        truth = {"true": "1", "false": "0"}.get(text.lower(), text)
        return truth if truth in places else text.lower()
