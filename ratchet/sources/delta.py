"""A Delta table at one of its versions, as a stream of tables.

deltalake reads the log and says which files a version has; polars reads those files, some rows at a time, with partitions, columns that
came later, and rows that a deletion vector takes out. A version is settled once, as a number, because the newest one of a table that is
written to may be another at the next look.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ratchet.data.kinds import canonical, check_kinds
from ratchet.data.parsing import parse_times
from ratchet.errors import ParameterError, SourceError
from ratchet.sources.cells import check_names
from ratchet.sources.credentials import shown
from ratchet.sources.filesystems import SCHEMES, WEB, filesystem_of, scheme_of
from ratchet.sources.transfers import source_error

if TYPE_CHECKING:
    from deltalake import DeltaTable

LOG = "_delta_log"
COMMIT = re.compile(r"(\d{20})\.json")
BATCH = 32 * 2**20
CELL = 16  # bytes, about; so that a batch of a wide table has fewer rows
MOST_ROWS = 250_000
FILE_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".gz", ".zst")
ATTEMPTS = 4
REMOTE = {
    "max_retries": str(ATTEMPTS),
    "retry_timeout": "60s",
    "timeout": "60s",
    "connect_timeout": "15s",
}  # else minutes pass where nobody answers


def is_delta(uri: str) -> bool:
    """Return whether a path or a URI is that of a Delta table: a folder with a log in it.

    Raises:
        SourceError: the place cannot be looked at.
    """
    if "://" not in uri or uri.startswith("file://"):
        return (_local(uri) / LOG).is_dir()
    if scheme_of(uri) in WEB or uri.lower().endswith(FILE_SUFFIXES):
        return False
    with filesystem_of(uri) as (filesystem, path):
        try:
            return bool(filesystem.exists(f"{path.rstrip('/')}/{LOG}"))
        except Exception as error:  # each filesystem raises its own library's
            raise source_error(error, path, shown(uri)) from error


def table_version(uri: str, version: str) -> int:
    """Return the number of a version.

    Args:
        uri: Path or URI of the table.
        version: A number; or a date or time (ISO 8601, UTC), for what the table was then; empty for the newest.

    Raises:
        SourceError: there is no table, or no such version; naming those that there are.
        ParameterError: the version is neither a number nor a time.
    """
    return _opened(uri, version).version()


def read_delta(uri: str, version: str = "") -> Iterator[pl.DataFrame]:
    """Return a Delta table's rows as tables of canonical kinds, all with the same columns.

    Args:
        uri: Path or URI of the table.
        version: As for `table_version`.

    Raises:
        SourceError: now: there is no table or no such version. While tables are taken: a file of it is gone or damaged, it uses what
            cannot be read here, or there is no row.
        SchemaError: a column is nested or binary.
        ParameterError: the version is neither a number nor a time.
    """
    remote = "://" in uri and not uri.startswith("file://")
    return _tables(_opened(uri, version), shown(uri), {"max_retries": ATTEMPTS} if remote else None)


def _tables(table: "DeltaTable", where: str, options: dict[str, Any] | None) -> Iterator[pl.DataFrame]:
    where = f"{where}@v{table.version()}"
    with _delta_errors(where, "its files may be vacuumed: name a newer version"):
        rows = pl.scan_delta(table, storage_options=options)
        schema = rows.collect_schema()
    check_names(schema.names(), where)
    check_kinds(schema, where)
    at_once = max(1, min(MOST_ROWS, BATCH // (CELL * max(len(schema), 1))))
    with _delta_errors(where, "its files may be vacuumed: name a newer version"):
        there = left = int(rows.select(pl.len()).collect().item())
        for batch in rows.collect_batches(chunk_size=at_once):
            if batch.height:
                left -= batch.height
                yield canonical(batch)
    if left:  # the reader may end without an error where a page is damaged
        raise SourceError(f"source {where!r} cannot be read: {left:,} of its rows are damaged; write it again, or name another version")
    if not there:
        raise SourceError(f"source {where!r} has columns but not one row; name another version, or check what wrote it")


def _opened(uri: str, version: str) -> "DeltaTable":
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError as error:
        raise SourceError(
            f"source {shown(uri)!r} is a Delta table, and deltalake is not there ({error}); install kfp-ratchet[delta]"
        ) from error
    number, moment = _asked(version)
    place, options = _place(uri)
    with _delta_errors(shown(uri), "check its address and the step's credentials"):
        try:
            table = DeltaTable(place, version=number, storage_options=options)
        except DeltaError as error:
            if number is None:
                raise
            DeltaTable(place, storage_options=options)  # where there is no table at all, that is the error
            raise SourceError(f"source {shown(uri)!r} has no version {number}; there are {_span(_versions(uri))}") from error
        if moment is not None:
            _refuse_earlier(table, moment, shown(uri))
            table.load_as_version(moment)
    return table


def _versions(uri: str) -> list[int]:
    """The versions in a log, by the names of its files: deltalake's own list reads each of them."""
    if "://" not in uri or uri.startswith("file://"):
        names = [file.name for file in (_local(uri) / LOG).iterdir()]
    else:
        with filesystem_of(uri) as (filesystem, path):
            names = [str(file).rpartition("/")[2] for file in filesystem.ls(f"{path.rstrip('/')}/{LOG}", detail=False)]
    return sorted(int(match[1]) for match in map(COMMIT.fullmatch, names) if match)


