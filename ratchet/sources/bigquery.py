"""A BigQuery table, or a query's rows, as a stream of tables, by Google's own client.

Over REST, page by page: the Storage API is quicker, and would be another client with another protocol in every image. A table is listed,
which costs nothing; a query is first tried without being run, so that what it would read, and that it only reads, is known before it is
paid for.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from ratchet.data.kinds import canonical
from ratchet.errors import ParameterError, SchemaError, SourceError
from ratchet.sources.cells import BEYOND, check_names
from ratchet.sources.databases import LIMITS, MIB, QueryLimits
from ratchet.sources.queries import read_only

if TYPE_CHECKING:
    from google.cloud.bigquery import Client
    from google.cloud.bigquery.schema import SchemaField
    from google.cloud.bigquery.table import RowIterator

MAX_BYTES_BILLED = 2**40  # a query that would read more is refused by BigQuery before it costs anything
LABELS = {"tool": "ratchet", "step": "ingest"}
PATIENCE = 120.0  # seconds in which a request that failed is made again
REQUEST_SECONDS = 60.0
LISTED = ("TABLE", "SNAPSHOT", "CLONE")
_SCALARS = ("BOOL", "BOOLEAN", "INT64", "INTEGER", "FLOAT64", "FLOAT", "STRING", "DATE", "DATETIME", "TIME", "TIMESTAMP")
_DECIMALS = ("NUMERIC", "BIGNUMERIC")
_PLACE = re.compile(r"bigquery://(?P<project>[\w.:-]+)(?:/(?P<dataset>\w+)(?:/(?P<table>[\w $-]+))?)?/?")


def read_bigquery(uri: str, query: str = "", limits: QueryLimits = LIMITS, patience: float = PATIENCE) -> Iterator[pl.DataFrame]:
    """Return a table's or a query's rows as tables of canonical kinds, all with the same columns.

    Credentials are Google's default ones; with ``BIGQUERY_EMULATOR_HOST`` set, requests go there, without credentials.

    Args:
        uri: ``bigquery://project/dataset/table``; or, with a query, ``bigquery://project`` or ``bigquery://project/dataset``, whose
            tables the query may then name alone. The project is the one that pays.
        query: One SELECT in BigQuery's SQL; empty for the whole table.
        limits: What it may take.
        patience: Seconds in which a request that failed is made again.

    Raises:
        ParameterError: the URI or the query is none, or there is no table and no query, or both.
        SourceError: while tables are taken: it is not there, may not be read, would cost too much, changed, is too large, or has no row.
        SchemaError: likewise: a column is nested, repeated, binary, or a decimal that loses digits.
    """
    match = _PLACE.fullmatch(uri)
    if match is None:
        raise ParameterError(f"source {uri!r} is no BigQuery address; write bigquery://project/dataset/table")
    if bool(match["table"]) == bool(query.strip()):
        raise ParameterError(f"source {uri!r}: give a table, or a query and an address without a table (bigquery://project/dataset)")
    statement = read_only(query, "bigquery") if query.strip() else ""
    return _tables(uri, match.groupdict(), statement, limits, patience)


def _tables(uri: str, place: dict[str, str], statement: str, limits: QueryLimits, patience: float) -> Iterator[pl.DataFrame]:
    deadline = time.monotonic() + limits.seconds
    with _bigquery_errors(uri), closing(_client(uri, place["project"])) as client:
        from google.cloud.bigquery.retry import DEFAULT_RETRY

        calls: dict[str, Any] = {"retry": DEFAULT_RETRY.with_timeout(patience), "timeout": REQUEST_SECONDS}
        name = f"{place['project']}.{place['dataset']}.{place['table']}"
        before = None if statement else client.get_table(name, **calls)
        if before is not None and before.table_type not in LISTED:
            raise SourceError(f"source {uri!r} is a {before.table_type} and must be computed; give its name in a query, and no table here")
        rows = client.list_rows(before, **calls) if before is not None else _answer(client, uri, place, statement, limits, calls)
        _check_columns(rows.schema, uri)
        yield from _pages(rows, rows.total_rows if statement else None, uri, limits, deadline)
        if before is not None and client.get_table(name, **calls).etag != before.etag:
            raise SourceError(f"source {uri!r} changed while it was read; start again when its writer is done, or read a snapshot of it")


def _answer(client: "Client", uri: str, place: dict[str, str], statement: str, limits: QueryLimits, calls: dict[str, Any]) -> "RowIterator":
    from google.cloud.bigquery import QueryJobConfig

    named = {"default_dataset": f"{place['project']}.{place['dataset']}"} if place["dataset"] else {}
    tried = client.query(statement, job_config=QueryJobConfig(dry_run=True, use_query_cache=False, labels=LABELS, **named), **calls)
    if tried.statement_type not in (None, "SELECT"):
        raise ParameterError(f"query: BigQuery takes it for {tried.statement_type}, which does more than to read; give one SELECT")
    if (tried.total_bytes_processed or 0) > MAX_BYTES_BILLED:
        raise SourceError(
            f"query on {uri!r} would read {tried.total_bytes_processed:,} bytes, and {MAX_BYTES_BILLED:,} may be paid for; "
            f"select fewer columns, or a partition"
        )
    config = QueryJobConfig(
        maximum_bytes_billed=MAX_BYTES_BILLED, labels=LABELS, job_timeout_ms=int(limits.statement_seconds * 1_000), **named
    )
    job = client.query(statement, job_config=config, **calls)
    return job.result(retry=calls["retry"], timeout=limits.statement_seconds)


def _pages(rows: "RowIterator", announced: int | None, uri: str, limits: QueryLimits, deadline: float) -> Iterator[pl.DataFrame]:
    decimals = [field.name for field in rows.schema if field.field_type in _DECIMALS]
    read = size = 0
    for batch in rows.to_arrow_iterable():
        if not batch.num_rows:
            continue
        table = _table(batch, decimals, uri)
        read, size = read + table.height, size + int(table.estimated_size())
        if size > limits.total:
            raise SourceError(
                f"source {uri!r} gives more than {limits.total // MIB:,} MiB of rows; select fewer columns, or a window of time"
            )
        if time.monotonic() > deadline:
            raise SourceError(f"source {uri!r} was not there after {limits.seconds:g} s; select less")
        yield table
    if not read:
        raise SourceError(f"source {uri!r} gives no row; check the table, or the query's conditions")
    announced = rows.total_rows if announced is None else announced  # a table's own count leaves out what was streamed into it of late
    if announced is not None and read != announced:
        raise SourceError(f"source {uri!r} gave {read:,} rows of {announced:,}; start again when its writer is done")


def _table(batch: Any, decimals: list[str], uri: str) -> pl.DataFrame:
    import pyarrow as pa

    # Plain columns: the client marks times without a zone as a type of its own. Decimals by way of texts: polars has none of 256 bits, and
    # Arrow rounds those wrongly (0.25 becomes 0.24999999999999997).
    columns = [batch.column(name).cast(pa.string()) if name in decimals else batch.column(name) for name in batch.schema.names]
    plain = pl.DataFrame(pa.Table.from_arrays(columns, names=batch.schema.names))
    table = canonical(plain.with_columns(pl.col(decimals).cast(pl.Float64)))
    for name in decimals:
        if (table[name].abs() >= BEYOND).any():
            raise SchemaError(
                f"source {uri!r}: column {name!r} holds a decimal beyond 64 bits, which would lose digits; select CAST({name} AS STRING)"
            )
    return table


def _check_columns(fields: "list[SchemaField]", uri: str) -> None:
    check_names([field.name for field in fields], f"source {uri!r}")
    for field in fields:
        if field.mode == "REPEATED" or field.field_type not in (*_SCALARS, *_DECIMALS):
            kind = f"repeated {field.field_type}" if field.mode == "REPEATED" else field.field_type
            raise SchemaError(
                f"source {uri!r}: column {field.name!r} is of type {kind}, which no model here takes; give a query that "
                f"leaves it out, or makes "
                f"numbers or texts of it"
            )


def _client(uri: str, project: str) -> "Client":
    try:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.bigquery import Client
    except ImportError as error:
        raise SourceError(f"source {uri!r} needs a package that is not there ({error}); install kfp-ratchet[sources]") from error
    nobody = AnonymousCredentials() if os.environ.get("BIGQUERY_EMULATOR_HOST") else None  # type: ignore[no-untyped-call]
    return Client(project=project, credentials=nobody)


@contextmanager
def _bigquery_errors(uri: str) -> Iterator[None]:
    """Say the service's errors in its own words."""
    try:
        yield
    except Exception as error:  # the client lets those of four libraries through; ours and the caller's go on as they are
        library = type(error).__module__.partition(".")[0]
        if library not in ("google", "requests", "urllib3") and not isinstance(error, OSError):  # a timeout is an OSError
            raise
        cause = getattr(error, "cause", None) or error  # behind "timeout exceeded" stands what the last attempt met
        told = [part.get("message") for part in getattr(cause, "errors", None) or () if isinstance(part, dict)]
        said = " ".join(str((told and told[0]) or cause or type(cause).__name__).split())[:300]
        remedy = (
            "give the step's environment Google credentials that may" if "Credentials" in type(error).__name__ else "check names and rights"
        )
        raise SourceError(f"source {uri!r} cannot be read: {said}; {remedy}") from error
