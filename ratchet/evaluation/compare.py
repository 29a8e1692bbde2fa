"""Challenger against champion on the same holdout rows.

The rows come from the features step, whose splits see to it that neither model was trained on them. All that decides is in
`ratchet.evaluation.verdict`; here the packages are loaded and asked.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ratchet.errors import EmptySampleError, ParameterError
from ratchet.evaluation.alarms import recall_by_kind
from ratchet.evaluation.comparison import Comparison
from ratchet.evaluation.contenders import Contender, baseline, check_comparable, contender
from ratchet.evaluation.costs import stated_costs
from ratchet.evaluation.guards import Guard, false_alarm_guard, latency_guard, size_guard
from ratchet.evaluation.holdout import Holdout
from ratchet.evaluation.injection import Injection
from ratchet.evaluation.latency import time_calls
from ratchet.evaluation.losses import Loss, choose_loss
from ratchet.evaluation.primary import PrimaryMetric, choose_primary
from ratchet.evaluation.slices import slice_rows
from ratchet.evaluation.verdict import Rules, Weighing, weigh
from ratchet.features.spec import FeatureSpec
from ratchet.models.package import ModelPackage, load_champion


def compare(
    challenger_path: str | Path,
    champion_path: str | Path,
    holdout_path: str | Path,
    *,
    cost_false_negative: float = 0.0,
    cost_false_positive: float = 0.0,
    loss: str = "auto",
    primary_metric: str = "",
    confidence: float = 0.95,
    minimum_gain: float = 0.0,
    slice_columns: Sequence[str] = (),
    slice_tolerance: float = 0.05,
    minimum_slice_rows: int = 100,
    max_latency_ratio: float = 3.0,
    latency_floor_ms: float = 10.0,
    max_size_mb: float = 500.0,
    injected: Mapping[str, Any] | None = None,
    resamples: int = 1_000,
    seed: int = 0,
) -> Comparison:
    """Say whether a challenger may be released, and why.

    Args:
        challenger_path: Model package.
        champion_path: Model package that is live, or the mark of absence; then the opponent is the best constant answer.
        holdout_path: Dataset that trained neither. Rows without a label are left out and counted.
        cost_false_negative: Cost of a missed positive; 0 for what the challenger was trained with.
        cost_false_positive: Cost of a false alarm, in the same unit; 0 likewise.
        loss: "auto", "cost", "log", "brier" or "absolute"; see `ratchet.evaluation.losses`. ("alarm" is for a rollout, where it needs no
            labels; here a model that never raises one would win.)
        primary_metric: What must not get worse; empty for average precision, accuracy or RMSE.
        confidence: Of the intervals.
        minimum_gain: Share of the champion's loss to be gained at least; 0 means any gain beyond chance.
        slice_columns: Columns whose slices must not get worse.
        slice_tolerance: Share of the champion's loss by which a slice may be worse.
        minimum_slice_rows: Smaller slices are not looked at.
        max_latency_ratio: Prediction may take this many times as long as the champion's.
        latency_floor_ms: A prediction slower by at most this is always accepted.
        max_size_mb: Largest package in megabytes.
        injected: What to inject where labels cannot judge, as `Injection.parse` takes it; "anomaly" only. Both models meet the same rows.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        The verdict with everything it rests on.

    Raises:
        PackageError: a package is damaged.
        ParameterError: a parameter is out of range, or the two models answer different questions.
        SchemaError: the holdout lacks a column that a model or a slice needs.
        SourceError: the holdout cannot be read.
    """
    rules, injection = Rules(confidence, minimum_gain, slice_tolerance, resamples, seed), Injection.parse(injected or {})
    if loss == "alarm":
        raise ParameterError("loss 'alarm' counts alarms, and a model that raises none would win; leave it to the rollout, and use auto")
    challenger, champion = ModelPackage.load(challenger_path), load_champion(champion_path)
    if champion is not None:
        check_comparable(challenger.spec, champion.spec)
    task = challenger.spec.task
    primary = choose_primary(task, primary_metric)
    costs = stated_costs(challenger, cost_false_negative, cost_false_positive)
    holdout = _read(holdout_path, challenger.spec, champion.spec if champion is not None else None, injection)
    if isinstance(holdout, Comparison):
        return holdout
    chosen = choose_loss(task, holdout.labels, kind=loss, cost_false_negative=costs[0], cost_false_positive=costs[1])
    first = contender("challenger", challenger, holdout)
    second = (
        contender("champion", champion, holdout) if champion is not None else baseline(task, holdout.labels, len(holdout.classes), chosen)
    )
    rails = [size_guard(first.size_bytes, maximum_mb=max_size_mb), *_false_alarms(challenger, first, holdout)]
    if champion is not None:
        times = time_calls([challenger.predict, champion.predict], holdout.frame)
        rails.append(latency_guard(*times, maximum_ratio=max_latency_ratio, floor_ms=latency_floor_ms))
    blocks = holdout.blocks(challenger.spec)
    slices = slice_rows(holdout.untouched, slice_columns, minimum_rows=minimum_slice_rows)
    weighing = weigh(
        holdout.labels, first, second, loss=chosen, primary=primary, blocks=blocks, rules=rules, slices=slices, guards=tuple(rails)
    )
    return _told(task, weighing, holdout, (first, second), chosen, primary, blocks.told, rules)


def _false_alarms(model: ModelPackage, side: Contender, holdout: Holdout) -> list[Guard]:
    """Return the guard rail of a threshold that was chosen by a rate; labels, where they judge, weigh false alarms themselves."""
    wanted = float(model.parameters.get("false_alarm_rate", 0) or 0)
    if holdout.injected is None or not wanted or side.unfinished:
        return []
    usual = holdout.labels == 0
    return [false_alarm_guard(int((side.predictions[usual] >= side.threshold).sum()), int(usual.sum()), wanted)]


def _read(path: str | Path, challenger: FeatureSpec, champion: FeatureSpec | None, injection: Injection) -> Holdout | Comparison:
    """Return the rows to judge on, or the rejection that there are none."""
    try:
        holdout = Holdout.read(path, challenger, champion, injection=injection)
    except EmptySampleError as error:
        return Comparison.impossible(f"Nothing to judge on: {error}.", 0)
    if len(holdout.labels):
        return holdout
    reason = f"No labelled rows: the holdout has {holdout.unlabelled:,} rows and none with a {challenger.target!r}."
    return Comparison.impossible(reason, holdout.unlabelled)


def _told(
    task: str,
    weighing: Weighing,
    holdout: Holdout,
    sides: tuple[Contender, Contender],
    loss: Loss,
    primary: PrimaryMetric,
    blocks: str,
    rules: Rules,
) -> Comparison:
    from ratchet.evaluation.metrics import metrics_of

    finished = [side for side in sides if not side.unfinished]
    metrics = {side.name: metrics_of(task, holdout.labels, side.predictions, side.threshold, loss) for side in finished}
    if holdout.injected is not None:
        for side in finished:
            found = recall_by_kind(holdout.injected, side.predictions, side.threshold)
            metrics[side.name] |= {f"recall_{kind}": recall for kind, recall in found.items()}
    return Comparison(
        weighing,
        rows=len(holdout.labels),
        unlabelled=holdout.unlabelled,
        opponent=sides[1].name,
        loss_told=loss.told,
        primary_name=primary.name,
        blocks=blocks,
        rules=rules,
        metrics=metrics,
        injected=holdout.injected.told if holdout.injected is not None else "",
    )
