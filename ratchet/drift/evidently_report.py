"""The report that Evidently draws, for people who know it. Its import costs a step 6 s, so it is made only when drift is there.

It is drawn on a sample: on all rows it takes minutes and grows with them, and it decides nothing here.
"""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ratchet.data.tables import read_dataset


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

        tables = [read_dataset(side) for side in (reference_path, current_path)]
        stored = [name for name in columns if all(name in table.columns for table in tables)]
        reference, current = (_sample(table.select(stored), rows, seed) for table in tables)
        snapshot = Report([DataDriftPreset()]).run(current.to_pandas(), reference.to_pandas())
        snapshot.save_html(str(path))


def _sample(frame: pl.DataFrame, rows: int, seed: int) -> pl.DataFrame:
    return frame.sample(min(rows, len(frame)), seed=seed, shuffle=True)
