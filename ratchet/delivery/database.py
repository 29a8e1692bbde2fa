"""Where the ledger's tables live: SQLite on a laptop, PostgreSQL in production, with one transaction meaning the same in both.

SQLite is opened in write-ahead mode with every commit flushed to disk, and a writing transaction takes the write lock at its beginning
(``BEGIN IMMEDIATE``): one that reads first and then wants to write would otherwise fail, not wait. Connections are not pooled: a step
makes a handful of calls, and a pool does not survive a fork.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from ratchet.delivery.locks import exclusive
from ratchet.errors import LedgerError

SCHEMA = "0003"
EARLIER = ("0001", "0002")  # what is brought up to SCHEMA when it is met
WAIT_SECONDS = 60
CREATION_LOCK = 0x7261746368  # "ratch": PostgreSQL's advisory locks are numbers


class Database:
    """A database that holds, or will hold, the ledger's tables."""

    def __init__(self, url: str) -> None:
        """Prepare to connect; nothing is opened yet.

        Args:
            url: SQLAlchemy URL: ``sqlite:///PATH`` or ``postgresql+psycopg://…``.

        Raises:
            LedgerError: it is neither.
        """
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise LedgerError("the ledger's URL cannot be read; give sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME") from error
        self.shown = self.url.render_as_string(hide_password=True)
        family = self.url.get_backend_name()
        if family not in ("sqlite", "postgresql") or (family == "sqlite" and self.url.database in (None, "", ":memory:")):
            raise LedgerError(f"ledger {self.shown}: only SQLite files and PostgreSQL can hold a ledger; change RATCHET_LEDGER_URL")
        self.is_sqlite = family == "sqlite"
        arguments: dict[str, Any] = {"timeout": WAIT_SECONDS} if self.is_sqlite else {"connect_timeout": WAIT_SECONDS}
        try:
            self.engine = create_engine(self.url, poolclass=NullPool, connect_args=arguments)
        except (NoSuchModuleError, ImportError) as error:
            raise LedgerError(f"ledger {self.shown}: {error}; install kfp-ratchet[postgres] and use postgresql+psycopg://") from error
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent look.

        Raises:
            LedgerError: the database cannot be reached, or is busy for longer than a minute.
        """
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._refusals(), self.engine.connect().execution_options(**snapshot) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of the block, or nothing of it.

        Raises:
            LedgerError: as for `reading`.
        """
        with self._refusals(), self.engine.connect() as connection, connection.execution_options(ratchet_writes=True).begin():
            yield connection

    def prepare(self) -> None:
        """Create the tables where there are none, or bring earlier ones up to date; any number of processes may do so at once.

        Raises:
            LedgerError: the tables are of a version that this program does not know.
        """
        if self.is_sqlite:
            folder = Path(str(self.url.database)).parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LedgerError(f"ledger {self.shown}: {str(folder)!r} cannot be made ({error.strerror}); choose another home") from error
        with self.reading() as connection:
            if self._is_current(connection):
                return
        if self.is_sqlite:  # two first connections that switch to write-ahead mode at once would refuse each other
            with exclusive(f"{self.url.database}.lock"), self._refusals(), self.engine.connect() as connection:
                connection.connection.cursor().execute("PRAGMA journal_mode = WAL").close()
        with self.writing() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CREATION_LOCK})
            if not self._is_current(connection):
                _migrate(connection)

    def _is_current(self, connection: Connection) -> bool:
        if not inspect(connection).has_table("alembic_version"):
            return False
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found in EARLIER:
            return False
        if found != SCHEMA:
            raise LedgerError(
                f"ledger {self.shown} has tables of version {found!r}; this program knows {SCHEMA!r}. "
                "Use the version of kfp-ratchet that wrote it, or a later one"
            )
        return True

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise LedgerError(f"ledger {self.shown}: {error.orig}; see that it can be reached, then run the step again") from error
        except SQLAlchemyError as error:
            raise LedgerError(f"ledger {self.shown}: {error}") from error


def _configure_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")  # in write-ahead mode the default may lose the last commits with the power
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("ratchet_writes") else "BEGIN")


def _migrate(connection: Connection) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    folder = str(Path(__file__).parent / "migrations")
    script = ScriptDirectory(folder, version_locations=[folder])
    context = MigrationContext.configure(connection, opts={"fn": lambda found, _: script._upgrade_revs("head", found)})
    with Operations.context(context):
        context.run_migrations()
