"""A Dataset artifact: a folder of Parquet parts that appears whole or not at all.

The folder form is what Spark and BigQuery write too. How parts are written is told in `ratchet.data.parts`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from ratchet.data.absent import absent_reason, is_absent
from ratchet.data.account import Account, DatasetInfo
from ratchet.data.kinds import canonical
from ratchet.data.parts import DatasetWriter
from ratchet.data.staging import UNFINISHED
from ratchet.errors import SchemaError, SourceError, nearest

Rows = pl.DataFrame | pl.LazyFrame | Iterable[pl.DataFrame]


def write_dataset(rows: Rows, path: str | Path, *, source: str, time_column: str = "") -> DatasetInfo:
    """Write rows as a Dataset, atomically.

    Args:
        rows: A table, or an iterable of tables of one schema, each of which becomes a part. Made canonical (`kinds.canonical`).
        path: Folder to appear. A Dataset that is already there is replaced.
        source: Where the rows came from, for the metadata.
        time_column: Column whose range is noted; empty for none.

    Returns:
        What was written.

    Raises:
        SchemaError: parts differ in their columns, there is no part, a column is of no known kind, or the time column is not there.
        SourceError: the path holds something that is not a Dataset.
    """
    with DatasetWriter(path, source=source, time_column=time_column) as writer:
        for part in [rows.collect()] if isinstance(rows, pl.LazyFrame) else [rows] if isinstance(rows, pl.DataFrame) else rows:
            writer.add(part)
    return writer.info


def scan_dataset(path: str | Path) -> pl.LazyFrame:
    """Return a Dataset as a lazy table.

    Raises:
        SourceError: the path is no folder of Parquet parts, or holds the mark of absence.
    """
    folder = Path(path)
    if is_absent(folder):
        raise SourceError(f"dataset {str(folder)!r} is absent: {absent_reason(folder)}")
    if (folder / UNFINISHED).exists():
        raise SourceError(f"dataset {str(folder)!r} was being written when its writer died; run the step that wrote it again")
    if not folder.is_dir() or not any(folder.glob("*.parquet")):
        raise SourceError(f"dataset {str(folder)!r} is not a folder of .parquet parts; pass the output of ingest, validate or features")
    return pl.scan_parquet(sorted(folder.glob("*.parquet")))


def read_dataset(path: str | Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Return a Dataset, or some of its columns.

    Args:
        path: Folder of the Dataset.
        columns: Names, in the order wanted; None for all.

    Raises:
        SourceError: as for `scan_dataset`, or a part is damaged.
        SchemaError: a column is not there.
    """
    table = scan_dataset(path)
    try:
        known = table.collect_schema().names()
        for name in columns or ():
            if name not in known:
                raise SchemaError(f"dataset {str(path)!r} has no column {name!r}; {nearest(name, known)}")
        return (table if columns is None else table.select(columns)).collect()
    except pl.exceptions.PolarsError as error:
        raise SourceError(f"dataset {str(path)!r} cannot be read: {error}; run the step that wrote it again") from error


def dataset_info(path: str | Path, *, source: str = "", time_column: str = "") -> DatasetInfo:
    """Return what a Dataset says about itself, computed from its rows.

    Raises:
        SourceError: it cannot be read.
        SchemaError: the time column is not there.
    """
    frame = read_dataset(path)
    account = Account(time_column)
    account.add(canonical(frame))
    return account.info(source or str(path))
