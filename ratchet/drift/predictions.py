"""The model's own view of both tables: the windows that it reads, and what it predicts.

A shift in what a model predicts is seen before any label is. A model that finds anomalies has two views: how far off each row is, and
whether that is an alarm. Alarms are rare, so what is little of all rows may be twice as many alarms: their share has drifted when it
moved by as much as it was.

The reference carries the windows as training computed them; the current table usually comes before the features step, so its windows are
computed here, in the same way. Windows need the rows of all times together, but only the few columns that they are over; predictions are
made some rows at a time.
"""

from typing import TYPE_CHECKING

import polars as pl

from ratchet.drift.sides import Side
from ratchet.errors import SchemaError
from ratchet.features.windows import Window, compute_windows

if TYPE_CHECKING:
    from ratchet.features.spec import FeatureSpec
    from ratchet.models.package import ModelPackage

NAME = "prediction"
ERROR, ALARM = "reconstruction error", "alarm rate"
FLAGGED = ("none", "alarm")
LEAST_RATE = 0.001
BATCH_ROWS = 100_000


def with_windows(side: Side, spec: "FeatureSpec") -> Side:
    """Return a table with the windows that it lacks, where it has the columns to compute them from.

    Args:
        side: Rows of raw columns.
        spec: Says which windows the model reads. One over a target with missing labels is not computed.
    """
    lacking = [window for window in spec.windows if window.name not in side.schema]
    names = {spec.time, *(name for window in lacking for name in (window.by, window.column))}
    if not lacking or spec.time not in side.schema or not side.rows:
        return side
    frame = pl.concat(side.frames([name for name in side.schema if name in names]))
    if spec.positive and spec.target in frame.columns and not frame[spec.target].null_count():
        frame = frame.with_columns(pl.Series(spec.target, spec.labels(frame)))
    possible = [window for window in lacking if _possible(window, frame)]
    return side.with_made(compute_windows(frame, possible, spec.time).get_columns()) if possible else side


def _possible(window: Window, frame: pl.DataFrame) -> bool:
    return window.by in frame.columns and (
        not window.column or (window.column in frame.columns and frame.schema[window.column].is_numeric())
    )


def with_predictions(reference: Side, current: Side, model: "ModelPackage") -> tuple[Side, Side, dict[str, float], str]:
    """Add the model's predictions to both tables, of a model that finds anomalies its errors and its alarms.

    Returns:
        Both tables, the names of the columns, each with the distance (0 to 1) that matters whatever the threshold is, and an empty note; or
        the tables as they were, no name, and why there are no predictions.
    """
    lacking = [name for name in model.spec.inputs if name not in reference.schema or name not in current.schema]
    if lacking:
        names = ", ".join(lacking)
        return (
            reference,
            current,
            {},
            f"Predictions were not compared: the model needs {names}, which one of the tables lacks.",
        )
    anomaly = model.spec.task == "anomaly"
    name = _free(ERROR if anomaly else NAME, reference, current)
    made = [_predictions(model, side).alias(name) for side in (reference, current)]
    mattering = {name: 1.0}
    columns = [[one] for one in made]
    if anomaly:
        alarm = _free(ALARM, reference, current)
        alarms = [_alarms(model, one).alias(alarm) for one in made]
        mattering[alarm] = max(alarms[0].to_list().count(FLAGGED[1]) / max(len(alarms[0]), 1), LEAST_RATE)
        columns = [[*side, one] for side, one in zip(columns, alarms, strict=True)]
    return reference.with_made(columns[0]), current.with_made(columns[1]), mattering, ""


def _free(name: str, *sides: Side) -> str:
    while any(name in side.schema for side in sides):
        name = "model " + name
    return name


def _alarms(model: "ModelPackage", errors: pl.Series) -> pl.Series:
    places = (model.decide(errors.to_numpy()) == model.spec.positive).astype(int)
    return pl.Series([FLAGGED[place] for place in places.tolist()], dtype=pl.Enum(FLAGGED))


def _predictions(model: "ModelPackage", side: Side) -> pl.Series:
    """Return probabilities, values or errors as numbers; for several classes, the class decided on."""
    names = [name for name in side.schema if name in model.spec.inputs]
    made: list[pl.Series] = []
    for frame in side.frames(names, BATCH_ROWS):
        try:
            made.append(_predicted(model, frame))
        except SchemaError as error:
            begin = sum(map(len, made))
            raise SchemaError(f"dataset {side.path!r}: {error}{f' (counted from row {begin:,})' if begin else ''}") from error
    return pl.concat(made)


def _predicted(model: "ModelPackage", frame: pl.DataFrame) -> pl.Series:
    predictions = model.predict(frame)
    if predictions.ndim == 1:
        return pl.Series(predictions)
    return pl.Series([str(label) for label in model.decide(predictions)], dtype=pl.Enum(model.spec.classes))
