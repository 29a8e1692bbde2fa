from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Input, Markdown, Metrics, Model, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def encode(
    rows: Input[Dataset],
    model: Input[Model],
    embeddings: Output[Dataset],
    scores: Output[Metrics],
    summary: Output[Markdown],
    keep: list = [],
) -> NamedTuple("Outputs", [("encoded", int), ("anomalies", int), ("anomaly_share", float)]):
    """Turn rows into embeddings and reconstruction errors, and say which are anomalies and what they are seen by.

    Args:
        rows: Rows with the columns that the model reads.
        model: An autoencoder's package.
        keep: Columns to keep beside the new ones; empty for those of key, time and group.
        embeddings: As many rows in the same order, with "embedding_0" and so on, "error", "anomaly", "top_column", "top_share".
        scores: Counts, the mean and the largest error.
        summary: The same in short, and which columns the anomalies are seen by.

    Returns:
        encoded: Number of rows.
        anomalies: Rows whose error is at or above the model's threshold.
        anomaly_share: Their share, 0 to 1.
    """
    from ratchet.scoring import encode_rows

    result = encode_rows(rows.path, model.path, embeddings.path, keep=keep)
    embeddings.metadata.update(result.info.metadata())
    result.log_to(scores)
    result.page().write_markdown(summary.path)
    return (result.info.rows, result.anomalies, result.share)
