"""A folder that appears whole or not at all, whoever is killed and whatever disk is full.

It is filled under a hidden name beside its place and renamed. What a killed writer left behind is cleared by the next writer to the
same place: a lock on the folder, which ends with its process, tells what is left over from what is being written.
"""

import errno
import fcntl
import glob
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ratchet.errors import SourceError

UNFINISHED = ".unfinished"  # in a folder that could not be renamed and is being filled in its place
PATIENCE = 100  # times that the lock of a folder is asked for, two seconds in all
TAKEN = (errno.ENOTEMPTY, errno.EEXIST)


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes its place, whole, when the block ends without an error.

    Args:
        target: Where it shall appear. A folder that is already there is replaced.

    Raises:
        SourceError: the place cannot be written.
    """
    with writing(target):
        staging, mark = _beside(target)
    try:
        yield staging
        with writing(target):
            _publish(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(mark)


@contextmanager
def writing(target: Path, what: str = "output") -> Iterator[None]:
    """Say of an error while something is written where that was.

    Args:
        target: What is written.
        what: What to call it.

    Raises:
        SourceError: it cannot be, e.g. because the disk is full.
    """
    try:
        yield
    except OSError as error:
        reason = re.sub(r" \(os error \d+\)", "", error.strerror or str(error))
        remedy = "check the permissions" if isinstance(error, PermissionError) else "make room"
        raise SourceError(f"{what} {str(target)!r} cannot be written: {reason}; {remedy} there, or choose another place") from error


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Give an empty folder among the temporary ones, which is gone when the block ends, or else when a later run asks for the same name.

    Args:
        name: What it is for.

    Raises:
        SourceError: the place cannot be written.
    """
    target = Path(tempfile.gettempdir()) / name
    with writing(target, "scratch folder"):
        folder, mark = _beside(target)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(mark)


def _beside(target: Path) -> tuple[Path, int]:
    """Return a hidden folder beside the target, and the descriptor that holds its lock as long as this process lives."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent) as locked:
        if locked:
            _clear_leftovers(target)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        mark = os.open(staging, os.O_RDONLY)
        with suppress(OSError):  # a file system without locks; then leftovers stay
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return staging, mark


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock, so that no new sibling is taken for a leftover before it has its own; tell whether it could be had."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        for _ in range(PATIENCE):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02)  # flock waits for ever or not at all
            except OSError:
                break
            else:
                yield True
                return
        yield False
    finally:
        os.close(descriptor)


def _clear_leftovers(target: Path) -> None:
    for left in target.parent.glob(f".{glob.escape(target.name)}.????????"):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its writer lives
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(descriptor)


def _publish(staging: Path, target: Path) -> None:
    staging.chmod(0o755)  # mkdtemp makes it private, and the next step may run as another user
    try:
        with suppress(FileNotFoundError):  # nothing is there to be replaced
            _set_aside(target)
        staging.rename(target)
    except OSError as error:
        if error.errno in (*TAKEN, errno.ENOSPC, errno.EDQUOT):
            raise
        _fill(staging, target)


def _set_aside(target: Path) -> None:
    """Rename an older folder away, because to delete it in its place would show half of it."""
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        target.rename(aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(staging: Path, target: Path) -> None:
    """Move part by part: a mounted bucket may not rename folders. Until all are there a mark says so."""
    target.mkdir(exist_ok=True)
    (target / UNFINISHED).touch()
    for part in target.glob("*.parquet"):
        part.unlink()
    for part in sorted(staging.iterdir()):
        shutil.move(part, target / part.name)
    (target / UNFINISHED).unlink()
