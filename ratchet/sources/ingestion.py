"""From a source that somebody names to a Dataset: the door of the house.

Everything that a pipeline can know to be wrong about its input is refused here, before anything was written, with the file, the row
or the column at fault. Whatever the source is, it passes as an iterator of tables, so that none is ever held whole.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from ratchet.data.account import DatasetInfo
from ratchet.data.agreement import ReadAgain
from ratchet.data.batches import ahead, evened
from ratchet.data.kinds import canonical
from ratchet.data.tables import write_dataset
from ratchet.errors import ParameterError, SourceError, nearest
from ratchet.sources.joins import Join
from ratchet.sources.local_files import FORMATS, LocalSource
from ratchet.sources.window import TimeWindow

SOURCES = "the path of a file, or of a folder of Parquet parts, or a URI"


@dataclass(frozen=True)
class Reading:
    """A source that stands open.

    Attributes:
        shown: What to call it in errors and metadata; holds no secret.
        batches: Begins to read it, from the start each time.
        notes: What was decided while it was read, for a person.
    """

    shown: str
    batches: Callable[[], Iterator[pl.DataFrame]]
    notes: Callable[[], tuple[str, ...]] = tuple


def ingest(
    source: str | Path,
    output: str | Path,
    *,
    format: str = "",
    encoding: str = "",
    query: str = "",
    version: str = "",
    join: Mapping[str, Any] | None = None,
    time_column: str = "",
    since: str = "",
    until: str = "",
) -> DatasetInfo:
    """Read a source and write it as a Dataset.

    Args:
        source: A CSV file (delimiter sniffed), JSON lines, a Parquet file, a folder of Parquet parts or a Delta table: a path or a URI
            (``file:// gs:// s3:// https://`` …); text may be packed by gzip or zstd. Or the SQLAlchemy URL of a database, or
            ``bigquery://project/dataset/table``. A secret reference (``env:NAME``, ``file:PATH``) stands for what it holds.
        output: Folder of the Dataset; nothing is written there unless everything was read.
        format: "csv", "jsonl", "parquet" or "delta"; empty goes by the name and the first bytes.
        encoding: Of the text, e.g. "cp1252"; empty takes UTF-8, or what a byte order mark says, and refuses all else.
        query: What to ask a database.
        version: Of a Delta table: a number or an ISO time; empty takes the newest.
        join: A second source whose columns are looked up for each row (`ratchet.sources.joins`); None for none.
        time_column: Column of times (ISO 8601, taken as UTC) or of numbers that grow with time; empty for none.
        since: Keep rows from this moment on (ISO 8601, or a number); empty for no bound. Rows without a time are kept, for `validate`
            to set aside where they can be seen.
        until: Keep rows before this moment; empty for no bound.

    Returns:
        What was written.

    Raises:
        SourceError: the source is missing, empty, damaged, of another format, or has no row in the window.
        SchemaError: a column is missing, doubled, nameless or of a type that cannot be used, or a time does not parse.
        ParameterError: a parameter cannot be used, or the window is not one.
    """
    window = TimeWindow.parse(time_column, since, until)
    joined = Join.parse(join).open(read_source, time_column=time_column) if join else None
    with opened(source, format=format, encoding=encoding, query=query, version=version) as reading:
        while True:
            batches = reading.batches()
            windowed = window.applied(batches, reading.shown)
            rows = joined.applied(windowed) if joined else windowed
            try:
                info = write_dataset(ahead(evened(rows)), output, source=reading.shown, time_column=time_column)
                return replace(info, notes=(*reading.notes(), *(joined.notes() if joined else ())))
            except ReadAgain:  # a later value contradicts the types that earlier ones agreed on: once more, with those that all agree on
                continue


def read_source(
    source: str | Path, *, format: str = "", encoding: str = "", query: str = "", version: str = "", at_most: int | None = None
) -> pl.DataFrame:
    """Return a source as one canonical table with at least one row.

    Args:
        source: As for `ingest`; `format`, `encoding`, `query` and `version` likewise.
        format: See `ingest`.
        encoding: See `ingest`.
        query: See `ingest`.
        version: See `ingest`.
        at_most: Bytes in memory beyond which it is refused; None for no bound.

    Raises:
        SourceError: it cannot be read, has no rows, or is too large.
        SchemaError: its columns cannot be used.
        ParameterError: a parameter cannot be used.
    """
    with opened(source, format=format, encoding=encoding, query=query, version=version) as reading:
        while True:
            try:
                return canonical(pl.concat(_bounded(reading, at_most)))
            except ReadAgain:
                continue


def _bounded(reading: Reading, at_most: int | None) -> Iterator[pl.DataFrame]:
    size = 0
    for batch in reading.batches():
        size += int(batch.estimated_size())
        if at_most is not None and size > at_most:
            raise SourceError(f"source {reading.shown!r} takes more than {at_most:,} bytes of memory; take fewer columns or rows of it")
        yield batch


@contextmanager
def opened(source: str | Path, *, format: str = "", encoding: str = "", query: str = "", version: str = "") -> Iterator[Reading]:
    """Open what somebody named, wherever it lies.

    Args:
        source: As for `ingest`.
        format: See `ingest`.
        encoding: See `ingest`.
        query: See `ingest`.
        version: See `ingest`.

    Raises:
        SourceError: it is not there, or cannot be read.
        ParameterError: a parameter cannot be used, or not with such a source.
    """
    text = str(source).strip()
    if not text:
        raise ParameterError(f"parameter 'source' is empty; give {SOURCES}")
    if format and format not in FORMATS:
        raise ParameterError(f"parameter 'format' is {format!r}; {nearest(format, FORMATS)}")
    with ExitStack() as stack:
        opening, shown = _resolved(text)
        scheme = opening.partition("://")[0] if "://" in opening else ""
        if scheme == "bigquery":
            _refuse(shown, "a BigQuery table", format=format, encoding=encoding, version=version)
            from ratchet.sources.bigquery import read_bigquery

            yield Reading(shown, partial(read_bigquery, opening, query))
        elif scheme and scheme != "file":
            yield _elsewhere(opening, shown, scheme, stack, format, encoding, query, version)
        else:
            yield _here(_path(opening), shown, format, encoding, query, version)


def _elsewhere(opening: str, shown: str, scheme: str, stack: ExitStack, format: str, encoding: str, query: str, version: str) -> Reading:
    from ratchet.sources.remote import SCHEMES, fetched

    if scheme not in SCHEMES:
        if not query.strip():
            places = f"scheme {scheme!r} is no place of files ({nearest(scheme, SCHEMES)})"
            raise ParameterError(f"source {shown!r}: {places}, and a database needs parameter 'query', one SELECT")
        _refuse(shown, "a database", format=format, encoding=encoding, version=version)
        from ratchet.sources.databases import read_query

        return Reading(shown, partial(read_query, opening, query))
    _refuse(shown, "a file", query=query)
    from ratchet.sources.delta import is_delta

    if format in ("", "delta") and is_delta(opening):
        return _delta(opening, shown, version)
    _refuse(shown, "not a Delta table", version=version)
    return _file(stack.enter_context(fetched(opening)), shown, format, encoding)


def _here(path: Path, shown: str, format: str, encoding: str, query: str, version: str) -> Reading:
    _refuse(shown, "a file", query=query)
    if format == "delta" or (not format and (path / "_delta_log").is_dir()):
        _refuse(shown, "a Delta table", encoding=encoding)
        return _delta(str(path), shown, version)
    _refuse(shown, "not a Delta table", version=version)
    return _file(path, shown, format, encoding)


def _file(path: Path, shown: str, format: str, encoding: str) -> Reading:
    source = LocalSource(path, shown, format, encoding)
    return Reading(shown, source.batches, source.notes)


def _delta(uri: str, shown: str, version: str) -> Reading:
    from ratchet.sources.delta import read_delta, table_version

    number = table_version(uri, version)  # resolved once: what is read twice is one version
    return Reading(f"{shown}@v{number}", partial(read_delta, uri, str(number)))


def _resolved(text: str) -> tuple[str, str]:
    if "://" not in text and not text.startswith(("env:", "file:")):
        return text, text
    if text.startswith("file://"):
        return text, text
    from ratchet.sources.credentials import resolved_source

    return resolved_source(text)


def _path(opening: str) -> Path:
    return Path(opening.partition("://")[2] if opening.startswith("file://") else opening).expanduser()


def _refuse(shown: str, what: str, **parameters: str) -> None:
    for name, value in parameters.items():
        if value.strip():
            raise ParameterError(f"parameter {name!r} is {value[:60]!r}, but source {shown!r} is {what}; leave {name!r} empty")
