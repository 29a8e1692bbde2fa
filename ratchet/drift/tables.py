"""Drift between two tables, column by column and in the model's predictions.

The verdict is "drifted" when any input column, or the distribution of the predictions, moved by more than the threshold and more than
chance. The probability of a false alarm is held over all columns together (Bonferroni), so a wide table does not cry wolf. With a
model only its inputs and its target are looked at: keys and times always move. With no champion, no rows, or too few rows to show
anything, the verdict is "unknown": absence of evidence is not stability.

A table is never in memory, only the columns that are being compared: as many at once as there are processors, fewer where they are long.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ratchet.data.absent import absent_reason, is_absent
from ratchet.data.revision import revision
from ratchet.drift.columns import ColumnDrift, compare_samples
from ratchet.drift.predictions import with_predictions, with_windows
from ratchet.drift.result import DriftResult
from ratchet.drift.sides import Side
from ratchet.errors import SchemaError, nearest

if TYPE_CHECKING:
    from ratchet.models.package import ModelPackage

AT_ONCE_BYTES = 400_000_000  # of columns that are compared at the same time, eight bytes a row and side


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
        threshold: A column has drifted when its distance exceeds this (0 to 1), and what chance does at this number of rows. Alarms have
            when their share moved by as much as it was, where that is less.
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
    reference, current = Side.open(reference_path), Side.open(current_path)
    if not reference.rows or not current.rows:
        return DriftResult.unknown(f"Nothing can be said from {reference.rows:,} reference rows and {current.rows:,} current rows.")
    model = _load(model_path)
    note = ""
    made: dict[str, float] = {}
    if model is not None:
        reference, current = (with_windows(side, model.spec) for side in (reference, current))
        reference, current, made, note = with_predictions(reference, current, model)
    roles = _roles(reference, current, model, ignore) | dict.fromkeys(made, "prediction")
    result = DriftResult.judged(
        _compared(reference, current, roles, threshold=threshold, alpha=alpha / max(len(roles), 1), mattering=made),
        share_threshold=share_threshold,
        rows=(reference.rows, current.rows),
        not_compared=_not_compared(reference, current, roles, ignore),
        note=note,
        paths=(str(reference_path), str(current_path)),
    )
    if model is None:
        return result
    spec = model.spec
    return replace(result, revision=revision(reference_path, current_path, key=spec.key, columns=spec.raw, time=spec.time))


def _compared(
    reference: Side, current: Side, roles: Mapping[str, str], *, threshold: float, alpha: float, mattering: Mapping[str, float]
) -> tuple[ColumnDrift, ...]:
    def compared(name: str) -> ColumnDrift:
        limit = min(threshold, mattering.get(name, 1.0))
        return compare_samples(name, reference.sample(name), current.sample(name), threshold=limit, alpha=alpha, role=roles[name])

    at_once = max(1, min(os.cpu_count() or 1, AT_ONCE_BYTES // (8 * (reference.rows + current.rows))))
    with ThreadPoolExecutor(at_once) as pool:  # numpy sorts outside the interpreter lock
        return tuple(pool.map(compared, roles))


def _load(model_path: str | Path) -> "ModelPackage | None":
    if not str(model_path):
        return None
    from ratchet.models.package import load_champion

    return load_champion(model_path)


def _roles(reference: Side, current: Side, model: "ModelPackage | None", ignore: Sequence[str]) -> dict[str, str]:
    """Return the columns to compare, each with its role, in the reference's order."""
    for name in ignore:
        if name not in reference.schema and name not in current.schema:
            raise SchemaError(f"column {name!r} is to be ignored but is in neither table; {nearest(name, reference.schema)}")
    if model is not None:
        target = model.spec.target
        wanted = [name for name in model.spec.inputs if name != model.spec.time] + [target]  # time moves on; that is no drift
    else:
        target, wanted = "", [name for name, kind in reference.schema.items() if not kind.is_temporal()]
    shared = [name for name in reference.schema if name in current.schema and name in wanted and name not in ignore]
    if not shared:
        raise SchemaError(
            f"the tables have no column in common that can be compared (reference: {', '.join(reference.schema)}; current: "
            f"{', '.join(current.schema)}); pass two Datasets of the same kind"
        )
    return {name: "target" if name == target else "input" for name in shared}


def _not_compared(reference: Side, current: Side, roles: Mapping[str, str], ignore: Sequence[str]) -> dict[str, str]:
    """Return why each column that was left out was, by name."""
    reasons = {}
    for name in dict.fromkeys([*reference.schema, *current.schema]):
        if name in ignore:
            reasons[name] = "left out on request"
        elif name not in current.schema:
            reasons[name] = "only in the reference"
        elif name not in reference.schema:
            reasons[name] = "only in the current data"
        elif name not in roles:
            reasons[name] = "a time" if reference.schema[name].is_temporal() else "no input of the model"
    return reasons
