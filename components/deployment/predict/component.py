from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Input, Markdown, Metrics, Model, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def predict(
    rows: Input[Dataset],
    model: Input[Model],
    predictions: Output[Dataset],
    scores: Output[Metrics],
    summary: Output[Markdown],
    keep: list = [],
) -> NamedTuple("Outputs", [("predicted", int)]):
    """Predict all rows of a table with a model, and say what the predictions mean.

    Args:
        rows: Rows with the columns that the model reads.
        model: A model package of any kind.
        keep: Columns to keep beside the new ones; empty for those of key, time and group.
        predictions: As many rows in the same order, with "prediction" or "probability_<class>", and "decision" but for a regression.
        scores: How many rows there are, and how often each class was decided for.
        summary: The same in short.

    Returns:
        predicted: Number of rows.
    """
    from ratchet.scoring import predict_rows

    result = predict_rows(rows.path, model.path, predictions.path, keep=keep)
    predictions.metadata.update(result.info.metadata())
    result.log_to(scores)
    result.page().write_markdown(summary.path)
    return (result.info.rows,)
