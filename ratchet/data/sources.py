"""From a file or folder that somebody names to a Dataset: the door of the house.

Everything that a pipeline can know to be wrong about its input is refused here, before anything was written, with the file, the row
or the column at fault. A time window makes a recurring run take only what is new.
"""

import math
from datetime import datetime
from pathlib import Path

import polars as pl

from ratchet.data.delimited import read_delimited
from ratchet.data.kinds import canonical, check_kinds, kind_of
from ratchet.data.parsing import parse_times
from ratchet.data.tables import DatasetInfo, write_dataset
from ratchet.errors import ParameterError, SchemaError, SourceError, nearest

PARQUET_SUFFIXES = (".parquet", ".pq")
PANDAS_INDEX = "__index_level_0__"  # pandas' bookkeeping, no column of the data
Bound = datetime | float


def ingest(source: str | Path, output: str | Path, *, time_column: str = "", since: str = "", until: str = "") -> DatasetInfo:
    """Read a source and write it as a Dataset.

    Args:
        source: A CSV file (delimiter sniffed; gzip or plain), a Parquet file, or a folder of Parquet parts; a path or ``file://`` URI.
        output: Folder of the Dataset; nothing is written there unless everything was read.
        time_column: Column of times (ISO 8601, taken as UTC) or of numbers that grow with time; empty for none.
        since: Keep rows from this moment on (ISO 8601, or a number); empty for no bound. Rows without a time are kept, for `validate`
            to set aside where they can be seen.
        until: Keep rows before this moment; empty for no bound.

    Returns:
        What was written.

    Raises:
        SourceError: the source is missing, empty, damaged, of another format, or has no row in the window.
        SchemaError: a column is missing, doubled, nameless or of a type that cannot be used, or a time does not parse.
        ParameterError: the window is not one.
    """
    window = _window(time_column, since, until)
    path = _local(source)
    frame = read_source(path)
    if time_column:
        frame = _with_times(frame, time_column, path)
        frame = _within(frame, time_column, *window, path)
    return write_dataset(frame, output, source=str(source), time_column=time_column)


def read_source(path: Path) -> pl.DataFrame:
    """Return a CSV file, a Parquet file or a folder of Parquet parts as a canonical table with at least one row.

    Raises:
        SourceError: it cannot be read, or has no rows.
        SchemaError: its columns cannot be used.
    """
    try:
        if not path.exists():
            there = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise SourceError(f"source {str(path)!r} does not exist; {nearest(path.name, there)} (in {path.parent})")
        if path.is_dir() or path.suffix.lower() in PARQUET_SUFFIXES:
            return _read_parquet(path)
        return canonical(read_delimited(path))
    except OSError as error:
        raise SourceError(f"source {str(path)!r} cannot be read: {error.strerror or error}; check its permissions") from error


def _local(source: str | Path) -> Path:
    text = str(source)
    if not text.strip():
        raise ParameterError("parameter 'source' is empty; give the path of a CSV or Parquet file, or of a folder of Parquet parts")
    scheme, separator, rest = text.partition("://")
    if separator and scheme != "file":
        raise SourceError(f"source {text!r}: scheme {scheme!r} is not read here; mount the bucket, or copy the file, and give its path")
    return Path(rest if separator else text).expanduser()


def _read_parquet(path: Path) -> pl.DataFrame:
    parts = sorted(part for part in path.rglob("*") if part.suffix.lower() in PARQUET_SUFFIXES) if path.is_dir() else [path]
    if not parts:
        raise SourceError(f"source folder {str(path)!r} holds no .parquet file; give a folder of Parquet parts, or one CSV file")
    try:
        table = pl.scan_parquet(parts, hive_partitioning=path.is_dir())
        schema = table.collect_schema()
        check_kinds(schema, str(path))
        frame = canonical(table.drop(PANDAS_INDEX, strict=False).collect())
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0][:300]
        raise SourceError(f"source {str(path)!r} cannot be read as Parquet: {reason}; write it again, all parts alike") from error
    if frame.is_empty():
        raise SourceError(f"source {str(path)!r} has columns but not one row; check the export that wrote it")
    return frame


def _with_times(frame: pl.DataFrame, name: str, path: Path) -> pl.DataFrame:
    if name not in frame.columns:
        raise SchemaError(f"source {str(path)!r} has no time column {name!r}; {nearest(name, frame.columns)}")
    kind = kind_of(frame.schema[name])
    if kind == "boolean":
        raise SchemaError(f"time column {name!r} of {str(path)!r} holds true and false; name a column of times or numbers")
    if kind != "string":
        return frame
    times = parse_times(frame[name].str.strip_chars())
    bad = (times.is_null() & frame[name].is_not_null()).arg_true()
    if len(bad):
        row = int(bad[0])
        more = f" (and {len(bad) - 1:,} more rows)" if len(bad) > 1 else ""
        raise SchemaError(
            f"{path}: row {row + 1:,} of time column {name!r} holds {frame[name][row]!r}, which is not a date{more}; "
            "write times as 2024-03-31 or 2024-03-31T18:05:00"
        )
    return frame.with_columns(times)


def _window(time_column: str, since: str, until: str) -> tuple[Bound | None, Bound | None]:
    if (since or until) and not time_column:
        raise ParameterError(f"a window [{since or '…'}, {until or '…'}) needs parameter 'time_column'; name the column of times")
    low, high = _bound("since", since), _bound("until", until)
    if low is not None and high is not None:
        if type(low) is not type(high):
            raise ParameterError(f"since {since!r} and until {until!r} are not of one kind; give two dates or two numbers")
        if low >= high:  # type: ignore[operator]
            raise ParameterError(f"since {since!r} is not before until {until!r}, so the window is empty; swap or widen them")
    return low, high


def _bound(name: str, text: str) -> Bound | None:
    if not text.strip():
        return None
    moment = parse_times(pl.Series(name, [text.strip()]))[0]
    if isinstance(moment, datetime):
        return moment
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ParameterError(f"parameter {name!r} is {text!r}; write a date such as 2024-03-31 or 2024-03-31T18:05:00, or a number")
    return number


def _within(frame: pl.DataFrame, name: str, since: Bound | None, until: Bound | None, path: Path) -> pl.DataFrame:
    if since is None and until is None:
        return frame
    column, is_moment = pl.col(name), kind_of(frame.schema[name]) == "datetime"
    for bound in (since, until):
        if bound is not None and isinstance(bound, datetime) != is_moment:
            expected = "dates" if is_moment else "numbers"
            raise ParameterError(f"time column {name!r} holds {expected}, the window bound is {bound}; give {expected} for since and until")
    inside = pl.lit(True)
    if since is not None:
        inside &= column >= since
    if until is not None:
        inside &= column < until
    kept = frame.filter(inside | column.is_null())
    if kept.height == kept[name].null_count():
        low, high = frame.select(pl.col(name).min().cast(pl.String).alias("low"), pl.col(name).max().cast(pl.String).alias("high")).row(0)
        raise SourceError(
            f"{path}: no row has {name!r} in [{since if since is not None else '…'}, {until if until is not None else '…'}); "
            f"the source runs from {low} to {high}; widen the window, or wait for new rows"
        )
    return kept
