"""The model's own view of both tables: the windows that it reads, and what it predicts.

A shift in what a model predicts is seen before any label is. The reference carries the windows as training computed them; the current
table usually comes before the features step, so its windows are computed here, in the same way.
"""

from typing import TYPE_CHECKING

import polars as pl

from ratchet.features.windows import compute_windows

if TYPE_CHECKING:
    from ratchet.features.spec import FeatureSpec
    from ratchet.models.package import ModelPackage

NAME = "prediction"


def with_windows(frame: pl.DataFrame, spec: "FeatureSpec") -> pl.DataFrame:
    """Return a table with the windows that it lacks, where it has the columns to compute them from.

    Args:
        frame: Rows of raw columns.
        spec: Says which windows the model reads. One over a target with missing labels is not computed.
    """
    source = frame
    if spec.task == "binary" and spec.target in frame.columns and not frame[spec.target].null_count():
        source = frame.with_columns(pl.Series(spec.target, spec.labels(frame)))
    possible = [
        window
        for window in spec.windows
        if window.name not in frame.columns
        and spec.time in frame.columns
        and window.by in frame.columns
        and (not window.column or (window.column in source.columns and source.schema[window.column].is_numeric()))
    ]
    return frame.hstack(compute_windows(source, possible, spec.time).get_columns()) if possible else frame


def with_predictions(reference: pl.DataFrame, current: pl.DataFrame, model: "ModelPackage") -> tuple[pl.DataFrame, pl.DataFrame, str, str]:
    """Add the model's predictions as a column of both tables.

    Returns:
        Both tables, the column's name, and an empty note; or the tables as they were, an empty name, and why there are no predictions.
    """
    lacking = [name for name in model.spec.inputs if name not in reference.columns or name not in current.columns]
    if lacking:
        names = ", ".join(lacking)
        return (
            reference,
            current,
            "",
            f"Predictions were not compared: the model needs {names}, which one of the tables lacks.",
        )
    name = NAME
    while name in reference.columns or name in current.columns:
        name = "model " + name
    reference, current = (side.with_columns(_predictions(model, side).alias(name)) for side in (reference, current))
    return reference, current, name, ""


def _predictions(model: "ModelPackage", frame: pl.DataFrame) -> pl.Series:
    """Return probabilities or values as numbers; for several classes, the class decided on."""
    predictions = model.predict(frame)
    if predictions.ndim == 1:
        return pl.Series(predictions)
    return pl.Series([str(label) for label in model.decide(predictions)], dtype=pl.String)
