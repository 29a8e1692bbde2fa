"""Rolling: the sealed journals of a folder become Parquet, those of writers that were killed too.

Decoding a minute of busy traffic takes seconds of Python, and a thread that did it would hold the interpreter while requests wait. So a
gateway runs this module as a child process at low priority. Any number may run at once, on one folder: each journal is rolled by the
one that locks it first, and a child that is killed has done no harm.
"""

import argparse
import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from ratchet.errors import RatchetError
from ratchet.traffic.store import Rolled, TrafficStore

STALE_SECONDS = 3_600.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Round:
    """What one round of rolling did.

    Attributes:
        rolled: What was in the journals, all together.
        errors: Why a journal could not be rolled; it stays for the next round.
        retired: Days that were deleted because their time was over.
    """

    rolled: Rolled = field(default_factory=Rolled)
    errors: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)


def recover(folder: str | Path, *, now: float = 0.0) -> list[Path]:
    """Seal the journals whose writers no longer live, and return them.

    A writer holds a lock on its file for as long as it lives; who gets the lock knows that it is dead.

    Args:
        folder: Of journals.
        now: Unix seconds, to tell which files were left behind while they were made; 0 to leave those.

    Raises:
        OSError: one cannot be renamed.
    """
    sealed = []
    for path in sorted(Path(folder).glob("[!.]*.open")):
        with _locked(path) as free:
            if free:
                path.rename(path.with_suffix(".sealed"))
                sealed.append(path.with_suffix(".sealed"))
    for path in Path(folder).glob(".*.open"):  # killed between making a file and naming it: nothing was written yet
        with _locked(path) as free:
            if free and now - path.stat().st_mtime > STALE_SECONDS:
                path.unlink()
    return sealed


def roll_folder(folder: str | Path, store: TrafficStore, *, now: float | None = None, days: int = 0) -> Round:
    """Roll every journal of a folder that nobody writes, and retain.

    One that cannot be rolled does not keep the others from it; it stays.

    Args:
        folder: Of journals.
        store: Where they go.
        now: Unix seconds; None to delete nothing.
        days: What is older is deleted.
    """
    done = Round()
    try:
        recover(folder, now=now or 0.0)
    except OSError as error:
        done.errors.append(f"journals in {str(folder)!r} cannot be recovered: {error}")
    for path in sorted(Path(folder).glob("*.sealed")):
        try:
            rolled = store.roll(path)
        except (RatchetError, OSError) as error:
            done.errors.append(f"journal {str(path)!r} cannot be rolled and stays: {error}")
            continue
        if rolled.damaged or rolled.torn:
            _log.warning("journal %s: %d damaged places, %d bytes torn off; all else is kept", path, rolled.damaged, rolled.torn)
        done.rolled += rolled
    if now is not None:
        try:
            done.retired = store.retain(now, days)
        except OSError as error:
            done.errors.append(f"recorded traffic cannot be retained: {error}")
    return done


def main() -> None:
    """Roll one folder and print the round as JSON: ``python -m ratchet.traffic.rolling JOURNALS TRAFFIC [--now N --days N]``."""
    parser = argparse.ArgumentParser(prog="python -m ratchet.traffic.rolling", description=main.__doc__)
    parser.add_argument("journals")
    parser.add_argument("traffic")
    parser.add_argument("--now", type=float)
    parser.add_argument("--days", type=int, default=0)
    arguments = parser.parse_args()
    os.nice(10)  # requests come first
    done = roll_folder(arguments.journals, TrafficStore(arguments.traffic), now=arguments.now, days=arguments.days)
    sys.stdout.buffer.write(orjson.dumps(asdict(done)))


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Say whether a file could be locked and still bears its name."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        free = False
    try:
        yield free
    finally:
        os.close(file)


if __name__ == "__main__":
    main()
