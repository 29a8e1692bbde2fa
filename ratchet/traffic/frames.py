"""How records stand in a journal: frames that are found again behind any damage.

A frame is the length of its payload, the payload's CRC-32 (both little-endian u32) and the payload, a JSON list. Records by the line
would be simpler, but nothing would tell a damaged line from a good one. A payload is shorter than 16 MiB, so the last byte of its length
is zero, and JSON holds no zero byte: a header can never be found inside a payload, whatever a client sends. That is why stepping over
damage is safe: what has a header and the right checksum is a record that was written, and no other.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from zlib import crc32

from ratchet.traffic.records import Answers, Record, decode, encode

HEADER = Struct("<II")
LARGEST = 2**24 - 1


def frame(record: Record) -> bytes:
    """Return a record as it stands in a journal; the answers to a very large request, a row at a time.

    Raises:
        ValueError: its JSON is 16 MiB or larger.
    """
    payload = encode(record)
    if len(payload) > LARGEST:
        if isinstance(record, Answers):
            return b"".join(map(frame, record.rows()))
        raise ValueError(f"a record of {len(payload):,} bytes; at most {LARGEST:,} can be written")
    return HEADER.pack(len(payload), crc32(payload)) + payload


class JournalReader(Iterator[Record]):
    """The records of a journal, in the order written, a row at a time, and how much of it was unreadable.

    Args:
        data: What is in the file.

    Attributes:
        damaged: Number of places in the middle that were stepped over, and of frames that hold no record.
        torn: Bytes after the last whole record: half a record, left by a loss of power or a full disk.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._rows: deque[Record] = deque()  # of the answers that were read last
        self.damaged = 0
        self.torn = 0

    def __next__(self) -> Record:
        """Return the next whole record.

        Raises:
            StoreError: a newer version of Ratchet wrote it.
        """
        if self._rows:
            return self._rows.popleft()
        while self._at < len(self._data):
            end = self._end_of(self._at)
            if end is None:
                self._step_over()
                continue
            payload, self._at = self._data[self._at + HEADER.size : end], end
            try:
                record = decode(payload)
            except (ValueError, OverflowError):
                self.damaged += 1
                continue
            if not isinstance(record, Answers):
                return record
            self._rows.extend(record.rows())
            return self._rows.popleft()
        raise StopIteration

    def _end_of(self, at: int) -> int | None:
        """Return where the frame at a place ends; None when no whole frame stands there."""
        if at + HEADER.size > len(self._data):
            return None
        length, checksum = HEADER.unpack_from(self._data, at)
        end = at + HEADER.size + length
        if not 0 < length <= LARGEST or end > len(self._data):  # a loss of power can leave zeros, and those check out
            return None
        return end if crc32(memoryview(self._data)[at + HEADER.size : end]) == checksum else None

    def _step_over(self) -> None:
        """Go on at the next whole frame, or to the end when there is none."""
        payload = self._data.find(b"[", self._at + HEADER.size + 1)
        while payload != -1:
            at = payload - HEADER.size
            if self._end_of(at) is not None:
                self.damaged += 1
                self._at = at
                return
            payload = self._data.find(b"[", payload + 1)
        self.torn = len(self._data) - self._at
        self._at = len(self._data)


def read_journal(path: str | Path) -> JournalReader:
    """Return the records of a journal; a torn tail or a flipped byte costs no whole record beside it.

    >>> from tempfile import TemporaryDirectory
    >>> from ratchet.traffic.records import Label
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "torn.sealed")
    ...     _ = file.write_bytes(frame(Label("a", 1.0, 2.0, "fraud", 1)) + frame(Label("b", 1.0, 2.0, "fraud", 0))[:-1])
    ...     journal = read_journal(file)
    ...     [record.request_id for record in journal], journal.torn
    (['a'], 35)
    """
    return JournalReader(Path(path).read_bytes())
