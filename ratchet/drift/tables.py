"""Drift between two tables, column by column and in the model's predictions.

The verdict is "drifted" when any input column, or the distribution of the predictions, moved by more than the threshold and more than
chance. The probability of a false alarm is held over all columns together (Bonferroni), so a wide table does not cry wolf. With a
model only its inputs and its target are looked at: keys and times always move. With no champion, no rows, or too few rows to show
anything, the verdict is "unknown": absence of evidence is not stability.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ratchet.data.absent import absent_reason, is_absent
from ratchet.data.tables import read_dataset
from ratchet.drift.columns import compare_column
from ratchet.drift.predictions import with_predictions, with_windows
from ratchet.drift.result import DriftResult
from ratchet.errors import SchemaError, nearest

if TYPE_CHECKING:
    from ratchet.models.package import ModelPackage


def compare_tables(
    reference_path: str | Path,
    current_path: str | Path,
    *,
    model_path: str | Path = "",
    threshold: float = 0.1,
    share_threshold: float = 0.0,
    alpha: float = 0.001,
    ignore: Sequence[str] = (),
) -> DriftResult:
    """Compare a current Dataset with a reference Dataset.

    Args:
        reference_path: Dataset that the champion was trained on, or the mark of absence.
        current_path: Dataset that it meets now. Columns that only one side has are named, not counted.
        model_path: Model package whose inputs, target and predictions are compared; empty or absent to compare every column that is
            not a time.
        threshold: A column has drifted when its distance exceeds this (0 to 1), and what chance does at this number of rows.
        share_threshold: The verdict is "drifted" when more than this share of the input columns drifted; 0 means any column.
        alpha: Probability of a false alarm when nothing moved, over all columns together.
        ignore: Columns to leave out, e.g. identifiers when there is no model that names them.

    Returns:
        The verdict and every statistic.

    Raises:
        SourceError: a Dataset cannot be read.
        SchemaError: the tables have no column in common, or `ignore` names one that neither has.
        PackageError: the model package is damaged.
    """
    if is_absent(reference_path):
        return DriftResult.unknown(f"There is no reference to compare with: {absent_reason(reference_path)}")
    reference, current = read_dataset(reference_path), read_dataset(current_path)
    if not len(reference) or not len(current):
        return DriftResult.unknown(f"Nothing can be said from {len(reference):,} reference rows and {len(current):,} current rows.")
    model = _load(model_path)
    note = name = ""
    if model is not None:
        reference, current = (with_windows(side, model.spec) for side in (reference, current))
        reference, current, name, note = with_predictions(reference, current, model)
    roles = _roles(reference, current, model, ignore) | ({name: "prediction"} if name else {})
    level = alpha / max(len(roles), 1)
    with ThreadPoolExecutor() as pool:  # numpy sorts outside the interpreter lock
        columns = tuple(
            pool.map(lambda name: compare_column(reference[name], current[name], threshold=threshold, alpha=level, role=roles[name]), roles)
        )
    return DriftResult.judged(
        columns,
        share_threshold=share_threshold,
        rows=(len(reference), len(current)),
        not_compared=_not_compared(reference, current, roles),
        note=note,
        paths=(str(reference_path), str(current_path)),
    )


def _load(model_path: str | Path) -> "ModelPackage | None":
    if not str(model_path):
        return None
    from ratchet.models.package import load_champion

    return load_champion(model_path)


def _roles(reference: pl.DataFrame, current: pl.DataFrame, model: "ModelPackage | None", ignore: Sequence[str]) -> dict[str, str]:
    """Return the columns to compare, each with its role, in the reference's order."""
    for name in ignore:
        if name not in reference.columns and name not in current.columns:
            raise SchemaError(f"column {name!r} is to be ignored but is in neither table; {nearest(name, reference.columns)}")
    if model is not None:
        target = model.spec.target
        wanted = [name for name in model.spec.inputs if name != model.spec.time] + [target]  # time moves on; that is no drift
    else:
        target, wanted = "", [name for name, kind in reference.schema.items() if not kind.is_temporal()]
    shared = [name for name in reference.columns if name in current.columns and name in wanted and name not in ignore]
    if not shared:
        raise SchemaError(
            f"the tables have no column in common that can be compared (reference: {', '.join(reference.columns)}; current: "
            f"{', '.join(current.columns)}); pass two Datasets of the same kind"
        )
    return {name: "target" if name == target else "input" for name in shared}


def _not_compared(reference: pl.DataFrame, current: pl.DataFrame, roles: dict[str, str]) -> dict[str, str]:
    """Return why each column that was left out was, by name."""
    reasons = {}
    for name in dict.fromkeys([*reference.columns, *current.columns]):
        if name not in current.columns:
            reasons[name] = "only in the reference"
        elif name not in reference.columns:
            reasons[name] = "only in the current data"
        elif name not in roles:
            reasons[name] = "a time, no input of the model, or left out on request"
    return reasons
