"""HTTP connections that cannot be held open by sending nothing.

uvicorn times an idle connection between requests, and `Bodies` times a body; what is left is a client that connects and never finishes its
headers, and one that goes on sending after it was answered. Both are closed here.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with a limit on the time that headers take."""

    seconds = 10.0
    _waiting: asyncio.TimerHandle | None = None

    @classmethod
    def bounded(cls, seconds: float) -> "type[BoundedProtocol]":
        """Return the protocol with a limit in seconds."""
        return type("BoundedProtocol", (cls,), {"seconds": seconds})

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for a request's headers."""
        if self._waiting is None:
            self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The headers are here."""
        self._arrived()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait, for a limited time, for the rest of a body that nobody reads any more."""
        super().on_response_complete()
        if self.cycle is not None and self.cycle.more_body and not self.transport.is_closing():
            self._wait()

    def on_message_complete(self) -> None:
        """The body is here."""
        self._arrived()
        super().on_message_complete()

    def _wait(self) -> None:
        self._arrived()
        self._waiting = self.loop.call_later(self.seconds, self._expire)

    def _arrived(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _expire(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self.transport.close()
