"""One model on a holdout: every metric of its task, by slice, with its curves and its speed."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratchet.errors import EmptySampleError, PackageError, TargetError
from ratchet.evaluation.alarms import flagged_columns, recall_by_kind
from ratchet.evaluation.contenders import Contender, contender
from ratchet.evaluation.costs import stated_costs
from ratchet.evaluation.curves import curves_of
from ratchet.evaluation.evaluation import Evaluation, KindEvaluation, SliceEvaluation
from ratchet.evaluation.holdout import Holdout
from ratchet.evaluation.injection import Injection
from ratchet.evaluation.latency import Clock, measure_latency
from ratchet.evaluation.losses import Loss, choose_loss
from ratchet.evaluation.metrics import metrics_of
from ratchet.evaluation.primary import PrimaryMetric, choose_primary
from ratchet.evaluation.slices import slice_rows
from ratchet.features.target import TWO_CLASSES
from ratchet.models.package import ModelPackage


def evaluate(
    model_path: str | Path,
    holdout_path: str | Path,
    *,
    slice_columns: Sequence[str] = (),
    minimum_slice_rows: int = 100,
    cost_false_negative: float = 0.0,
    cost_false_positive: float = 0.0,
    primary_metric: str = "",
    injected: Mapping[str, Any] | None = None,
    latency_calls: int = 100,
    clock: Clock = time.perf_counter,
) -> Evaluation:
    """Measure a model on labelled rows that did not train it; one that finds anomalies nobody labels, on injected ones.

    Args:
        model_path: Model package.
        holdout_path: Dataset. Rows without a label are left out and counted.
        slice_columns: Columns to slice by, each on its own; numbers are cut at quartiles.
        minimum_slice_rows: Smaller slices are left out.
        cost_false_negative: Cost of a missed positive; 0 for what the model was trained with.
        cost_false_positive: Cost of a false alarm, in the same unit; 0 likewise.
        primary_metric: The metric that the model is named by; empty for average precision, accuracy or RMSE.
        injected: What to inject where labels cannot judge, as `Injection.parse` takes it; "anomaly" only.
        latency_calls: Single-row predictions to time, at most.
        clock: Seconds, monotonic.

    Raises:
        EmptySampleError: no row has a label.
        TargetError: a two-class holdout has rows of one class only, or a regression's target does not vary.
        PackageError: the package is damaged, or predicts something that is not a finite number.
        ParameterError: a cost, the primary metric or what is to be injected does not fit.
        SchemaError: the holdout lacks a column that the model or a slice needs.
    """
    model = ModelPackage.load(model_path)
    primary = choose_primary(model.spec.task, primary_metric)
    costs = stated_costs(model, cost_false_negative, cost_false_positive)
    holdout = Holdout.read(holdout_path, model.spec, injection=Injection.parse(injected or {}))
    _check(holdout, model.spec.task, model.spec.target)
    loss = choose_loss(model.spec.task, holdout.labels, cost_false_negative=costs[0], cost_false_positive=costs[1])
    side = contender("model", model, holdout)
    if side.unfinished:
        raise PackageError(
            f"model {str(model_path)!r} gives no finite prediction for {side.unfinished:,} of {len(holdout.labels):,} rows; train it again"
        )
    metrics = metrics_of(model.spec.task, holdout.labels, side.predictions, side.threshold, loss)
    latency = measure_latency(model.predict, holdout.frame, calls=latency_calls, clock=clock)
    return Evaluation(
        task=model.spec.task,
        primary_name=primary.name,
        primary_metric=primary.value(holdout.labels, side.predictions, side.threshold),
        metrics=metrics,
        loss_told=loss.told,
        rows=len(holdout.labels),
        unlabelled=holdout.unlabelled,
        threshold=side.threshold if model.spec.task in TWO_CLASSES else None,
        latency=latency,
        slices=_slices(
            model.spec.task, holdout, side, loss, primary, slice_rows(holdout.untouched, slice_columns, minimum_rows=minimum_slice_rows)
        ),
        curves=curves_of(model.spec.task, holdout.labels, side.predictions, side.threshold, holdout.classes),
        injected=holdout.injected.told if holdout.injected is not None else "",
        kinds=_kinds(holdout, side),
        blamed=flagged_columns(model, holdout.frame, side.predictions, side.threshold) if model.spec.task == "anomaly" else {},
    )


def _check(holdout: Holdout, task: str, target: str) -> None:
    if not len(holdout.labels):
        raise EmptySampleError(
            f"holdout {holdout.path!r} has {holdout.unlabelled:,} rows and none with a label in {target!r}; wait for labels, or widen it"
        )
    if task == "binary" and len(np.unique(holdout.labels)) < 2:
        only = holdout.classes[int(holdout.labels[0])]
        raise TargetError(
            f"all {len(holdout.labels):,} rows of the holdout have {target} = {only!r}; no metric has a meaning there: widen it"
        )


def _kinds(holdout: Holdout, side: Contender) -> tuple[KindEvaluation, ...]:
    if holdout.injected is None:
        return ()
    recall, counts = recall_by_kind(holdout.injected, side.predictions, side.threshold), holdout.injected.counts
    median = {kind: float(np.median(side.predictions[holdout.injected.kinds == kind])) for kind in counts}
    return tuple(KindEvaluation(kind, count, recall[kind], median[kind]) for kind, count in counts.items())


def _slices(
    task: str, holdout: Holdout, side: Contender, loss: Loss, primary: PrimaryMetric, slices: dict[str, NDArray[np.bool_]]
) -> tuple[SliceEvaluation, ...]:
    losses = loss.per_row(holdout.labels, side.predictions, side.threshold)
    found = []
    for name, rows in slices.items():
        labels = holdout.labels[rows]
        share = float(np.mean(labels == 1)) if task in TWO_CLASSES else None
        value = primary.value(labels, side.predictions[rows], side.threshold)
        found.append(SliceEvaluation(name, int(rows.sum()), float(losses[rows].mean()), value, share))
    return tuple(found)
