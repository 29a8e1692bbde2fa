"""The features step: from clean rows to a train, a validation and a holdout table, and the specification of the features.

The tables carry the raw columns and the windows. The live model's windows are computed as well, so that it can be judged on the very
rows that judge its challenger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ratchet.data.account import DatasetInfo
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import SchemaError, nearest
from ratchet.features.imputation import missing_counts, parse_imputations
from ratchet.features.live import live_target, read_live_spec, read_training_digest, with_live_windows
from ratchet.features.spec import FeatureSpec
from ratchet.features.specify import check_windows, specify
from ratchet.features.split_plan import Places, SplitPlan
from ratchet.features.splits import split_rows
from ratchet.features.target import Target, class_names, is_labelled, no_target, read_target
from ratchet.features.windows import Window, compute_windows, parse_windows
from ratchet.report.page import Cell, Page, Table


@dataclass(frozen=True)
class FeaturesResult:
    """What the step made.

    Attributes:
        spec: The specification that was written.
        train: About the table that trains.
        validation: About the table that chooses.
        holdout: About the table that judges.
        table: About all rows with their windows, those of no split included.
        positives: Number of positive rows by split name; empty unless there is a positive class.
        left_out: Number of rows in no split, by reason.
        missing: Number of rows without a value by split name, by imputed column.
        live_training: Content digest of the rows that trained the live model; empty without one.
        unlabelled: Number of rows without a label by split name; empty unless the task, "anomaly", and a target allow them.
    """

    spec: FeatureSpec
    train: DatasetInfo
    validation: DatasetInfo
    holdout: DatasetInfo
    table: DatasetInfo
    positives: Mapping[str, int]
    left_out: Mapping[str, int]
    missing: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    live_training: str = ""
    unlabelled: Mapping[str, int] = field(default_factory=dict)

    def page(self) -> Page:
        """Return the summary that a person reads."""
        splits = {"train": self.train, "validation": self.validation, "holdout": self.holdout}
        rows: list[dict[str, Cell]] = []
        for name, info in splits.items():
            rows.append({"split": name, "rows": info.rows, "from": info.time_min, "to": info.time_max})
            if self.positives:
                rows[-1] |= {f"{self.spec.target} = {self.spec.positive}": self.positives[name], "share": self.positives[name] / info.rows}
            if any(self.unlabelled.values()):
                rows[-1]["without label"] = self.unlabelled[name]
        made: list[dict[str, Cell]] = [{"feature": name, "is": text} for name, text in self.spec.expressions.items()]
        made += [{"feature": window.name, "is": _told(window)} for window in self.spec.windows]
        filled: list[dict[str, Cell]] = [
            {"column": one.column, "by": one.by, "value": str(one.value), "flag": one.flag, **self.missing[one.column]}
            for one in self.spec.impute
        ]
        left: list[dict[str, Cell]] = [{"why": why, "rows": count} for why, count in self.left_out.items() if count]
        facts: dict[str, Cell] = {"task": self.spec.task}
        facts |= {"positive class": self.spec.positive} if self.spec.target and self.spec.positive else {}
        facts |= {} if self.spec.target else {"labels": "none; models are judged on injected anomalies"}
        facts["features"] = len(self.spec.features)
        facts["digest of train"] = self.train.content_digest
        facts |= {"digest of what the live model learnt from": self.live_training} if self.live_training else {}
        note = "Each value was learnt from the rows of train, or given; then come the rows of each split that had none."
        tables = (Table("Splits", rows), Table("Made features", made), Table("Imputed", filled, note), Table("Rows in no split", left))
        return Page("Features", facts=facts, parts=tables)


def build_features(
    data_path: str | Path,
    *,
    champion_path: str | Path | None,
    train_path: str | Path,
    validation_path: str | Path,
    holdout_path: str | Path,
    table_path: str | Path,
    specification_path: str | Path,
    target: str = "",
    task: str = "",
    positive: str = "",
    expressions: Mapping[str, str] | None = None,
    windows: Sequence[Mapping[str, Any]] = (),
    impute: Mapping[str, Any] | None = None,
    drop_columns: Sequence[str] = (),
    plan: SplitPlan | None = None,
) -> FeaturesResult:
    """Make windows, split the rows, and write three Datasets and the specification.

    Args:
        data_path: Dataset of clean rows.
        champion_path: Model package that is live, or the mark of absence; None for none.
        train_path: Dataset to write: rows that train.
        validation_path: Dataset to write: rows that choose iterations and threshold.
        holdout_path: Dataset to write: rows that judge.
        table_path: Dataset to write: all rows with the windows, to compare with another time's.
        specification_path: JSON file to write.
        target: Column to predict; empty where rows have no labels, in "anomaly" only.
        task: "binary", "multiclass", "regression" or "anomaly"; empty to find it.
        positive: Target value that counts as positive; empty to find it.
        expressions: SQL scalar expression by feature name.
        windows: Aggregates over time, as mappings of the parts of `windows.Window`.
        impute: What stands in for missing values, as `imputation.parse_imputations` takes it.
        drop_columns: Columns that the model must not see; expressions and windows may still use them.
        plan: How to split; its ``identity`` is filled in here. None for a stable hash of the row.

    Returns:
        What was made.

    Raises:
        SchemaError: a column is not there or of no use as what it is named for; or no feature is left.
        ParameterError: what is to be imputed is not written so, or there is no target and the task needs one.
        TargetError: the target cannot be learnt.
        ExpressionError: an expression or window is not allowed, or would see the target before it is known.
        SplitError: the rows cannot be split so.
    """
    asked = parse_imputations(impute or {})
    frame = read_dataset(data_path)
    live = read_live_spec(champion_path)
    plan = (plan or SplitPlan()).identified_by(name for name in frame.columns if name != target)
    _check_columns(frame, target, plan, drop_columns)
    meant = _meant(frame, target, task=task, positive=positive, live=live_target(live))
    own = parse_windows(windows)
    check_windows(frame, own, target, plan.label_delay)
    frame = frame.hstack(_windows_of(frame, with_live_windows(own, live), plan.time, meant).get_columns())
    classes = class_names(frame[target]) if target and meant.classes else None
    positives = (classes == meant.positive).fill_null(False).to_numpy() if classes is not None and meant.positive else None
    parts = split_rows(frame, plan, classes=classes, positive=positives, seen=live.split if live else None, anomaly=meant.task == "anomaly")
    # By name: KFP hands a mapping over in an order that changes from process to process, and a model learns from features in order.
    ordered = dict(sorted((expressions or {}).items()))
    spec = specify(frame, meant, plan, parts, expressions=ordered, windows=own, drop=drop_columns, impute=asked)

    places = {"train": parts.train, "validation": parts.validation, "holdout": parts.holdout}
    paths = {"train": train_path, "validation": validation_path, "holdout": holdout_path}
    source = str(data_path)
    infos = {name: write_dataset(frame[at], paths[name], source=source, time_column=plan.time) for name, at in places.items()}
    table = write_dataset(frame, table_path, source=source, time_column=plan.time)
    spec.write(specification_path)
    counts = {name: int(positives[at].sum()) for name, at in places.items()} if positives is not None else {}
    missing = missing_counts(spec.impute, frame, places)
    return FeaturesResult(
        spec,
        **infos,
        table=table,
        positives=counts,
        left_out=parts.left_out,
        missing=missing,
        live_training=read_training_digest(champion_path),
        unlabelled=_unlabelled(frame, meant, places),
    )


def _meant(frame: pl.DataFrame, target: str, *, task: str, positive: str, live: Target | None) -> Target:
    if target:
        return read_target(frame[target], task=task, positive=positive, live=live)
    return no_target(task=task, positive=positive, live=live)


def _unlabelled(frame: pl.DataFrame, meant: Target, places: Mapping[str, Places]) -> dict[str, int]:
    """Return the number of rows without a label by split, where there may be any."""
    if meant.task != "anomaly" or not meant.column:
        return {}
    lacking = ~is_labelled(frame[meant.column]).to_numpy()
    return {name: int(lacking[at].sum()) for name, at in places.items()}


def _check_columns(frame: pl.DataFrame, target: str, plan: SplitPlan, drop: Sequence[str]) -> None:
    named = {"target": [target], "time_column": [plan.time], "group_column": [plan.group], "key_columns": plan.key, "drop_columns": drop}
    named["split_column"] = [plan.given]
    for where, names in named.items():
        for name in names:
            if name and name not in frame.columns:
                raise SchemaError(f"{where}: no column {name!r}; {nearest(name, frame.columns)}")
            if name and name == target and where != "target":
                raise SchemaError(f"{where}: {name!r} is the target; name another column")


def _windows_of(frame: pl.DataFrame, windows: Sequence[Window], time_column: str, meant: Target) -> pl.DataFrame:
    """Compute the windows, over a two-class target as 0 and 1, missing where a label is."""
    if meant.column and meant.positive and any(window.column == meant.column for window in windows):
        positive = class_names(frame[meant.column]) == meant.positive
        frame = frame.with_columns(positive.cast(pl.Float64).alias(meant.column))
    return compute_windows(frame, windows, time_column)


def _told(window: Window) -> str:
    what = f"{window.aggregate} of {window.column}" if window.column else "number of rows"
    delay = f", {window.delay} ago and older" if window.delay else ""
    return f"{what} of the same {window.by} over {window.over}{delay}"
