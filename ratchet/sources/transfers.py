"""One file, copied whole from a filesystem of fsspec to a local path, or an error.

A copy is whole when it has as many bytes as the other side said, and when the other side says the same of the file before and after (its
ETag or generation). What may pass by itself, such as a server that is too busy or a cut connection, is tried again from the beginning.
"""

import errno
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratchet.errors import SourceError
from ratchet.sources.credentials import shown, without_secrets

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

GIB = 2**30
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
MARKS = (
    "generation",
    "VersionId",
    "ETag",
    "etag",
    "LastModified",
    "mtime",
    "created",
    "size",
)  # what tells one version of a file from another
_BUSY_CODES = (errno.EBUSY, errno.EREMOTEIO, errno.EIO, errno.ETIMEDOUT, errno.ECONNRESET)
_FULL_CODES = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one fetch may take.

    Attributes:
        size: Bytes of all files together.
        files: Number of files in a folder.
        seconds: From the first request to the last byte.
        waits: Seconds before each further attempt at a file; as many attempts more as there are waits.
        at_once: Files of a folder that are copied at the same time.
    """

    size: int = 64 * GIB
    files: int = 10_000
    seconds: float = 6 * 3_600.0
    waits: tuple[float, ...] = (1.0, 4.0, 15.0)
    at_once: int = 4


class Budget:
    """Bytes and time that the copies of one fetch have together."""

    def __init__(self, limits: FetchLimits, folder: Path, where: str) -> None:
        """Start the clock.

        Args:
            limits: What may be taken.
            folder: Where the copies go; what is free there is a limit too.
            where: What to call the source in an error.
        """
        self.limits, self.where = limits, where
        self._folder, self._lock = folder, threading.Lock()
        self._deadline = time.monotonic() + limits.seconds
        self._copied: dict[str, int] = {}
        self._total = 0

    def note(self, name: str, copied: int, declared: int | None) -> None:
        """Note how far the copy of a file is.

        Raises:
            SourceError: it is, or will be, too much or too late.
        """
        with self._lock:
            self._total += copied - self._copied.get(name, 0)
            self._copied[name] = copied
            to_come = max((declared or 0) - copied, 0)
            if self._total + to_come > self.limits.size:
                raise SourceError(
                    f"source {self.where!r} is larger than {self.limits.size:,} bytes (FetchLimits.size in ratchet.sources.transfers); "
                    f"give a part of it, or mount it and give its path"
                )
        if not copied and to_come > shutil.disk_usage(self._folder).free:
            raise SourceError(_full(self.where, self._folder, f"{to_come:,} bytes are to come"))
        if time.monotonic() > self._deadline:
            raise SourceError(f"source {self.where!r} was not there after {self.limits.seconds:g} s; give a part of it, or mount it")


def copy_file(filesystem: "AbstractFileSystem", path: str, target: Path, budget: Budget, details: Mapping[str, Any] | None) -> None:
    """Copy one file.

    Args:
        filesystem: Where it is.
        path: What it is called there.
        target: Local file to write.
        budget: Shared by all copies of one fetch.
        details: What the filesystem says of the file now; None where it says so only with the answer itself (a web server).

    Raises:
        SourceError: it is not there, may not be read, changed while it was copied, came in part, or is too large.
    """
    for wait in (*budget.limits.waits, None):
        try:
            _copy_once(filesystem, path, target, budget, details)
            return
        except SourceError:
            raise
        except Exception as error:  # each filesystem raises its own library's
            if getattr(error, "errno", None) in _FULL_CODES:
                raise SourceError(_full(budget.where, target.parent, str(error))) from error
            if wait is None or not passing(error):
                raise source_error(error, path, budget.where) from error
            time.sleep(wait)
            if details is not None:
                details = _details(filesystem, path)


def passing(error: BaseException) -> bool:
    """Return whether an error of a transfer may be gone at the next attempt."""
    status = _status(error)
    if status is not None:
        return status in BUSY
    if isinstance(error, FileNotFoundError | PermissionError):
        return False
    libraries: list[type[BaseException]] = [ConnectionError, TimeoutError, CutShort]
    if "aiohttp" in sys.modules:
        import aiohttp

        if isinstance(error, aiohttp.ClientSSLError):
            return False
        libraries += [aiohttp.ClientConnectionError, aiohttp.ClientPayloadError]
    if "botocore" in sys.modules:
        from botocore import exceptions

        libraries += [exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError]
    return isinstance(error, tuple(libraries)) or (isinstance(error, OSError) and error.errno in _BUSY_CODES)


def source_error(error: BaseException, path: str, where: str) -> SourceError:
    """Return a library's error as one that names the source and the remedy, without what is secret in its address."""
    said = without_secrets(" ".join(str(error).split())[:300] or type(error).__name__, path)
    status = _status(error)
    name = where if where.rstrip("/").endswith(shown(path).strip("/")) else f"{where} ({path})"  # a part of a folder is named too
    if isinstance(error, FileNotFoundError) or status == 404:
        return SourceError(f"source {name!r} is not there; check its name")
    denied = (
        isinstance(error, PermissionError) or status in (401, 403) or "orbidden" in said or "redentials" in f"{type(error).__name__} {said}"
    )
    if denied:
        return SourceError(f"source {name!r} may not be read: {said}; give the step's environment credentials that may")
    return SourceError(f"source {name!r} cannot be fetched: {said}; try again later, or check its address")


class CutShort(Exception):
    """A copy that has fewer or more bytes than was said, or that is of two versions of the file."""


def _copy_once(filesystem: "AbstractFileSystem", path: str, target: Path, budget: Budget, details: Mapping[str, Any] | None) -> None:
    from fsspec.callbacks import Callback

    meter = Callback(hooks={"budget": lambda size, value, **_: budget.note(path, value, size)})
    one_stream = {"s3fs": {"max_concurrency": 1}, "gcsfs": {"concurrency": 1}}  # else each file is read in pieces of 50 MB, ten at once
    filesystem.get_file(path, str(target), callback=meter, **one_stream.get(type(filesystem).__module__.partition(".")[0], {}))
    copied = target.stat().st_size
    declared = meter.size if details is None else details.get("size", meter.size)
    if declared is not None and copied != declared:
        raise CutShort(f"{copied:,} bytes came, and {declared:,} were announced")
    if details is not None:
        now = _details(filesystem, path)
        for mark in MARKS:
            if details.get(mark) != now.get(mark):
                raise CutShort(f"it changed while it was copied ({mark} was {details.get(mark)} and is {now.get(mark)})")


def _details(filesystem: "AbstractFileSystem", path: str) -> dict[str, Any]:
    filesystem.invalidate_cache()
    return dict(filesystem.info(path))


def _status(error: BaseException) -> int | None:
    """The HTTP status behind an error, where there is one (aiohttp: status; gcsfs: code)."""
    for name in ("status", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int | str) and str(value).isdigit():
            return int(value)
    return None


def _full(where: str, folder: Path, reason: str) -> str:
    return (
        f"source {where!r} does not fit into the scratch folder {str(folder)!r} ({reason}); make room there, or name another folder in "
        f"the variable TMPDIR"
    )
