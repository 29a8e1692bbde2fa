"""The two that are compared.

Where there is no champion the opponent is the best constant answer in hindsight, taken from the holdout's own labels: harder to beat than
any constant that could have been known before.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ratchet.errors import ParameterError
from ratchet.evaluation.holdout import Holdout
from ratchet.evaluation.losses import Loss
from ratchet.features.spec import FeatureSpec
from ratchet.features.target import TWO_CLASSES

if TYPE_CHECKING:
    from ratchet.models.package import ModelPackage

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Contender:
    """One side of a comparison.

    Attributes:
        name: "challenger", "champion" or "naive baseline".
        predictions: shape (n,) or (n, k), on the holdout's rows and classes.
        threshold: A row is flagged when its probability or error is at least this.
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
        task: "binary", "multiclass", "regression" or "anomaly".
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

    Two that find anomalies may be compared when one of them was made without labels: the other's say who is right.

    Raises:
        ParameterError: target, task or the two classes differ.
    """
    asked = [(spec.target, spec.task, spec.classes if spec.task in TWO_CLASSES else ()) for spec in (challenger, champion)]
    if asked[0] == asked[1] or (challenger.task == champion.task == "anomaly" and not (challenger.target and champion.target)):
        return
    answers = " (a probability and a reconstruction error)" if {challenger.task, champion.task} == set(TWO_CLASSES) else ""
    raise ParameterError(
        f"the challenger predicts {_question(challenger)} and the champion {_question(champion)}, so they cannot be compared{answers}; "
        f"deliver a model for another question under another name"
    )


def _question(spec: FeatureSpec) -> str:
    positive = f", {'anomaly' if spec.task == 'anomaly' else 'positive'} {spec.positive!r}" if spec.positive and spec.target else ""
    return f"{spec.target!r} ({spec.task}{positive})" if spec.target else f"what is unusual ({spec.task}, no labels)"
