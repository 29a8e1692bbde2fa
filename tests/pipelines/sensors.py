"""Readings of six sensors that two causes move together, and a few that go their own way.

An autoencoder can tell those, and no threshold on a column can.
"""

from pathlib import Path

import numpy as np
import polars as pl

SENSORS = tuple(f"sensor_{place}" for place in range(6))


def write_sensors(path: Path, *, rows: int = 3_000, seed: int = 0, labels: bool = True, fault: bool = False) -> Path:
    """Write readings as CSV: an id, a time, six sensors, a machine, and which readings are defects, one in twenty-five.

    Args:
        path: Of the file.
        rows: How many.
        seed: Of everything random.
        labels: Say which are defects; else there are none of them, and no such column.
        fault: The first sensor speaks in another unit.
    """
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(42).normal(size=(2, len(SENSORS)))
    values = rng.normal(size=(rows, 2)) @ mixing + 0.1 * rng.normal(size=(rows, len(SENSORS)))
    defects = rng.random(rows) < (0.04 if labels else 0.0)
    values[defects] = rng.normal(size=(int(defects.sum()), len(SENSORS))) * values.std(axis=0)  # each usual by itself, not together
    if fault:
        values[:, 0] *= 1000
    table = pl.DataFrame(values.round(4), schema=list(SENSORS)).with_columns(
        reading=pl.int_range(pl.len()),
        time=pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 1) + pl.duration(minutes=rows - 1), "1m", eager=True),
        machine=pl.Series(rng.choice(["mill", "lathe"], rows)),
    )
    if labels:
        table = table.with_columns(defect=pl.Series(defects.astype(int)))
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write_csv(path)
    return path
