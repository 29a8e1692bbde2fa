"""A file, or a folder of parts, from a bucket or a web server, as a local copy for as long as it is needed.

Not read in place: a reader that goes back and forth in a file over a network meets every cut and every change in the middle of its work,
and each format's reader in its own way. A copy is there whole or not at all, and the same readers as for local files do the rest.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ratchet.data.staging import scratch
from ratchet.errors import SourceError
from ratchet.sources.credentials import shown
from ratchet.sources.filesystems import SCHEMES, WEB, filesystem_of, scheme_of
from ratchet.sources.transfers import Budget, FetchLimits, copy_file, source_error

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["LIMITS", "SCHEMES", "fetched"]

LIMITS = FetchLimits()
LONGEST_NAME = 200
HIDDEN = ("_", ".")  # Spark's and Hadoop's marks beside the parts, such as _SUCCESS


@contextmanager
def fetched(uri: str, limits: FetchLimits = LIMITS) -> Iterator[Path]:
    """Copy a remote file or folder into a scratch folder, and remove it in the end.

    Args:
        uri: ``gs://``, ``s3://``, ``https://``, ``http://`` or ``memory://``; a folder (a prefix) on all but web servers.
        limits: What the copy may take.

    Yields:
        The copy: a file with the name that it has there, so that its suffix tells its format, or a folder with the same names below it.

    Raises:
        ParameterError: the URI's scheme is another, or it holds a password.
        SourceError: it is not there, may not be read, is empty, too large or too slow, was cut, or changed while it was copied.
    """
    scheme_of(uri)
    with scratch("ratchet-source") as folder, filesystem_of(uri) as (filesystem, path):
        yield _copied(filesystem, path, uri, folder, limits)


def _copied(filesystem: "AbstractFileSystem", path: str, uri: str, folder: Path, limits: FetchLimits) -> Path:
    where = shown(uri)
    budget = Budget(limits, folder, where)
    if scheme_of(uri) in WEB:
        target = folder / _file_name(urlsplit(uri).path)
        copy_file(filesystem, path, target, budget, None)
        return target
    details = _look(filesystem.info, path, where)
    if details["type"] != "directory" and not uri.endswith("/"):
        target = folder / _file_name(path)
        copy_file(filesystem, path, target, budget, details)
        return target
    parts = _parts(filesystem, path, where, limits)
    root = folder / "parts"
    with ThreadPoolExecutor(limits.at_once) as workers:
        copies = []
        for name, part in parts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            copies.append(workers.submit(copy_file, filesystem, part["name"], root / name, budget, part))
        try:
            for copy in copies:
                copy.result()
        except BaseException:
            workers.shutdown(cancel_futures=True)
            raise
    filesystem.invalidate_cache()
    if set(_parts(filesystem, path, where, limits)) != set(parts):
        raise SourceError(f"source {where!r} got or lost parts while it was copied; start again when its writer is done")
    return root


def _parts(filesystem: "AbstractFileSystem", path: str, where: str, limits: FetchLimits) -> dict[str, dict[str, Any]]:
    """The files of a folder by their names below it."""
    found: dict[str, dict[str, Any]] = _look(lambda folder: filesystem.find(folder, detail=True), path, where)
    root = path.rstrip("/") + "/"
    parts: dict[str, dict[str, Any]] = {}
    for full, details in found.items():
        name = full.removeprefix(root)
        marks = any(step.startswith(HIDDEN) and step not in (".", "..") for step in name.split("/"))
        if not full.startswith(root) or not name or name.endswith("/") or marks:  # a bucket may hold an object that stands for the folder
            continue
        if len(parts) == limits.files:
            raise SourceError(
                f"source {where!r} holds more than {limits.files:,} files; write fewer and larger ones, or give a folder below it"
            )
        parts[_safe_name(name, where)] = {"name": full, **details}
    both = next((str(folder) for name in parts for folder in PurePosixPath(name).parents if str(folder) in parts), None)
    if both is not None:
        raise SourceError(f"source {where!r} holds {both!r} as a file and as a folder, which no local folder can; give the folder below it")
    if not parts:
        raise SourceError(f"source {where!r} holds no file; give a folder of parts, or one file")
    return parts


def _look(look: Any, path: str, where: str) -> Any:
    try:
        return look(path)
    except Exception as error:  # each filesystem raises its own library's
        raise source_error(error, path, where) from error


def _safe_name(name: str, where: str) -> str:
    """A name below a folder that stays below it when it is written on this machine."""
    steps = name.split("/")
    if any(step in ("", ".", "..") or len(step.encode()) > LONGEST_NAME or re.search(r"[\\\0-\x1f]", step) for step in steps):
        raise SourceError(
            f"source {where!r} holds a file called {name[:LONGEST_NAME]!r}, which is no name for a local file; rename it there"
        )
    return str(PurePosixPath(*steps))


def _file_name(path: str) -> str:
    """A file's own name as far as it can be kept; of a long one the end, because the suffix tells the format."""
    name = re.sub(r"[^\w.=+-]", "_", unquote(path.rstrip("/").rpartition("/")[2]), flags=re.ASCII)
    return name[-LONGEST_NAME:].lstrip(".") or "source"
