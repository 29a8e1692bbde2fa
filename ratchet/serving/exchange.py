"""One HTTP exchange: a request's headers and body in, bounded in size and time, and a JSON answer out.

Raw ASGI, because a request object and a response object cost as much as the model does.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import orjson

from ratchet.errors import OverloadedError, RequestError
from ratchet.serving.options import GatewayOptions
from ratchet.serving.protocol import check_identifier
from ratchet.serving.rows import shown

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_JSON = (b"content-type", b"application/json")
JSON_TYPES = (b"application/json", b"application/octet-stream+json", b"text/json")


class Disconnected(Exception):
    """The client has gone."""


class Headers:
    """The few headers that matter here, read in one pass.

    Attributes:
        length: Content-Length; -1 for none.
        content_type: Content-Type, lower case, without parameters.
        request_id: X-Request-Id; empty for none.
        traceparent: W3C trace context; empty for none.
        binary: Whether the request announces v2's binary tensors.
    """

    __slots__ = ("binary", "charset", "content_type", "encoding", "length", "request_id", "traceparent")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Read headers; a name in lower case, as ASGI gives it."""
        self.length = -1
        self.content_type = self.charset = self.encoding = b""
        self.request_id = self.traceparent = ""
        self.binary = False
        for name, value in headers:
            if name == b"content-length":
                self.length = int(value) if value.isdigit() and len(value) < 20 else 1 << 62
            elif name == b"content-type":
                kind, _, self.charset = value.lower().partition(b";")
                self.content_type = kind.strip()
            elif name == b"x-request-id":
                self.request_id = value.decode("latin-1")
            elif name == b"traceparent":
                self.traceparent = value.decode("latin-1")
            elif name == b"content-encoding":
                self.encoding = value.lower()
            elif name == b"inference-header-content-length":
                self.binary = True

    def check_json(self) -> None:
        """Refuse a body that is not said to be JSON.

        Raises:
            RequestError: status 415, naming what it is said to be.
        """
        if self.content_type not in JSON_TYPES:
            said = shown(self.content_type.decode("latin-1")) if self.content_type else "not given"
            raise RequestError(f"Content-Type is {said}; send application/json", status=415)
        if self.encoding not in (b"", b"identity"):
            raise RequestError(f"Content-Encoding is {shown(self.encoding.decode('latin-1'))}; send the body as it is", status=415)
        if self.charset and b"charset" in self.charset and b"utf-8" not in self.charset and b"utf8" not in self.charset:
            raise RequestError(f"Content-Type says {shown(self.charset.strip().decode('latin-1'))}; send UTF-8", status=415)
        if self.binary:
            raise RequestError("binary tensors (Inference-Header-Content-Length) are not taken; send JSON", status=415)

    def identifier(self) -> str:
        """Return the request id of the header; empty for none.

        Raises:
            RequestError: it cannot be one.
        """
        return check_identifier(self.request_id, "X-Request-Id") if self.request_id else ""


class Bodies:
    """Reads bodies, and bounds how much one worker holds of them at a time."""

    def __init__(self, options: GatewayOptions) -> None:
        """Take the bounds from a gateway's options."""
        self.options = options
        self.held = 0

    async def read(self, headers: Headers, receive: Receive) -> bytes | bytearray:
        """Return a request's body.

        Raises:
            RequestError: it is too large (413), or takes too long (408).
            OverloadedError: this worker holds too much already.
            Disconnected: the client has gone.
        """
        limit = self.options.max_body
        if headers.length > limit:
            raise RequestError(f"the body has {headers.length} bytes; send at most {limit}, in several requests", status=413)
        try:
            async with asyncio.timeout(self.options.body_seconds):
                message = await receive()
                if message["type"] != "http.request":
                    raise Disconnected
                body: bytes = message.get("body", b"")
                if not message.get("more_body"):
                    if len(body) > limit:
                        raise self._too_large(limit)
                    return body
                return await self._gather(body, receive)
        except TimeoutError:
            seconds = self.options.body_seconds
            raise RequestError(f"the body took longer than {seconds:g} s to arrive; send it at once", status=408) from None

    async def _gather(self, first: bytes, receive: Receive) -> bytearray:
        body, limit = bytearray(first), self.options.max_body
        counted = len(first)
        self.held += counted
        try:
            while True:
                if len(body) > limit:
                    raise self._too_large(limit)
                if self.held > self.options.max_bodies:
                    raise OverloadedError("this gateway reads too many large requests already; send the request again in a second")
                message = await receive()
                if message["type"] != "http.request":
                    raise Disconnected
                chunk = message.get("body", b"")
                body += chunk
                self.held += len(chunk)
                counted += len(chunk)
                if not message.get("more_body"):
                    if len(body) > limit:
                        raise self._too_large(limit)
                    return body
        finally:
            self.held -= counted

    @staticmethod
    def _too_large(limit: int) -> RequestError:
        return RequestError(f"the body is larger than {limit} bytes; send less at once, in several requests", status=413)


_IDENTIFIERS = random.Random()  # no secrets: to ask the kernel for each would take twenty times as long


def new_identifier() -> str:
    """Return a request id that nobody else has: 128 bits of a generator that the kernel has seeded in this process."""
    return f"{_IDENTIFIERS.getrandbits(128):032x}"


async def send_json(send: Send, status: int, document: Any, request_id: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Send a JSON answer.

    Args:
        send: Of ASGI.
        status: HTTP status.
        document: What orjson writes; its numbers are finite, or they would become null.
        request_id: Goes into X-Request-Id; empty for none.
        headers: More headers.
    """
    body = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    made = [_JSON, (b"content-length", b"%d" % len(body)), *headers]
    if request_id:
        made.append((b"x-request-id", request_id.encode("ascii")))
    await send({"type": "http.response.start", "status": status, "headers": made})
    await send({"type": "http.response.body", "body": body})
