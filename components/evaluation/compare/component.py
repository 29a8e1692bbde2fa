from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Markdown, Metrics, Model, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def compare(
    challenger: Input[Model],
    champion: Input[Model],
    holdout: Input[Dataset],
    scores: Output[Metrics],
    report: Output[HTML],
    summary: Output[Markdown],
    cost_false_negative: float = 0.0,
    cost_false_positive: float = 0.0,
    loss: str = "auto",
    primary_metric: str = "",
    confidence: float = 0.95,
    minimum_gain: float = 0.0,
    slice_columns: list = [],
    slice_tolerance: float = 0.05,
    max_latency_ratio: float = 3.0,
    latency_floor_ms: float = 10.0,
    max_size_mb: float = 500.0,
    seed: int = 0,
    injected: dict = {},
) -> NamedTuple("Outputs", [("verdict", str), ("reason", str), ("loss_challenger", float), ("loss_champion", float)]):
    """Compare a challenger with the champion on the same rows; without a champion, with the best constant answer.

    Models that find anomalies are compared on labels where labelled rows are both normal and anomalous, else on injected anomalies.

    Args:
        challenger: Model package that was just trained.
        champion: Model package that is live, or the mark of absence.
        holdout: Rows that trained neither; those without a label are left out, but where anomalies are injected.
        cost_false_negative: Cost of a missed positive; 0 for what the challenger was trained with.
        cost_false_positive: Cost of a false alarm, in the same unit; 0 for what the challenger was trained with.
        loss: What is compared: "auto" (cost of the decision where the two costs differ, else the log loss; numbers: absolute error;
            anomalies: cost of the decision, two equal costs balanced by how rare anomalies are), "cost", "log", "brier" or "absolute".
        primary_metric: Metric that must not get worse; empty for average precision, accuracy or RMSE; of anomalies "f1" looks at decisions.
        confidence: Confidence of the interval that must lie below zero, 0.5 to 1.
        minimum_gain: Share of the champion's loss that must be gained at least, 0 to 1.
        slice_columns: Columns whose slices must not get worse.
        slice_tolerance: Share of the champion's loss by which a slice may be worse.
        max_latency_ratio: How many times as long as the champion's a prediction may take.
        latency_floor_ms: A prediction slower by at most this is always accepted.
        max_size_mb: Largest package, in megabytes.
        seed: Seed of the bootstrap.
        injected: Anomalies to inject where labels cannot judge, the same for both, e.g. {"kinds": ["spike", "swap", "noise", "drift"],
            "share": 0.05, "strength": 4.0, "seed": 0}; these are the defaults, of kinds all that the columns allow.
        scores: Losses, intervals and both models' metrics.
        report: The same with plots, for a person.
        summary: Verdict, reason, guard rails and metrics.

    Returns:
        verdict: "release" or "reject".
        reason: Why, with figures.
        loss_challenger: Mean loss, 0 to 1; 1 where it cannot be known.
        loss_champion: Mean loss of the champion or of the constant answer, likewise.
    """
    from ratchet.evaluation import compare

    costs = {"cost_false_negative": cost_false_negative, "cost_false_positive": cost_false_positive, "loss": loss}
    rules = {"confidence": confidence, "minimum_gain": minimum_gain, "slice_tolerance": slice_tolerance, "seed": seed}
    rails = {"primary_metric": primary_metric, "max_size_mb": max_size_mb, "injected": injected}
    speed = {"max_latency_ratio": max_latency_ratio, "latency_floor_ms": latency_floor_ms}
    result = compare(challenger.path, champion.path, holdout.path, slice_columns=slice_columns, **costs, **rules, **rails, **speed)
    result.log_to(scores)
    result.write_html(report.path)
    result.write_markdown(summary.path)
    return (result.verdict, result.reason, result.loss_challenger, result.loss_champion)
