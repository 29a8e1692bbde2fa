"""Follows the ledger: a thread that asks four times a second whether a deployment has moved, with a query that costs next to nothing.

A thread and not a task, because a database that hangs must hold up nothing else. Not a database's own notifications either: SQLite has
none, and a connection that listens does not notice that it is dead. The ledger's own tables are never created here: a database that is not
there, or does not know the deployment any more, is a failure, and what was known stays.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, NullPool, QueuePool, create_engine, make_url, select

from ratchet.delivery.deployment import Deployment
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.tables import deployments, leases
from ratchet.errors import UnknownDeploymentError
from ratchet.serving.breaker import Breaker
from ratchet.serving.standing import Standing, read_standing
from ratchet.settings import Settings

log = logging.getLogger(__name__)

CONNECT_SECONDS = 3
SILENT_SECONDS = 5.0


class Follower:
    """Tells about each change of one deployment."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        tell: Callable[[Standing], None],
        *,
        seconds: float = 0.25,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            name: Name of the deployment.
            settings: Says where the ledger is.
            tell: Called in the follower's thread with what stands now, at each change.
            seconds: Between two looks.
            clock: Returns unix seconds.
        """
        self.name = name
        self.settings = settings
        self.seconds = seconds
        self.breaker = Breaker(clock)
        self.clock = clock
        self.seen: float | None = None  # when the ledger last answered
        self._tell = tell
        self.asked = False  # whether the ledger has been asked, with whatever success
        self._known: Standing | None = None
        self._mark: tuple[Any, ...] | None = None
        self._engine: Engine | None = None
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._look = threading.Lock()  # a look that was asked for and one that was due
        self._thread = threading.Thread(target=self._follow, name=f"follow {name}", daemon=True)

    def start(self, known: Standing | None = None) -> None:
        """Begin to follow.

        Args:
            known: What is known already; only what differs from it is told.
        """
        self._known = known
        self._thread.start()

    def wake(self) -> None:
        """Look now, not only when it is due."""
        self._wake.set()

    def stop(self) -> None:
        """End; a look that hangs is left behind, it holds nothing."""
        self._stopped.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=1.0)
        if self._look.acquire(timeout=0.1):
            self._forget()
            self._look.release()

    def look(self) -> bool:
        """Look once and tell about a change; False when the ledger could not be asked, or not yet again."""
        with self._look:
            if not self.breaker.allows():
                return False
            try:
                standing = self._read()
            except Exception as error:  # whatever it is, the last known state is better than none
                self._forget()
                self.breaker.failed(f"{type(error).__name__}: {error}"[:500])
                if self.breaker.in_row == 1:
                    log.warning("the ledger cannot be asked about %r, its last known state is kept: %s", self.name, error)
                return False
            if self.breaker.in_row:
                log.warning("the ledger answers again about %r", self.name)
            self.breaker.succeeded()
            self.seen = self.clock()
            if standing is not None and standing != self._known:
                self._known = standing
                self._tell(standing)
            return True

    def health(self) -> dict[str, object]:
        """Return the breaker's health, and when the ledger last answered; a look that hangs is an error, too."""
        state = self.breaker.health()
        late = None if self.seen is None else self.clock() - self.seen
        if late is not None and late > SILENT_SECONDS and not state["error"]:
            state |= {"error": f"no answer for {late:.0f} s", "since": self.seen}
        return {**state, "seen": self.seen}

    def _follow(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except Exception:  # without this thread no change would ever be heard
                log.exception("following %r failed in an unforeseen way; going on", self.name)
            self.asked = True
            self._wake.wait(self.seconds)
            self._wake.clear()

    def _read(self) -> Standing | None:
        """Return what stands, or None when nothing has moved since the last look."""
        if self._engine is None:
            self._engine = _polling_engine(self.settings.ledger())
        query = select(deployments.c.generation, leases.c.until).join_from(
            deployments, leases, deployments.c.name == leases.c.deployment, isouter=True
        )
        with self._engine.connect() as connection:
            row = connection.execute(query.where(deployments.c.name == self.name)).first()
        mark = tuple(row) if row else ()
        if mark == self._mark:
            return None
        if not row and self._known is not None and self._known.deployment.generation:
            raise UnknownDeploymentError(f"the ledger does not know {self.name!r}, which it did before; was it replaced? Restore it")
        standing = read_standing(Ledger.existing(self.settings), self.name) if row else Standing(Deployment(self.name))
        self._mark = mark
        return standing

    def _forget(self) -> None:
        """Drop the connection and what was seen through it: what answers next may be another database."""
        self._mark = None
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _polling_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":  # opened anew for each look: a file that was replaced would not be noticed; never created
        uri = f"sqlite:///file:{quote(str(parsed.database))}"
        return create_engine(
            make_url(uri).update_query_dict({"mode": "rw", "uri": "true"}), poolclass=NullPool, connect_args={"timeout": 1}
        )
    limits = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": CONNECT_SECONDS * 1000}
    return create_engine(parsed, poolclass=QueuePool, pool_size=1, max_overflow=0, isolation_level="AUTOCOMMIT", connect_args=limits)
