"""From what was asked for to a specification in which nothing is left open: which columns are read, and of which kind each is."""

from collections.abc import Mapping, Sequence

import polars as pl

from ratchet.data.kinds import kind_of
from ratchet.errors import ExpressionError, SchemaError
from ratchet.features.durations import parse_duration
from ratchet.features.expressions import Expression, parse_expressions
from ratchet.features.imputation import Imputation, filled_schema, learn
from ratchet.features.spec import FeatureSpec
from ratchet.features.split_plan import SplitPlan, Splits
from ratchet.features.target import Target
from ratchet.features.windows import Window


def specify(
    frame: pl.DataFrame,
    target: Target,
    plan: SplitPlan,
    parts: Splits,
    *,
    expressions: Mapping[str, str],
    windows: tuple[Window, ...],
    drop: Sequence[str],
    impute: Sequence[Imputation] = (),
) -> FeatureSpec:
    """Return the specification of a table's features.

    Every column is a feature as it is, but the target, the key, the time, the group, the dropped, datetimes, and those that name a window's
    entity; then come the windows, the flags of imputed columns, and the expressions.

    Args:
        frame: The rows, windows included.
        target: What is predicted.
        plan: How the rows were split; its ``identity`` names the raw columns.
        parts: What came of it.
        expressions: SQL scalar expression by feature name.
        windows: Of this model (the live model's others are in the table, too).
        drop: Columns that the model must not see.
        impute: What is to stand in for missing values; learnt here, from the rows that train.

    Raises:
        ExpressionError: an expression is not allowed, reads the target, has a column's name or does not evaluate.
        SchemaError: no feature is left, or a column cannot be imputed.
    """
    apart = {target.column, plan.time, plan.group, *plan.key, *drop, *(window.by for window in windows)}
    raw = set(plan.identity) - apart
    plain = tuple(name for name, dtype in frame.schema.items() if name in raw and kind_of(dtype) != "datetime")
    made = parse_expressions(expressions)
    imputed = _imputed(frame, target, plan, parts, impute, expressions)
    schema = filled_schema(imputed, frame.schema)
    for expression in made:
        _check_expression(schema, expression, target.column)
    if not (plain or windows or made or any(one.flag for one in imputed)):
        raise SchemaError(f"no feature is left: every column is target, key, time, group or dropped; known: {', '.join(frame.columns)}")
    read = {*plain, *(window.name for window in windows), *(column for expression in made for column in expression.columns)}
    for one in imputed:
        if one.column not in read and not one.flag:
            raise SchemaError(f"impute: the model does not read {one.column!r}; leave it out of impute, or use it in an expression")
        read.add(one.column)
    return FeatureSpec(
        task=target.task,
        target=target.column,
        inputs={name: kind_of(dtype) for name, dtype in frame.schema.items() if name in read},
        plain=plain,
        classes=target.classes,
        expressions=dict(expressions),
        windows=windows,
        key=plan.key,
        time=plan.time,
        group=plan.group,
        drop=tuple(drop),
        split=parts.record,
        impute=imputed,
    )


def check_windows(frame: pl.DataFrame, windows: Sequence[Window], target: str, label_delay: str) -> None:
    """Refuse windows that hide a column of the data, or that see labels before they are known.

    Raises:
        ExpressionError: naming the window and the remedy.
    """
    for window in windows:
        if window.name in frame.columns:
            raise ExpressionError(f"window {window.name!r} has the name of a column of the data; give it another")
        if target and window.column == target and label_delay and window.lag < parse_duration(label_delay, "label_delay"):
            raise ExpressionError(
                f"window {window.name!r} reads the target {target!r} with delay {window.delay or '0'!r}, before the label is known "
                f"(label_delay={label_delay!r}); set its delay to {label_delay!r}"
            )


def _imputed(
    frame: pl.DataFrame, target: Target, plan: SplitPlan, parts: Splits, impute: Sequence[Imputation], expressions: Mapping[str, str]
) -> tuple[Imputation, ...]:
    if not impute:
        return ()
    apart = {plan.time: "the time", **dict.fromkeys(plan.key, "a key"), target.column: "the target"}
    known = [one.column for one in impute if one.column in frame.columns]
    return learn(impute, frame.select(known)[parts.train], apart=apart, taken={*frame.columns, *expressions})


def _check_expression(schema: pl.Schema, expression: Expression, target: str) -> None:
    if expression.name in schema:
        raise ExpressionError(f"expression {expression.name!r} has the name of a column; give it another")
    if target in expression.columns:
        raise ExpressionError(f"expression {expression.name!r} reads the target {target!r}, unknown when predicting; leave it out")
    expression.kind(schema)