def _asked(version: str) -> tuple[int | None, datetime | None]:
    text = version.strip()
    if not text:
        return None, None
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text), None
    moment = parse_times(pl.Series("version", [text]))[0]
    if not isinstance(moment, datetime):
        raise ParameterError(f"parameter 'version' is {version[:60]!r}; give a number such as 3, or a time such as 2024-03-31T18:05:00")
    return None, moment.replace(tzinfo=UTC)


def _refuse_earlier(newest: "DeltaTable", moment: datetime, where: str) -> None:
    """The library answers a time before the first version with the first version (and numbers history wrongly from an older one)."""
    oldest = newest.history()[-1]
    written = datetime.fromtimestamp(oldest["timestamp"] / 1_000, UTC)
    if written > moment:
        raise SourceError(
            f"source {where!r} had no version at {moment:%Y-%m-%dT%H:%M:%SZ}; "
            f"its oldest, {oldest['version']}, is of {written:%Y-%m-%dT%H:%M:%SZ}"
        )


def _span(versions: list[int]) -> str:
    """Return versions as a person says them.

    >>> _span([0, 1, 2]), _span([7, 9]), _span([4])
    ('versions 0 to 2', 'versions 7, 9', 'version 4')
    """
    if len(versions) == 1:
        return f"version {versions[0]}"
    if versions and versions == list(range(versions[0], versions[-1] + 1)):
        return f"versions {versions[0]} to {versions[-1]}"
    return "versions " + ", ".join(map(str, versions[:20])) + (", …" if len(versions) > 20 else "")


def _local(uri: str) -> Path:
    return Path(uri.removeprefix("file://")).expanduser()


def _place(uri: str) -> tuple[str, dict[str, str] | None]:
    """What deltalake calls the place, and how long it may wait for it; credentials it finds in the environment."""
    if "://" not in uri or uri.startswith("file://"):
        return str(_local(uri)), None
    scheme = scheme_of(uri)
    if scheme in WEB or scheme == "memory":
        known = ", ".join(sorted(SCHEMES - WEB - {"memory"}))
        raise SourceError(f"source {shown(uri)!r}: a Delta table is read from a local folder or from {known}; copy it there")
    return uri.replace("gcs://", "gs://", 1), dict(REMOTE)


@contextmanager
def _delta_errors(where: str, remedy: str) -> Iterator[None]:
    """Say deltalake's and polars' errors as ours; theirs can be pages long."""
    from deltalake.exceptions import DeltaError, DeltaProtocolError, TableNotFoundError

    libraries: tuple[Any, ...] = (DeltaError, pl.exceptions.PolarsError, OSError, ImportError, NotImplementedError)
    try:
        yield
    except TableNotFoundError as error:
        raise SourceError(f"source {where!r} is no Delta table; give the folder that holds {LOG}") from error
    except DeltaProtocolError as error:
        raise SourceError(
            f"source {where!r} cannot be read here: {_shortened(error)}; write it again without, or read it with Spark"
        ) from error
    except libraries as error:
        raise SourceError(f"source {where!r} cannot be read: {_shortened(error)}; {remedy}") from error


def _shortened(error: BaseException) -> str:
    return " ".join(re.sub(r"\x1b\[\d*m|↳", "", str(error)).split())[:300] or type(error).__name__
