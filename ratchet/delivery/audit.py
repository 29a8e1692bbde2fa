"""The audit chain: each transition of a deployment is a row that holds the hash of the row before it.

A row that is edited, removed, put in or moved breaks the chain at that row. Cutting rows off the end breaks nothing within the
database, so the hash of the last row is also written outside it (`heads`). The chain shows tampering by somebody who can write to the
database; somebody who can also write to the folder of heads can rewrite history, so keep that folder elsewhere.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ratchet.delivery.deployment import Deployment, canonical_json
from ratchet.errors import AuditError

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One transition: who did what, when, why, on which evidence, and what stood afterwards.

    Attributes:
        deployment: Name.
        generation: The generation that it made; rows are numbered 1, 2, 3, … without gaps.
        at: ISO 8601, UTC.
        who: A person, or a step of a run.
        action: "promote", "rollback", "begin", "step", "abort" or "settle".
        why: A sentence.
        evidence: JSON, as hashed.
        run_id: The run that it belongs to; empty by hand.
        operation: Operation key.
        state: The deployment afterwards, JSON, as hashed.
        previous_hash: Hash of the row before; zeros for the first.
        hash: SHA-256 of all of the above, hexadecimal.
    """

    deployment: str
    generation: int
    at: str
    who: str
    action: str
    why: str
    evidence: str
    run_id: str
    operation: str
    state: str
    previous_hash: str
    hash: str = ""

    @property
    def after(self) -> Deployment:
        """The deployment as it stood after this transition."""
        return Deployment.from_json(self.state)

    @property
    def facts(self) -> dict[str, Any]:
        """The evidence as a mapping."""
        return dict(json.loads(self.evidence))

    def computed_hash(self) -> str:
        """Return the hash that this row must bear."""
        fields = [getattr(self, name) for name in self.__slots__ if name != "hash"]
        return hashlib.sha256(canonical_json(fields).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a chain as noted outside the database."""

    deployment: str
    generation: int
    hash: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a verified chain showed.

    Attributes:
        deployment: Name.
        rows: Number of rows, all of them intact.
        head: "confirmed" when the head outside the database names the last row; "behind" when it names an earlier one, as after a
            crash between commit and head; "absent" when there is none, so that a cut at the end cannot be excluded.
        behind: Number of rows after the one that the head names.
        hash: Hash of the last row; zeros without rows.
    """

    deployment: str
    rows: int
    head: str
    behind: int
    hash: str


def verify_rows(deployment: Deployment, rows: Sequence[AuditRow], head: Head | None) -> ChainReport:
    """Verify a chain against itself, against the deployment that it should have led to, and against the head outside.

    Args:
        deployment: The state in the ledger.
        rows: All rows, by generation.
        head: As read from outside the database, or None.

    Raises:
        AuditError: a row was edited, removed, put in or moved, the end was cut, or the state was changed beside the chain.
    """
    name = deployment.name
    previous = verify_links(name, rows, GENESIS, 1)
    if deployment.generation != len(rows):
        raise AuditError(
            f"audit chain of {name!r} ends at row {len(rows)}, but the deployment is at generation {deployment.generation}: "
            f"{'the last rows were removed' if deployment.generation > len(rows) else 'rows were added, or the deployment was set back'}. "
            "Compare with a backup"
        )
    if rows and rows[-1].after != deployment:
        raise AuditError(f"deployment {name!r} is not what row {len(rows)} of its audit chain left: it was changed beside the chain")
    if head is None:
        return ChainReport(name, len(rows), "absent", len(rows), previous)
    if head.deployment != name or head.generation < 1:
        raise AuditError(f"audit head of {name!r} names {head.deployment!r}, row {head.generation}: it was replaced")
    if head.generation > len(rows):
        raise AuditError(
            f"audit chain of {name!r} has {len(rows)} rows, but its head outside the database names row {head.generation}: "
            f"the rows after {len(rows)} were cut. Compare with a backup; where an old one was restored on purpose, move the head away"
        )
    if rows[head.generation - 1].hash != head.hash:
        raise AuditError(f"audit chain of {name!r}: row {head.generation} is not the one that its head outside names: rewritten")
    behind = len(rows) - head.generation
    return ChainReport(name, len(rows), "behind" if behind else "confirmed", behind, previous)


def verify_links(name: str, rows: Sequence[AuditRow], previous: str, first: int) -> str:
    """Verify a run of rows and return the hash of its last one.

    Args:
        name: Name of the deployment.
        rows: By generation.
        previous: Hash of the row before the first of them.
        first: Generation that the first of them must have.

    Raises:
        AuditError: naming the first row that is wrong.
    """
    for expected, row in enumerate(rows, start=first):
        if row.generation != expected or row.deployment != name:
            raise AuditError(f"audit chain of {name!r}: row {expected} is missing (the next one is row {row.generation})")
        if row.computed_hash() != row.hash:
            raise AuditError(f"audit chain of {name!r}: row {expected} was edited (by its text: {row.who}, {row.action}, {row.at})")
        if row.previous_hash != previous:
            raise AuditError(f"audit chain of {name!r}: row {expected} does not follow row {expected - 1}: one of them was replaced")
        previous = row.hash
    return previous
