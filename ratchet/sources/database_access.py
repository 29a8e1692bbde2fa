"""How each database is opened for reading, and what it says about the columns of a result.

The only file that knows one database from another. Beyond PostgreSQL and SQLite, which the tests run, a URL of SQLAlchemy works with what
all drivers share: the query's own check is then the only guard here, so the account should be one that may only read.
"""

import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from ratchet.errors import ParameterError, SchemaError, SourceError, nearest

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult, Engine
    from sqlalchemy.engine import ExceptionContext

LIBPQ = {  # so that a server that is gone is noticed within a minute and a half
    "connect_timeout": 15,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    "application_name": "ratchet ingest",
}
STEPS = 10_000  # of SQLite's machine between two looks at the clock
_CATEGORIES = {"B": "boolean", "N": "number", "D": "datetime", "S": "string", "E": "string", "I": "string"}  # pg_type.typcategory
_TYPES = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), "integer"),
    **dict.fromkeys(("money", "time", "timetz", "uuid"), "string"),
}
_TYPES_OF = "SELECT oid, typname, typcategory FROM pg_catalog.pg_type WHERE oid IN ({})"
EXACT_DIGITS = 18  # every whole number of so many digits has 64 bits


def engine_for(address: "URL", where: str) -> "Engine":
    """Return an engine that keeps no connection, and that cannot make a new SQLite file.

    Args:
        address: Where to.
        where: What to call the source in an error.

    Raises:
        ParameterError: SQLAlchemy knows no such database, or its driver is not installed or not for this use.
        SourceError: the SQLite file is not there.
    """
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import NoSuchModuleError
    from sqlalchemy.pool import NullPool

    arguments: dict[str, Any] = {}
    try:
        driver = address.get_driver_name()
        if driver == "pysqlite":
            address = _existing_file(address, where)
        elif driver in ("psycopg", "psycopg2"):
            arguments = {name: value for name, value in LIBPQ.items() if name not in address.query}
        engine = create_engine(address, poolclass=NullPool, connect_args=arguments, hide_parameters=True)
    except NoSuchModuleError:
        raise ParameterError(
            f"{where}: SQLAlchemy knows no {address.drivername!r}; install what brings it, or write e.g. sqlite://"
        ) from None
    except ImportError as error:
        raise ParameterError(
            f"{where}: the driver of {address.drivername} is not installed ({error}); install it beside this package"
        ) from error
    if engine.dialect.is_async:
        raise ParameterError(f"{where}: {address.drivername} is a driver for asynchronous programs; name another, e.g. postgresql+psycopg")
    event.listen(engine, "handle_error", _close_cursor)
    return engine


def _close_cursor(context: "ExceptionContext") -> None:
    """SQLAlchemy leaves the cursor open where the connection was lost, which psycopg warns of."""
    if context.execution_context is not None:
        with suppress(Exception):
            context.execution_context.cursor.close()


def begin_reading(connection: "Connection", statement_seconds: float) -> None:
    """Make the connection's transaction one that can only read, in UTC, and bound its statements in time, where the database can."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        deadline = time.monotonic() + statement_seconds
        driver = connection.connection.driver_connection
        if driver is not None:
            driver.set_progress_handler(lambda: int(time.monotonic() > deadline), STEPS)
            driver.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # ATTACH makes a file where there is none, read-only or not
    elif connection.dialect.name == "postgresql":
        connection.execution_options(postgresql_readonly=True)
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(statement_seconds * 1_000)}")
        connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
        connection.exec_driver_sql("SET LOCAL cursor_tuple_fraction = 1")  # plan for all rows, not for the first ones


def declared_kinds(connection: "Connection", result: "CursorResult[Any]", where: str) -> dict[str, str] | None:
    """Return the kind of each column of a result, or None where the database does not tell.

    Raises:
        SchemaError: a column is of a type of which there is no kind; naming it, and the remedy.
    """
    description = result.cursor.description if result.cursor is not None else None
    if connection.dialect.name != "postgresql" or not description:
        return None
    numbers = ", ".join(str(column[1]) for column in description)
    types = {row[0]: (row[1], row[2]) for row in connection.exec_driver_sql(_TYPES_OF.format(numbers))}
    return {column[0]: _kind(column, *types.get(column[1], ("unknown", "X")), where) for column in description}


def _kind(column: Any, name: str, category: str, where: str) -> str:
    """Kind of a column as PostgreSQL describes it (PEP 249: name, type, …, precision, scale, …)."""
    precision, scale = column[4], column[5]
    if name == "numeric" and precision and scale == 0:
        return "integer" if precision <= EXACT_DIGITS else "string"
    kind = _TYPES.get(name) or _CATEGORIES.get(category)
    if kind is None and name != "unknown":
        raise SchemaError(
            f"{where}: column {column[0]!r} is of type {name}, which no model here takes; leave it out, or select numbers "
            f"or texts that are "
            f"made of it"
        )
    return kind or "string"


def _existing_file(address: "URL", where: str) -> "URL":
    """Return the address of the same SQLite file, opened for reading: a mistyped name must not make an empty database."""
    name = address.database or ""
    if name in ("", ":memory:"):
        raise SourceError(
            f"{where}: a database in memory is empty; name a file, e.g. sqlite:////data/orders.db (four slashes: an absolute path)"
        )
    if name.startswith("file:"):
        name = unquote(name.removeprefix("file:").partition("?")[0])
    path = Path(name).expanduser()
    if not path.is_file():
        there = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise SourceError(f"{where}: there is no such file; {nearest(path.name, there)} (in {path.parent})")
    query = {**address.query, "mode": "ro", "uri": "true"}
    return address.set(database=f"file:{quote(str(path.resolve()))}", query=query)
