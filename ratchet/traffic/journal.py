"""The journal: where a gateway puts records at the price of one system call, and where they survive the gateway.

A database or a Parquet file would cost milliseconds for each request, and the latter holds nothing until it is closed. So a record is
put at the end of a file by one `write` per call: from then on it is the kernel's, and no `kill -9` loses it. Against a loss of power a
thread syncs each second, so that the caller never waits for the disk. How a record stands in the file is in `ratchet.traffic.frames`.

The open file is ``<writer>-<run>-<n>.open`` and locked as long as its writer lives; the kernel frees the lock however that dies, and so
`ratchet.traffic.rolling` knows which files nobody writes any more. A sealed one is ``….sealed`` and never changes again.

Recording never breaks serving: when the disk is full or the folder is gone, records are dropped and counted, and the next call, or the
next tick of the thread, tries again.
"""

import fcntl
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ratchet.traffic.frames import frame
from ratchet.traffic.records import Record


def writer_name() -> str:
    """Return a name that no other writer has: host, process and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def rows_in(records: Sequence[Record]) -> int:
    """Return how many records these are for who reads them; of answers, each row is one."""
    return sum(record.count for record in records)


class Journal:
    """An append-only file of records, and a thread that syncs it.

    Args:
        folder: Where its files lie; made where absent.
        writer: A part of their names, for people; files never collide even when two writers are given one name.
        clock: Tells Unix seconds.
        sync_seconds: What a loss of power may cost; a `kill -9` costs nothing that `append` returned from.
    """

    def __init__(self, folder: str | Path, *, writer: str = "", clock: Callable[[], float] = time.time, sync_seconds: float = 1.0) -> None:
        self.folder = Path(folder)
        self.writer = re.sub(r"[^A-Za-z0-9_-]", "-", writer or writer_name())[:120]
        self._run = secrets.token_hex(6)
        self._clock = clock
        self._sync_seconds = sync_seconds
        self._lock = threading.Lock()  # held for the time of one write
        self._turning = threading.Lock()  # held while the file is synced or another takes its place; always taken first
        self._closed = threading.Event()
        self._number = 0
        self._file = -1
        self._path = self.folder
        self._size = 0
        self._synced_size, self._synced_at = 0, clock()
        self._appended = self._dropped = 0
        self._file_error = self._write_error = self._sync_error = ""
        with self._turning:
            self._begin()
        self._thread = threading.Thread(target=self._tick_forever, name="journal-sync", daemon=True)
        self._thread.start()

    def append(self, records: Sequence[Record]) -> None:
        """Write records; never raises, never waits for the disk.

        What cannot be written is dropped and counted in `health`. The records of one call are written together or not at all.
        """
        try:
            data = b"".join([frame(record) for record in records])
        except Exception as error:  # whatever a client sent, it was served already
            self.drop(rows_in(records), f"a record cannot be written: {type(error).__name__}: {error}")
            return
        if data:
            with self._lock:
                self._write(data, rows_in(records))

    def drop(self, count: int, why: str) -> None:
        """Count records that could not be written, and note why."""
        with self._lock:
            self._dropped += count
            self._write_error = why

    @property
    def size(self) -> int:
        """Bytes in the present file."""
        return self._size

    def seal(self) -> Path | None:
        """Begin a new file, and return the former one, closed and synced; None when nothing was written to it."""
        with self._turning:
            self._mend()
            old, path = self._file, self._path
            if self._size == 0 or not self._begin():
                return None
            return self._finish(old, path)

    def close(self) -> Path | None:
        """Stop, and seal the present file; None when nothing was written to it. What is appended afterwards is dropped and counted."""
        self._closed.set()
        self._thread.join()
        with self._turning:
            if self._file < 0:
                return None
            self._mend()
            with self._lock:
                file, path, size = self._file, self._path, self._size
                self._file, self._size, self._synced_size = -1, 0, 0
            if size:
                return self._finish(file, path)
            os.close(file)
            with suppress(OSError):
                path.unlink()
            return None

    def sync(self) -> None:
        """Bring what was appended so far to the disk, and put right what can be put right; the thread does so each second."""
        with self._turning:
            self._mend()
            size, now = self._size, self._clock()
            if self._file < 0:
                return
            try:
                if size != self._synced_size:
                    os.fsync(self._file)
                    self._sync_error = ""
            except OSError as error:
                self._sync_error = f"sync of {str(self._path)!r} failed: {error}"
                return
            self._synced_size, self._synced_at = size, now

    def health(self) -> dict[str, Any]:
        """Return how recording goes.

        Returns:
            ok: whether the last record was written, to a file that is in its folder and reaches the disk; appended, dropped: numbers of
            records since the start; error: why not ok, else ""; file: the present one; unsynced_s: for how long something has waited
            for the disk, 0 when nothing does.
        """
        error = self._file_error or self._write_error or self._sync_error or ("the journal is closed" if self._closed.is_set() else "")
        return {
            "ok": not error,
            "writer": self.writer,
            "file": str(self._path),
            "appended": self._appended,
            "dropped": self._dropped,
            "unsynced_s": max(0.0, self._clock() - self._synced_at) if self._size != self._synced_size else 0.0,
            "error": error,
        }

    def _write(self, data: bytes, count: int) -> None:
        if self._file < 0:
            self._dropped += count
            return
        try:
            written = os.write(self._file, data)
        except OSError as error:
            self._dropped += count
            self._write_error = f"write to {str(self._path)!r} failed: {error}"
            return
        if written == len(data):
            self._size += written
            self._appended += count
            self._write_error = ""
            return
        self._dropped += count
        self._write_error = f"write to {str(self._path)!r} failed: only {written} of {len(data)} bytes fit; is the disk full?"
        try:
            os.ftruncate(self._file, self._size)  # so that the next record stands on a frame's border
        except OSError:
            self._size += written  # a reader steps over it

    def _tick_forever(self) -> None:
        while not self._closed.wait(self._sync_seconds):
            self.sync()

    def _mend(self) -> None:
        """See that the file is there and in its folder; somebody may have removed it, or a disk may be back."""
        try:
            whole = self._file >= 0 and os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            whole = False
        if not whole:
            self._begin(copy=True)

    def _begin(self, *, copy: bool = False) -> bool:
        """Let a new file take the place of the present one; keep that, and say no, when none can be made.

        Args:
            copy: Bring over what stands in the present file, which was deleted under its writer, and close it. As long as the process
                lives, nothing of it is lost.
        """
        self._number += 1
        path = self.folder / f"{self.writer}-{self._run}-{self._number:06}.open"
        hidden = path.with_name(f".{path.name}")
        new = -1
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            new = os.open(hidden, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o640)
            fcntl.flock(new, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before it has a name that others look at
            os.rename(hidden, path)
            with self._lock:
                old = self._file
                size = self._copy(new) if copy and old >= 0 else 0
                self._file, self._path, self._size, self._synced_size = new, path, size, 0
                self._synced_at, self._file_error = self._clock(), ""
        except OSError as error:
            self._file_error = f"no journal can be made in {str(self.folder)!r}: {error}"
            if new >= 0:
                os.close(new)
                for name in (path, hidden):
                    with suppress(OSError):
                        name.unlink()
            return False
        if copy and old >= 0:
            os.close(old)
        return True

    def _copy(self, new: int) -> int:
        at = 0
        while at < self._size:
            at += os.write(new, os.pread(self._file, min(self._size - at, 1 << 20), at))
        return at

    def _finish(self, file: int, path: Path) -> Path | None:
        """Sync and rename a file that nobody writes to any more."""
        sealed = path.with_suffix(".sealed")
        try:
            os.fsync(file)
            os.rename(path, sealed)
        except OSError as error:  # it stays by its name, unlocked, and a later roller takes it
            self._file_error = f"{str(path)!r} cannot be sealed: {error}"
            return None
        finally:
            os.close(file)
        return sealed
