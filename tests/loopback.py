"""A web server on a free port of the loopback, for as long as a block runs: what the tests' fakes of services have in common.

class Shop(LoopbackServer):
    def __init__(self):
        super().__init__(_ShopHandler)      # whose `server_of` is the Shop

with Shop() as shop:
    ... shop.url + "/orders" ...
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers one connection, silently.

    Attributes:
        server_of: The server that it answers for.
    """

    server_of: Any
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class LoopbackServer:
    """Listens as soon as it is made, answers within its block."""

    def __init__(self, handler: type[LoopbackHandler]) -> None:
        """Listen on a free port."""
        own = type(handler.__name__, (handler,), {"server_of": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), own)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
