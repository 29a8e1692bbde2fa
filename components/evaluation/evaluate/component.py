from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, ClassificationMetrics, Dataset, Input, Metrics, Model, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def evaluate(
    model: Input[Model],
    holdout: Input[Dataset],
    scores: Output[Metrics],
    curves: Output[ClassificationMetrics],
    report: Output[HTML],
    slice_columns: list = [],
    cost_false_negative: float = 0.0,
    cost_false_positive: float = 0.0,
    primary_metric: str = "",
    injected: dict = {},
) -> NamedTuple("Outputs", [("primary_metric", float)]):
    """Measure a model on rows that did not train it: every metric of its task, by slice, with curves and latency.

    A model that finds anomalies is measured on labels where labelled rows are both normal and anomalous, else on injected anomalies.

    Args:
        model: Model package.
        holdout: Rows that did not train it; those without a label are left out, but where anomalies are injected.
        slice_columns: Columns by whose values the model is also measured; numbers are cut at quartiles.
        cost_false_negative: Cost of a missed positive; 0 for what the model was trained with.
        cost_false_positive: Cost of a false alarm, in the same unit; 0 for what the model was trained with.
        primary_metric: Metric that the model is named by; empty for average precision (two classes, anomalies), accuracy (several) or RMSE
            (numbers).
        injected: Anomalies to inject where labels cannot judge, e.g. {"kinds": ["spike", "swap", "noise", "drift"], "share": 0.05,
            "strength": 4.0, "seed": 0}; these are the defaults, of kinds all that the columns allow.
        scores: Every metric, and latency in milliseconds.
        curves: Confusion matrix and ROC curve.
        report: The same with plots, for a person.

    Returns:
        primary_metric: Value of the primary metric.
    """
    from ratchet.evaluation import evaluate

    costs = {"cost_false_negative": cost_false_negative, "cost_false_positive": cost_false_positive}
    result = evaluate(model.path, holdout.path, slice_columns=slice_columns, primary_metric=primary_metric, injected=injected, **costs)
    result.log_to(scores)
    result.log_curves_to(curves)
    result.write_html(report.path)
    return (result.primary_metric,)
