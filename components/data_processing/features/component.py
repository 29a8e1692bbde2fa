from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Markdown, Model, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def features(
    data: Input[Dataset],
    champion: Input[Model],
    train: Output[Dataset],
    validation: Output[Dataset],
    holdout: Output[Dataset],
    table: Output[Dataset],
    specification: Output[Artifact],
    summary: Output[Markdown],
    target: str = "",
    task: str = "",
    positive: str = "",
    time_column: str = "",
    key_columns: list = [],
    group_column: str = "",
    drop_columns: list = [],
    expressions: dict = {},
    windows: list = [],
    impute: dict = {},
    validation_share: float = 0.2,
    holdout_share: float = 0.2,
    label_delay: str = "",
    train_from: str = "",
    train_until: str = "",
    holdout_from: str = "",
    holdout_until: str = "",
    known_by: str = "",
    split_column: str = "",
) -> NamedTuple("Outputs", [("train_rows", int), ("validation_rows", int), ("holdout_rows", int)]):
    """Make windows over time and split rows into train, validation and holdout; write down how features are made.

    Args:
        data: Clean rows.
        champion: The live model's package, or the mark of absence; its windows are computed too, so that it can be judged.
        target: Column to predict; empty where rows have no labels, with task "anomaly" only.
        task: "binary", "multiclass", "regression" or "anomaly"; empty to find it. In "anomaly" labels may be missing or all normal.
        positive: Target value that counts as positive, in "anomaly" the anomaly; empty to find it.
        time_column: Column that orders the rows; with it splits are by time, else by a stable hash.
        key_columns: Columns that identify a row.
        group_column: Column whose rows never straddle a split, e.g. a customer.
        drop_columns: Columns that the model must not see; expressions and windows may still use them.
        expressions: Feature name to SQL scalar expression, e.g. {"log_amount": "ln(1 + amount)"}.
        windows: Aggregates over time, e.g. [{"name": "n_7d", "by": "customer_id", "aggregate": "count", "over": "7d"}].
        impute: What stands in for missing values: "mean", "median", "most_frequent" (of train) or a value, e.g. {"age": "median"}.
        validation_share: Share of the rows before the holdout that choose trees and threshold, 0 to 1.
        holdout_share: Share of all rows that judge, 0 to 1; by time, the latest.
        label_delay: How late labels arrive, e.g. "7d"; training stops that long before the holdout begins.
        train_from: Leave out rows before this time (ISO 8601).
        train_until: Train on rows before this time only.
        holdout_from: The holdout begins here, whatever its share.
        holdout_until: The holdout ends before this time.
        known_by: Column of an entity, e.g. a card, that leaves the holdout once a positive label of it is known.
        split_column: Column that says "train", "validation" or "holdout" of each row, where the split is given; it is no feature.
        train: Rows that train, with raw columns and windows.
        validation: Rows that choose.
        holdout: Rows that judge.
        table: All rows with their windows: what drift is measured on, and the reference of a later run.
        specification: What a model reads and how its features are made of that, as JSON.
        summary: Splits and made features in short.

    Returns:
        train_rows: Rows that train.
        validation_rows: Rows that choose.
        holdout_rows: Rows that judge.
    """
    from ratchet.features.build import build_features
    from ratchet.features.split_plan import SplitPlan

    # fmt: off
    plan = SplitPlan(
        time_column, tuple(key_columns), (), group_column, validation_share, holdout_share,
        train_from, train_until, holdout_from, holdout_until, label_delay, known_by, split_column,
    )
    result = build_features(
        data.path, champion_path=champion.path, train_path=train.path, validation_path=validation.path, holdout_path=holdout.path,
        table_path=table.path, specification_path=specification.path, target=target, task=task, positive=positive,
        expressions=expressions, windows=windows, impute=impute, drop_columns=drop_columns, plan=plan,
    )
    # fmt: on
    for artifact, info in ((train, result.train), (validation, result.validation), (holdout, result.holdout), (table, result.table)):
        artifact.metadata.update(info.metadata())
    result.page().write_markdown(summary.path)
    return (result.train.rows, result.validation.rows, result.holdout.rows)
