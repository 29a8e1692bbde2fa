"""A web server on the loopback that has files, and every bad habit that a test asks for.

with HttpFiles({"/a.csv": b"x\\n1\\n"}) as server:
    server.faults["/a.csv"] = [Status(500), Cut(at=2)]      # then it answers well
    ... server.url + "/a.csv" ...
    assert server.asked == ["/a.csv"] * 3
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.loopback import LoopbackHandler, LoopbackServer

BLOCK = b"0123456789abcdef" * 4_096


@dataclass(frozen=True)
class Status:
    """Answer with a status and no file."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """Announce the whole file and close after some bytes."""

    at: int
    chunked: bool = False


@dataclass(frozen=True)
class Announced:
    """Say that the file is so long, whatever it is; None says nothing at all."""

    length: int | None


@dataclass(frozen=True)
class Endless:
    """Send chunks for ever, or with a length that would take for ever."""

    length: int | None = None


Fault = Status | Cut | Announced | Endless


class HttpFiles(LoopbackServer):
    """The server; a context manager.

    Attributes:
        files: Path to content.
        faults: Path to what becomes of the next requests for it.
        asked: The paths with their queries, in order.
        headers: Of the last request.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Listen on a free port."""
        self.files = dict(files)
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        super().__init__(_Handler)


class _Handler(LoopbackHandler):
    server_of: HttpFiles

    def do_GET(self) -> None:
        server, path = self.server_of, self.path.partition("?")[0]
        server.asked.append(self.path)
        server.headers = dict(self.headers)
        fault = server.faults[path].pop(0) if server.faults[path] else None
        content = server.files.get(path)
        if isinstance(fault, Status):
            self._begin(fault.code, {"Content-Length": "0", **fault.headers})
        elif content is None:
            self._begin(404, {"Content-Length": "0"})
        elif isinstance(fault, Endless):
            self._endless(fault.length)
        elif isinstance(fault, Cut):
            self._cut(content, fault)
        else:
            length = fault.length if isinstance(fault, Announced) else len(content)
            self._begin(200, {"Connection": "close"} if length is None else {"Content-Length": str(length)})
            self.wfile.write(content)
            self.close_connection = isinstance(fault, Announced)

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _cut(self, content: bytes, fault: Cut) -> None:
        self.close_connection = True
        if fault.chunked:
            self._begin(200, {"Transfer-Encoding": "chunked"})
            self.wfile.write(b"%x\r\n%s\r\n" % (fault.at, content[: fault.at]))
        else:
            self._begin(200, {"Content-Length": str(len(content))})
            self.wfile.write(content[: fault.at])

    def _endless(self, length: int | None) -> None:
        self.close_connection = True
        self._begin(200, {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)})
        try:
            while True:
                self.wfile.write(BLOCK if length is not None else b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK))
        except OSError:
            return  # the other side has had enough
