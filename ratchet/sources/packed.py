"""Files that were packed by gzip or zstd, unpacked as they are read and never further than is plausible.

A few kilobytes can be made to unpack to terabytes. Text that people export shrinks to a third or a twentieth; so once much has been
unpacked, what unpacks to two hundred times its size is refused.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from ratchet.errors import SourceError

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
PACKINGS = {".gz": "gzip", ".zst": "zstd"}
MOST_UNPACKED = 1 << 30  # bytes, below which no ratio is asked for
MOST_RATIO = 200


class Stream(Protocol):
    """Bytes that are read once, from their start."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most so many; none at the end."""
        ...


def is_packed(path: Path) -> bool:
    """Return whether a file is packed, by its first bytes."""
    with path.open("rb") as file:
        return bool(_packing(file.read(4)))


def _packing(magic: bytes) -> str:
    return "gzip" if magic.startswith(GZIP) else "zstd" if magic == ZSTD else ""


@contextmanager
def unpacked(path: Path, shown: str) -> Iterator[Stream]:
    """Open a file for reading its plain bytes; whether and how it is packed is seen from its first bytes.

    Args:
        path: An existing file.
        shown: What to call it in errors.

    Raises:
        SourceError: while reading: the packed stream is damaged or cut short, or unpacks to more than is plausible.
    """
    with path.open("rb") as file:
        packing = _packing(file.read(4))
        file.seek(0)
        if packing == "gzip":
            with gzip.open(file) as stream:
                yield _Unpacking(cast(BinaryIO, stream), "gzip", path.stat().st_size, shown)
        elif packing == "zstd":
            import pyarrow as pa

            with pa.input_stream(file, compression="zstd") as stream:
                yield _Unpacking(stream, "zstd", path.stat().st_size, shown)
        else:
            yield file


class _Unpacking:
    """A stream that watches how much it unpacks, and says what is wrong in words of ours."""

    def __init__(self, stream: BinaryIO, packing: str, packed: int, shown: str) -> None:
        self._stream, self._packing, self._packed, self._shown = stream, packing, packed, shown
        self._read = 0

    def read(self, size: int, /) -> bytes:
        try:
            block = self._stream.read(size)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            message = f"{self._shown}: the {self._packing} stream is damaged or cut short ({error}); transfer the file again"
            raise SourceError(message) from error
        self._read += len(block)
        if self._read > MOST_UNPACKED and self._read > MOST_RATIO * self._packed:
            raise SourceError(
                f"{self._shown}: {self._packed:,} bytes of {self._packing} unpack to more than {self._read - len(block):,}, beyond "
                f"{MOST_RATIO} times their size, as a decompression bomb does; unpack it yourself if you trust it, and give the plain file"
            )
        return block
