"""The loss that a model is judged by: one number a row, between 0 and 1, fixed before anybody looks.

Which loss decides whether a better model is found at all:

- Where costs of a false negative and a false positive are stated (they differ), the loss is the cost of the decision at the model's own
  threshold. It is what the rollout's judge will measure on live traffic, so the two gates agree.
- Where nobody stated costs, plain accuracy will not do: at 0.84% fraud a model that never flags loses almost nothing. The loss is then
  the log loss, which is the decision's cost averaged over all the costs that could have been stated, every ratio of the two as likely
  on a log scale. (The Brier score is such an average too, but has most of its weight on nearly equal costs, where rare positives
  hardly count: on simulated card fraud it finds 4 of 8 better models, the log loss 8.) It uses the whole probability, so it tells
  models apart on far fewer rows than counting errors does. Probabilities are kept within 0.001 and 0.999, that is ratios within
  1:999, so that one row cannot decide. Training with class weights bends probabilities; state the costs instead.
- For numbers it is the absolute error over the width of the target's middle 98%, clipped at 1, so that a few wild rows do not decide.
- For anomalies it is the cost of the decision, too, because a reconstruction error is no probability. Where nobody stated costs they are
  balanced by how rare anomalies are among given labels: a miss costs (1 - share) / share false alarms, so that never flagging and always
  flagging lose alike, and neither is worth anything. Where there are no labels at all, an alarm is what can be counted: nearly all
  requests are normal, so a model that raises more of them than another raises more false ones.

Source:
    Schervish, "A general method for comparing probability assessors", Annals of Statistics 17 (1989).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratchet.errors import ParameterError, TargetError, nearest
from ratchet.evaluation.classification import half_brier, log_losses

Array = NDArray[np.float64]
KINDS = ("auto", "cost", "log", "brier", "absolute", "alarm")
POSSIBLE = {
    "binary": ("log", "cost", "brier"),
    "multiclass": ("log", "brier"),
    "regression": ("absolute",),
    "anomaly": ("cost", "alarm"),
}
CLIP = 1e-3


@dataclass(frozen=True)
class Loss:
    """A loss per row in [0, 1].

    Attributes:
        kind: "cost", "log", "brier", "absolute" or "alarm".
        cost_false_negative: Of a positive that is not flagged ("cost").
        cost_false_positive: Of a negative that is flagged ("cost").
        scale: Absolute error that counts as 1, in the target's unit ("absolute").
    """

    kind: str
    cost_false_negative: float = 1.0
    cost_false_positive: float = 1.0
    scale: float = 1.0

    @property
    def needs_labels(self) -> bool:
        """Whether a row without a label has no loss; an alarm is one whatever comes of it."""
        return self.kind != "alarm"

    @property
    def told(self) -> str:
        """What it is, in words."""
        if self.kind == "cost":
            costs = f"false negative {self.cost_false_negative:g}, false positive {self.cost_false_positive:g}"
            return f"cost of the decision ({costs}) over the larger of the two"
        if self.kind == "log":
            return "log loss, probabilities kept within 0.001 and 0.999, over its largest value"
        if self.kind == "brier":
            return "Brier score, the squared error of the probability"
        if self.kind == "alarm":
            return "alarms: 1 where the model flags a row, else 0; no label is asked for"
        return f"absolute error over {self.scale:.4g} (the width of the target's middle 98%), at most 1"

    def per_row(self, labels: NDArray[np.generic], predictions: Array, threshold: float = 0.5) -> Array:
        """Return the loss of each row.

        Args:
            labels: shape (n,): 0 or 1; or class indices, −1 for a class the model does not know; or numbers. "alarm" does not look at them.
            predictions: shape (n,) probability of the positive class, (n, k) probabilities, (n,) numbers, or (n,) reconstruction errors.
            threshold: A row is flagged when its probability or error is at least this; only "cost" and "alarm" look at it.

        Returns:
            shape (n,), 0 to 1; not a number where the prediction is not.

        >>> Loss("cost", 10, 1).per_row(np.array([1, 0]), np.array([0.2, 0.9])).tolist()
        [1.0, 0.1]
        """
        if self.kind == "cost":
            return self._costs(np.asarray(labels), predictions, threshold)
        if self.kind == "alarm":
            return np.where(np.isnan(predictions), np.nan, predictions >= threshold)
        if self.kind == "absolute":
            return np.minimum(np.abs(predictions - np.asarray(labels, dtype=np.float64)) / self.scale, 1.0)
        whole = np.asarray(labels, dtype=np.int64)
        pairs = predictions if predictions.ndim == 2 else np.stack([1 - predictions, predictions], axis=1)
        if self.kind == "brier":
            return half_brier(whole, pairs)
        return log_losses(whole, np.where(np.isnan(pairs), np.nan, np.clip(pairs, CLIP, 1 - CLIP)), CLIP) / -math.log(CLIP)

    def _costs(self, labels: NDArray[np.generic], predictions: Array, threshold: float) -> Array:
        cost = np.where(labels == 1, self.cost_false_negative, self.cost_false_positive) / max(
            self.cost_false_negative, self.cost_false_positive
        )
        wrong = (predictions >= threshold) != (labels == 1)
        return np.where(np.isnan(predictions), np.nan, cost * wrong)


def choose_loss(
    task: str, labels: NDArray[np.generic], *, kind: str = "auto", cost_false_negative: float = 1.0, cost_false_positive: float = 1.0
) -> Loss:
    """Return the loss for a task.

    Args:
        task: "binary", "multiclass", "regression" or "anomaly".
        labels: shape (n,), of the holdout; a regression's scale and an anomaly's balanced costs come from them, never from a prediction.
        kind: "auto" or one of the kinds, where the task has it.
        cost_false_negative: Above 0.
        cost_false_positive: Above 0, in the same unit.

    Raises:
        ParameterError: the kind is unknown or not of this task, or a cost is not above 0.
        TargetError: a regression's target does not vary, so that no error is large or small; or there is no anomaly, or nothing else, to
            balance costs by.

    >>> choose_loss("binary", np.array([0, 1])).kind, choose_loss("binary", np.array([0, 1]), cost_false_negative=20).kind
    ('log', 'cost')
    >>> choose_loss("anomaly", np.array([0, 0, 0, 1]))
    Loss(kind='cost', cost_false_negative=3.0, cost_false_positive=1.0, scale=1.0)
    """
    if kind not in KINDS:
        raise ParameterError(f"loss {kind!r} is unknown; {nearest(kind, KINDS)}")
    costs = cost_false_negative, cost_false_positive
    if not all(0 < cost < float("inf") for cost in costs):
        raise ParameterError(f"costs {costs[0]:g} and {costs[1]:g}: each must be above 0 and finite; give e.g. 10 and 1")
    possible = POSSIBLE[task]
    chosen = kind if kind != "auto" else "cost" if task == "binary" and costs[0] != costs[1] else possible[0]
    if chosen not in possible:
        raise ParameterError(f"loss {kind!r} does not fit the task {task!r}; choose {' or '.join(possible)}, or auto")
    if chosen == "absolute":
        low, high = np.percentile(np.asarray(labels, dtype=np.float64), [1, 99])
        if not high > low:
            raise TargetError(f"the holdout's target is {low:g} in 98% of its rows, so no error is large or small; use a longer holdout")
        return Loss(chosen, scale=float(high - low))
    if task == "anomaly" and chosen == "cost" and costs[0] == costs[1]:
        costs = balanced_costs(labels)
    return Loss(chosen, *costs) if chosen == "cost" else Loss(chosen)


def balanced_costs(labels: NDArray[np.generic]) -> tuple[float, float]:
    """Return the costs of a miss and of a false alarm by which never flagging and always flagging lose alike.

    Args:
        labels: shape (n,), 1 for an anomaly, else 0.

    Raises:
        TargetError: there is no anomaly among them, or nothing else.

    >>> balanced_costs(np.array([0, 0, 0, 1]))
    (3.0, 1.0)
    """
    share = float(np.mean(np.asarray(labels) == 1)) if len(labels) else 0.0
    if not 0 < share < 1:
        raise TargetError(
            f"{share:.0%} of {len(labels):,} rows are anomalies, so no costs follow from their share; "
            "state cost_false_negative and cost_false_positive, different ones, or use a longer period"
        )
    return (1 - share) / share, 1.0
