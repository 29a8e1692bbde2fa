"""A query's rows from any database that SQLAlchemy knows, as a stream of tables.

The rows come through a server-side cursor, some thousands at a time, so the answer may be larger than memory, on this side and in the
driver. What a column is must be known before the first table is handed on, and each database tells it differently: PostgreSQL declares
it, and its rows go straight through; where a driver does not (SQLite has no types of columns at all), the rows are laid down in a scratch
folder first, and handed on when all have been seen. Either way one statement in one read-only transaction gives all rows.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from ratchet.data.kinds import canonical
from ratchet.data.staging import scratch
from ratchet.errors import ParameterError, SourceError
from ratchet.sources.cells import check_names, table_of
from ratchet.sources.credentials import without_secrets
from ratchet.sources.database_access import begin_reading, declared_kinds, engine_for
from ratchet.sources.queries import read_only
from ratchet.sources.spool import Spool

if TYPE_CHECKING:
    from sqlalchemy import URL, CursorResult

MIB = 2**20
FIRST_ROWS = 100  # how long a row is, is not known yet
MOST_ROWS = 10_000
PIECE = 4 * MIB
REMEDY = "check the query, the account with its rights, and that the database is there"


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one query may take.

    Attributes:
        rows: Of one table that is handed on.
        size: Bytes of one such table, about.
        total: Bytes of all rows together, as tables hold them.
        seconds: From the first connection to the last row.
        statement_seconds: Until the first rows are there, and for each following piece, where the database can be told (PostgreSQL,
            SQLite).
    """

    rows: int = 250_000
    size: int = 48 * MIB
    total: int = 64 * 1024 * MIB
    seconds: float = 6 * 3_600.0
    statement_seconds: float = 1_800.0


LIMITS = QueryLimits()


def read_query(url: str, query: str, limits: QueryLimits = LIMITS) -> Iterator[pl.DataFrame]:
    """Return a query's rows as tables of canonical kinds, all with the same columns.

    Decimals are numbers, as they are from Parquet; a whole number that would lose digits is refused, and a column that the database
    declares as whole numbers of more than 18 digits is one of texts. Times with a zone are in UTC. SQLite has no type for times: there a
    column of texts is one of times where every text in it is an ISO 8601 date or time.

    Args:
        url: As SQLAlchemy takes it, password included; no error shows it.
        query: One SELECT.
        limits: What it may take.

    Raises:
        ParameterError: the URL or the query cannot be used, or the driver is not installed.
        SourceError: while tables are taken: the database refused, went away, took too long, gave too much, or gave no row.
        SchemaError: likewise: a column has no name, or another's, or values that no kind holds.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise ParameterError(
            "the source is not a URL that SQLAlchemy reads; write it like postgresql+psycopg://user@host/database"
        ) from None
    return _tables(address, read_only(query, address.get_backend_name()), limits)


def _tables(address: "URL", statement: str, limits: QueryLimits) -> Iterator[pl.DataFrame]:
    where = f"query on {address.get_backend_name()} database {address.database or ''!r}"
    deadline = time.monotonic() + limits.seconds
    engine = engine_for(address, where)
    with _database_errors(where, address, limits), engine.connect() as connection:
        begin_reading(connection, limits.statement_seconds)
        options: dict[str, Any] = {"stream_results": True, "no_parameters": True, "max_row_buffer": FIRST_ROWS}
        with connection.execution_options(**options).exec_driver_sql(statement) as result:
            names = list(result.keys())
            check_names(names, where)
            declared = declared_kinds(connection, result, where)
            pieces = _gathered(_pieces(result, names, declared or {}, where, limits, deadline), limits)
            if declared is not None:
                yield from map(canonical, pieces)
                return
            with scratch("ratchet-query") as folder:
                spool = Spool(folder, parse_times=address.get_backend_name() == "sqlite")
                for piece in pieces:
                    spool.add(piece)
                connection.rollback()  # the database need not wait for what is made of its rows
                yield from map(canonical, spool.tables())


def _pieces(
    result: "CursorResult[Any]", names: list[str], declared: Mapping[str, str], where: str, limits: QueryLimits, deadline: float
) -> Iterator[pl.DataFrame]:
    """Yield the rows in tables of some MiB: how many are asked for at once follows from how long the last ones were."""
    at_once, total, seen = FIRST_ROWS, 0, False
    while rows := result.fetchmany(at_once):
        piece = table_of(rows, names, declared, where)
        size = int(piece.estimated_size())
        total += size
        if total > limits.total:
            raise SourceError(f"{where} gives more than {limits.total // MIB:,} MiB of rows; select fewer columns, or a window of time")
        if time.monotonic() > deadline:
            raise SourceError(f"{where} has not ended after {limits.seconds:g} s; select less, or help it with an index")
        seen = True
        at_once = max(1, min(MOST_ROWS, PIECE * piece.height // max(size, 1)))
        yield piece
    if not seen:
        raise SourceError(f"{where} gives no row; check its conditions")


def _gathered(pieces: Iterator[pl.DataFrame], limits: QueryLimits) -> Iterator[pl.DataFrame]:
    """Yield larger tables of neighbouring pieces that have the same types."""
    held: list[pl.DataFrame] = []
    rows = size = 0
    for piece in pieces:
        more = int(piece.estimated_size())
        if held and (piece.schema != held[0].schema or rows + piece.height > limits.rows or size + more > limits.size):
            yield pl.concat(held, rechunk=True)
            held, rows, size = [], 0, 0
        held.append(piece)
        rows, size = rows + piece.height, size + more
    if held:
        yield pl.concat(held, rechunk=True)


@contextmanager
def _database_errors(where: str, address: "URL", limits: QueryLimits) -> Iterator[None]:
    """Say a driver's error in its own words, without the password and without the statement."""
    from sqlalchemy import exc

    try:
        yield
    except exc.DBAPIError as error:
        sentence = getattr(getattr(error.orig, "diag", None), "message_primary", None) or str(
            error.orig
        )  # PostgreSQL adds its cursor's name
        told = " ".join(sentence.split())[:400]
        said = without_secrets(told, address.render_as_string(hide_password=False))
        late = "interrupted" in said or "statement timeout" in said
        remedy = f"a statement may take {limits.statement_seconds:g} s; select less, or help it with an index" if late else REMEDY
        raise SourceError(f"{where}: {said}; {remedy}") from (error if said == told else None)
