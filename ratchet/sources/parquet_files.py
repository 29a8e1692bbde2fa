"""A Parquet file, or a folder of parts with or without partitions in their paths, as a stream of canonical tables.

Each part is opened by itself, so that an error names the part that is damaged, or differs, and in which column.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from ratchet.data.kinds import canonical, check_kinds, kind_of
from ratchet.errors import SourceError
from ratchet.sources.names import check_names

SUFFIXES = (".parquet", ".pq")
PANDAS_INDEX = "__index_level_0__"  # pandas' bookkeeping, no column of the data
CELLS = 4_000_000  # of a batch, about
REASONS = {  # what a reader says, and what it means
    r"Encryption error": "is encrypted; write it without encryption",
    r"column with name '(.*)' has more than one": r"has two columns called '\1'; give each column its own name",
    r"precision must be between": "has decimals of more than 38 digits; write them as text or as floats",
}


def parquet_batches(path: Path, shown: str) -> Iterator[pl.DataFrame]:
    """Yield the rows of a Parquet file, or of all parts below a folder, in order.

    Args:
        path: An existing file or folder. Below a folder, what begins with a dot or an underscore is not data, as in Spark.
        shown: What to call it in errors.

    Raises:
        SourceError: it is damaged, holds no part or no row, or its parts differ in their columns.
        SchemaError: a column has no name, or is of no kind that a model takes.
    """
    parts = _parts(path) if path.is_dir() else [path]
    if not parts:
        raise SourceError(f"source folder {shown!r} holds no .parquet file; give a folder of Parquet parts, or one CSV file")
    tables = _opened(parts, path, shown)
    names = [name for name in tables[0].collect_schema() if name != PANDAS_INDEX]
    rows = 0
    for part, table in zip(parts, tables, strict=True):
        for batch in _batches(table.select(names), _called(part, path, shown), max(1, CELLS // len(names))):
            rows += batch.height
            yield batch
    if not rows:
        raise SourceError(f"source {shown!r} has columns but not one row; check the export that wrote it")


def _batches(table: pl.LazyFrame, where: str, size: int) -> Iterator[pl.DataFrame]:
    try:
        left = int(table.select(pl.len()).collect().item())
        for batch in table.collect_batches(chunk_size=size, maintain_order=True, lazy=True):
            left -= batch.height
            yield canonical(batch, where)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(where, error) from error
    if left:  # the reader may end without an error where a page is damaged; the footer knows how many rows there are
        raise SourceError(f"{where} cannot be read as Parquet: {left:,} of its rows are damaged; write or transfer it again")


def _parts(folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return sorted(path for path in files if not any(name.startswith((".", "_")) for name in path.relative_to(folder).parts))


def _opened(parts: Sequence[Path], path: Path, shown: str) -> list[pl.LazyFrame]:
    """Return each part as a lazy table, after a look at all their columns."""
    partitions = _partitions(parts, path)
    tables: list[pl.LazyFrame] = []
    first: dict[str, str] = {}
    for part in parts:
        where = _called(part, path, shown)
        try:
            table = pl.scan_parquet(part, glob=False, hive_partitioning=bool(partitions), hive_schema=partitions or None)
            schema = table.collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _unreadable(where, error) from error
        columns = {name: dtype for name, dtype in schema.items() if name != PANDAS_INDEX}
        check_names(list(columns), where)
        check_kinds(pl.Schema(columns), where)
        kinds = {name: kind_of(dtype) for name, dtype in columns.items()}
        first = first or kinds
        if kinds != first:
            raise _unlike(where, kinds, first, parts[0].name)
        tables.append(table)
    return tables


def _partitions(parts: Sequence[Path], path: Path) -> dict[str, pl.DataType]:
    """Return the columns that stand in the paths (year=2024/…), of the type that all their values agree on."""
    if not path.is_dir() or not any("=" in name for part in parts for name in part.relative_to(path).parts[:-1]):
        return {}
    try:
        inside = set(pl.scan_parquet(parts[0], glob=False, hive_partitioning=False).collect_schema())
        everything = pl.scan_parquet(list(parts), glob=False, hive_partitioning=True).collect_schema()
    except (pl.exceptions.PolarsError, OSError):
        return {}  # a part is damaged; which, is said when each is opened
    return {name: dtype for name, dtype in everything.items() if name not in inside}


def _called(part: Path, path: Path, shown: str) -> str:
    return f"part {str(part.relative_to(path))!r} of source {shown!r}" if part != path else f"source {shown!r}"


def _unlike(where: str, kinds: dict[str, str], first: dict[str, str], name: str) -> SourceError:
    for column, kind in first.items():
        if column not in kinds:
            return SourceError(f"{where} has no column {column!r}, which {name!r} has; write all parts alike")
        if kinds[column] != kind:
            return SourceError(f"{where} has column {column!r} as {kinds[column]}, {name!r} as {kind}; write all parts alike")
    column = next(column for column in kinds if column not in first)
    return SourceError(f"{where} has column {column!r}, which {name!r} has not; write all parts alike")


def _unreadable(where: str, error: Exception) -> SourceError:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    for pattern, meaning in REASONS.items():
        if found := re.search(pattern, text):
            return SourceError(f"{where} cannot be read as Parquet: it {found.expand(meaning)}")
    if isinstance(error, OSError) and error.strerror:
        return SourceError(f"{where} cannot be read: {error.strerror}; check its permissions")
    if re.search(r"not (yet )?(implemented|supported)|unsupported", text, re.IGNORECASE):
        return SourceError(f"{where} cannot be read as Parquet: it uses a feature that is not read here; write it with plain types")
    return SourceError(f"{where} cannot be read as Parquet: it is damaged, cut short or of another format; write or transfer it again")
