from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Markdown, Metrics, Model, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def drift_check(
    reference: Input[Dataset],
    current: Input[Dataset],
    model: Input[Model],
    scores: Output[Metrics],
    report: Output[HTML],
    evidently: Output[HTML],
    summary: Output[Markdown],
    threshold: float = 0.1,
    share_threshold: float = 0.0,
    alpha: float = 0.001,
    ignore_columns: list = [],
) -> NamedTuple("Outputs", [("verdict", str), ("drifted_share", float)]):
    """Compare current data with reference data, column by column, and the model's predictions on both.

    Args:
        reference: What the champion was trained on, or the mark of absence.
        current: What it meets now, with the same columns.
        model: The champion's package, whose inputs, target and predictions are compared; the mark of absence compares every column.
        threshold: A column has drifted when its distance exceeds this (0 to 1), and what chance does at this number of rows. The alarm
            rate of a model that finds anomalies has when it moved by as much as it was, where that is less.
        share_threshold: The verdict is "drifted" when more than this share of the input columns drifted; 0 means any column.
        alpha: Probability of a false alarm when nothing moved, over all columns together.
        ignore_columns: Columns to leave out.
        scores: The verdict, and each column's distance.
        report: Every statistic of every column.
        evidently: Evidently's report on a sample when there is drift; else a page that says why there is none.
        summary: The verdict and what drifted.

    Returns:
        verdict: "drifted", "stable", or "unknown" when there is no reference or too few rows.
        drifted_share: Share of input columns that drifted, 0 to 1.
    """
    from ratchet.drift import compare_tables

    limits = {"threshold": threshold, "share_threshold": share_threshold, "alpha": alpha}
    result = compare_tables(reference.path, current.path, model_path=model.path, ignore=ignore_columns, **limits)
    result.log_to(scores)
    result.write_html(report.path)
    result.write_evidently(evidently.path)
    result.write_markdown(summary.path)
    return (result.verdict, result.drifted_share)
