"""A Dataset artifact: a folder of Parquet parts that appears whole or not at all.

Parts are written to a temporary sibling, flushed to disk and renamed, because a step can be killed at any moment and the next one
must never read half a table. The folder form is what Spark and BigQuery write too, with many parts where this code writes one.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from ratchet.data.absent import absent_reason, is_absent
from ratchet.data.digests import ContentDigest, schema_digest
from ratchet.data.kinds import canonical
from ratchet.errors import SchemaError, SourceError, nearest

Rows = pl.DataFrame | pl.LazyFrame | Iterable[pl.DataFrame]


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a Dataset artifact says about itself.

    Attributes:
        rows: Number of rows.
        columns: Names, in order.
        content_digest: Digest of the rows in any order; the version of the data.
        schema_digest: Digest of names and kinds.
        time_min: Earliest time as ISO text (or the smallest number, where time is a number); None without a time column.
        time_max: Latest time, likewise.
        source: Where the rows came from.
    """

    rows: int
    columns: tuple[str, ...]
    content_digest: str
    schema_digest: str
    time_min: str | None
    time_max: str | None
    source: str

    def metadata(self) -> dict[str, str]:
        """Return it as KFP metadata: texts only, because KFP returns integers as floats."""
        return {
            "rows": str(self.rows),
            "columns": str(len(self.columns)),
            "content_digest": self.content_digest,
            "schema_digest": self.schema_digest,
            "time_min": self.time_min or "",
            "time_max": self.time_max or "",
            "source": self.source,
        }


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
    target = Path(path)
    _refuse_foreign(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        info = _write_parts(rows, staging, source, time_column)
        _publish(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return info


def scan_dataset(path: str | Path) -> pl.LazyFrame:
    """Return a Dataset as a lazy table.

    Raises:
        SourceError: the path is no folder of Parquet parts, or holds the mark of absence.
    """
    folder = Path(path)
    if is_absent(folder):
        raise SourceError(f"dataset {str(folder)!r} is absent: {absent_reason(folder)}")
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
    digest = ContentDigest()
    digest.update(frame)
    return _info(frame.schema, digest, _time_range([frame], time_column), source or str(path))


def _write_parts(rows: Rows, folder: Path, source: str, time_column: str) -> DatasetInfo:
    digest, schema, ranges = ContentDigest(), None, []
    for number, part in enumerate(_parts(rows)):
        frame = canonical(part)
        if schema is not None and frame.schema != schema:
            raise SchemaError(f"part {number} has columns {dict(frame.schema)}, the first part {dict(schema)}; make them the same")
        schema = frame.schema
        digest.update(frame)
        ranges.append(frame.select(time_column) if time_column in frame.columns else frame.head(0))
        _write_synced(frame, folder / f"part-{number:05}.parquet")
    if schema is None:
        raise SchemaError("no part was given, so the columns are not known; give at least one table, even one without rows")
    return _info(schema, digest, _time_range(ranges, time_column), source)


def _parts(rows: Rows) -> Iterator[pl.DataFrame]:
    if isinstance(rows, pl.LazyFrame):
        yield rows.collect()
    elif isinstance(rows, pl.DataFrame):
        yield rows
    else:
        yield from rows


def _info(schema: pl.Schema, digest: ContentDigest, times: tuple[str | None, str | None], source: str) -> DatasetInfo:
    return DatasetInfo(digest.rows, tuple(schema.names()), digest.text(), schema_digest(schema), *times, source)


def _time_range(parts: Sequence[pl.DataFrame], time_column: str) -> tuple[str | None, str | None]:
    if not time_column:
        return None, None
    if time_column not in parts[0].columns:
        raise SchemaError(f"time column {time_column!r} is not in the table; {nearest(time_column, parts[0].columns)}")
    times = pl.concat([part.select(time_column) for part in parts]).to_series()
    return _time_text(times.min()), _time_text(times.max())


def _time_text(value: object) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _write_synced(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_foreign(target: Path) -> None:
    """Refuse to replace what is not a Dataset: a mistyped output must not cost anybody a folder."""
    if target.is_file() or (target.is_dir() and any(entry.suffix != ".parquet" for entry in target.iterdir())):
        raise SourceError(f"output {str(target)!r} holds something that is not a Dataset; choose another path, or remove it yourself")


def _publish(staging: Path, target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    staging.chmod(0o755)  # mkdtemp makes it private, and the next step may run as another user
    try:
        staging.rename(target)
    except OSError:  # a mounted bucket may not rename folders: then part by part
        target.mkdir(exist_ok=True)
        for part in sorted(staging.iterdir()):
            shutil.move(part, target / part.name)
