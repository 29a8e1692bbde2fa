"""How a gateway and the child process of a companion talk: frames over a socket, each a header in JSON and a body of plain bytes.

    u32 length of the header | u32 length of the body | header | body          (little-endian)

Rows travel as an Arrow IPC stream and predictions as doubles, with what a client wanted beside them (an embedding as single floats, which
the model computes) right after, so there is no code in a frame: whatever a broken child sends, it is a number or it is refused. Not pickle,
and not a pipe of `multiprocessing`, which is pickle.
"""

import asyncio
import io
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import orjson
import polars as pl

from ratchet.serving.details import DTYPES, Details

LENGTHS = struct.Struct("<II")
LARGEST = 1 << 30


def pack(header: dict[str, Any], body: bytes | memoryview = b"") -> bytes:
    """Return a frame.

    >>> unpack(pack({"id": 1}, b"xyz"))
    ({'id': 1}, b'xyz', 19)
    """
    head = orjson.dumps(header)
    return b"".join((LENGTHS.pack(len(head), len(body)), head, body))


def unpack(data: bytes | bytearray) -> tuple[dict[str, Any], bytes, int] | None:
    """Return the first frame's header and body and how many bytes it took; None while it is not whole.

    Raises:
        ValueError: this is no frame.
    """
    if len(data) < LENGTHS.size:
        return None
    head, body = LENGTHS.unpack_from(data)
    if head > LARGEST or body > LARGEST:
        raise ValueError(f"a frame of {head} and {body} bytes; none is larger than {LARGEST}")
    middle, end = LENGTHS.size + head, LENGTHS.size + head + body
    if len(data) < end:
        return None
    header = orjson.loads(memoryview(data)[LENGTHS.size : middle])
    if not isinstance(header, dict):
        raise ValueError("a frame whose header is no object")
    return header, bytes(memoryview(data)[middle:end]), end


def pack_rows(frame: pl.DataFrame) -> memoryview:
    """Return rows as an Arrow IPC stream."""
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    return buffer.getbuffer()


def unpack_rows(body: bytes) -> pl.DataFrame:
    """Return the rows that `pack_rows` wrote."""
    return pl.read_ipc_stream(body)


def pack_scored(predictions: np.ndarray, details: Details) -> tuple[dict[str, Any], bytes]:
    """Return what a model answered as members of a header, and as bytes.

    Args:
        predictions: shape (n,) or (n, k).
        details: By name, each of shape (n, columns).

    >>> pack_scored(np.array([0.5, 2.0]), {"embedding": np.array([[1.0], [2.0]])})[0]
    {'width': 0, 'details': [['embedding', 1]]}
    """
    parts = [np.ascontiguousarray(predictions, dtype="<f8").tobytes()]
    parts += [np.ascontiguousarray(values, dtype=DTYPES[name]).tobytes() for name, values in details.items()]
    width = predictions.shape[1] if predictions.ndim > 1 else 0
    return {"width": width, "details": [[name, values.shape[1]] for name, values in details.items()]}, b"".join(parts)


def unpack_scored(header: dict[str, Any], body: bytes) -> tuple[np.ndarray, Details]:
    """Return what `pack_scored` was given, for as many rows as the header's outcome says.

    Raises:
        ValueError: the body is of another length.
        KeyError: a name is of no detail.
    """
    rows, width, layout = sum(made for made, _, _ in header["outcome"]), header["width"], header.get("details", ())
    end = rows * (width or 1) * 8
    predictions, details = np.frombuffer(body[:end], dtype="<f8"), {}
    for name, columns in layout:
        begin, end = end, end + rows * columns * DTYPES[name].itemsize
        details[name] = np.frombuffer(body[begin:end], dtype=DTYPES[name]).reshape(rows, columns)
    if end != len(body):
        raise ValueError(f"{len(body)} bytes for {rows} rows, which take {end}")
    return predictions.reshape(rows, width) if width else predictions, details


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes] | None:
    """Wait for a frame on a blocking socket; None when the other end has closed it."""
    lengths = _exactly(connection, LENGTHS.size)
    if lengths is None:
        return None
    head, body = LENGTHS.unpack(lengths)
    rest = _exactly(connection, head + body)
    return None if rest is None else (orjson.loads(rest[:head]), bytes(memoryview(rest)[head:]))


def _exactly(connection: socket.socket, size: int) -> bytearray | None:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        got = connection.recv_into(view[done:])
        if not got:
            return None
        done += got
    return data


class Line(asyncio.Protocol):
    """The gateway's end, on the event loop: calls back with each frame, and once when the other end is gone."""

    def __init__(self, heard: Callable[[dict[str, Any], bytes], None], lost: Callable[[str], None]) -> None:
        """Call these."""
        self._heard = heard
        self._lost = lost
        self._data = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, unless the line was closed before it was made."""
        self.transport = cast(asyncio.Transport, transport)
        if self._lost is _nobody:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes; tell whole frames."""
        self._data += data
        try:
            while (frame := unpack(self._data)) is not None:
                header, body, size = frame
                del self._data[:size]
                self._heard(header, body)
        except (ValueError, KeyError, TypeError) as error:
            self.close(f"it sent what is no answer ({error})")

    def connection_lost(self, error: Exception | None) -> None:
        """Tell that the other end is gone."""
        self.close("its process ended")

    def send(self, frame: bytes) -> None:
        """Send a frame; to a line that is gone it is lost, which the callback has told."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(frame)

    def close(self, why: str) -> None:
        """Close the line, and say why, once."""
        lost, self._lost = self._lost, _nobody
        if self.transport is not None:
            self.transport.abort()
        lost(why)


def _nobody(why: str) -> None:
    pass
