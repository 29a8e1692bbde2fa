"""The head of each audit chain, written outside the database after every commit.

A head only moves forward, and only along rows that follow from the one that it names. So a crash between commit and head leaves it
behind, and the next writer brings it up; but a chain that was cut or rewritten never drags its head along: the head stays where it
was, as the evidence, until a person has looked.
"""

import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from ratchet.delivery.audit import GENESIS, AuditRow, Head, verify_links
from ratchet.delivery.locks import exclusive
from ratchet.errors import AuditError, LedgerError

log = logging.getLogger(__name__)


def read_head(folder: Path, name: str) -> Head | None:
    """Return the head of a chain, or None when none was written.

    Raises:
        AuditError: the file is there and holds no head.
    """
    path = folder / f"{name}.json"
    try:
        values = json.loads(path.read_bytes())
        return Head(str(values["deployment"]), int(values["generation"]), str(values["hash"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AuditError(f"audit head {str(path)!r} cannot be read ({error}); restore it from a backup") from error


def advance_head(folder: Path, name: str, rows_from: Callable[[int], Sequence[AuditRow]]) -> None:
    """Bring a head up to the last row of its chain.

    Never raises for what it meets: the transition is committed, and a rollback must not fail because a note about it could not be
    written. `verify_rows` says what is wrong.

    Args:
        folder: Folder of the heads.
        name: Name of the deployment.
        rows_from: Returns the rows from a generation on, itself included.
    """
    try:
        with exclusive(folder / f"{name}.lock"):
            head = read_head(folder, name)
            rows = rows_from(head.generation if head else 1)
            if head and (not rows or rows[0].hash != head.hash):
                raise AuditError(f"audit chain of {name!r}: row {head.generation} is not the one that the head names; the head stays")
            first = rows[0].generation if rows else 1
            verify_links(name, rows, rows[0].previous_hash if head else GENESIS, first)
            if rows and (head is None or rows[-1].generation > head.generation):
                _write_synced(folder / f"{name}.json", Head(name, rows[-1].generation, rows[-1].hash))
    except (LedgerError, OSError) as error:
        log.error("The transition is done, but its audit head was not written: %s", error)


def _write_synced(path: Path, head: Head) -> None:
    staging = path.with_suffix(".new")  # one name is enough under the lock, and a crash leaves no litter
    with staging.open("w", encoding="utf-8") as file:
        json.dump(asdict(head), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(staging, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
