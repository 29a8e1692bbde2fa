"""The report that Evidently draws, for people who know it. Its import costs a step 6 s, so it is made only when drift is there.

It is drawn on a sample: on all rows it takes minutes and grows with them, and it decides nothing here.
"""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from ratchet.drift.sides import Side


def write_evidently(
    reference_path: str | Path, current_path: str | Path, path: str | Path, *, columns: Sequence[str], rows: int = 5_000, seed: int = 0
) -> None:
    """Write Evidently's data drift report as one HTML file that opens without network.

    Args:
        reference_path: Reference Dataset.
        current_path: Current Dataset.
        path: HTML file.
        columns: Columns to show; one that a Dataset does not store, a window made for the comparison, is left out.
        rows: Rows of the sample drawn from each Dataset.
        seed: Of the sample.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")  # Evidently reads it when it is imported; a step sends nothing to anybody
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its pydantic and numpy deprecations are not for our reader
        from evidently import Report
        from evidently.presets import DataDriftPreset

        sides = [Side.open(path) for path in (reference_path, current_path)]
        stored = [name for name in columns if all(name in side.schema for side in sides)]
        reference, current = (_sample(side, stored, rows, seed) for side in sides)
        snapshot = Report([DataDriftPreset()]).run(current.to_pandas(), reference.to_pandas())
        snapshot.save_html(str(path))


def _sample(side: Side, columns: Sequence[str], rows: int, seed: int) -> pl.DataFrame:
    """Return some rows of a table, in its order, without ever holding more than a batch of it."""
    chosen = np.sort(np.random.default_rng(seed).choice(side.rows, min(rows, side.rows), replace=False))
    taken, begin = [], 0
    for frame in side.frames(columns):
        taken.append(frame[chosen[(chosen >= begin) & (chosen < begin + len(frame))] - begin])
        begin += len(frame)
    return pl.concat(taken)
