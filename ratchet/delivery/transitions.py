"""How a deployment is moved: one transaction that finds out whether the operation was done, compares, swaps, and appends to the chain.

What a transition means is not decided here: the caller gives the function from the state that stands to the next one. After the
transaction the head of the chain is written outside the database.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from ratchet.delivery import records, tables
from ratchet.delivery.audit import AuditRow
from ratchet.delivery.database import Database
from ratchet.delivery.deployment import Deployment, canonical_json, check_name
from ratchet.delivery.operations import operation_key
from ratchet.delivery.pairs import STACKED, Following
from ratchet.delivery.verdicts import Verdict
from ratchet.errors import ConflictError, LedgerError, UnknownDeploymentError, nearest

MAX_TEXT = 20_000
Clock = Callable[[], datetime]
Checkpoint = Callable[[str], None]
Subject = Callable[[Connection], str]
Decide = Callable[[Connection, Deployment], Deployment]
Follow = Callable[[Connection, Deployment, Deployment], Following]


def utc_now() -> datetime:
    """Return the time, the ledger's default clock."""
    return datetime.now(UTC)


def no_checkpoint(phase: str) -> None:
    """Do nothing at a named point of a transition. A test gives a function that lets it kill the process there."""


@dataclass(frozen=True, slots=True)
class Request:
    """An operation on a deployment, as asked for. `make_request` makes one whose every part can be stored.

    Attributes:
        action: "promote", "rollback", "begin", "step", "abort" or "settle".
        name: Name of the deployment.
        generation: Generation that was read before deciding.
        who: A person, or a step of a run.
        why: A sentence.
        evidence: JSON.
        run_id: The run; empty by hand.
        verdict: The run's word for it, recorded in the same transaction; empty for none.
        wanted: Digest that the champion is to have; there is nothing to do where it has it. Empty to always act.
    """

    action: str
    name: str
    generation: int
    who: str
    why: str
    evidence: str
    run_id: str
    verdict: str
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """The answer to an operation.

    Attributes:
        deployment: The deployment right after the operation. When it was done before: as it stood then.
        effect: "applied" by this call; "repeated" when it was applied before; "none" when there was nothing to do.
        row: The audit row of the transition; None when there was nothing to do.
    """

    deployment: Deployment
    effect: str
    row: AuditRow | None


def make_request(
    action: str,
    name: str,
    generation: int,
    *,
    who: str,
    why: str,
    evidence: Mapping[str, Any] | None,
    run_id: str,
    verdict: str,
    wanted: str = "",
) -> Request:
    """Return a request whose every part can be stored as it is; the arguments are its attributes.

    Raises:
        ParameterError: the name cannot be one.
        LedgerError: the evidence is not JSON.
    """
    try:
        facts = canonical_json(dict(evidence or {}))
    except (TypeError, ValueError) as error:
        raise LedgerError(f"evidence of {action} of {name!r} is not JSON: {error}; leave out what is not finite, and say so") from error
    return Request(action, check_name(name), int(generation), storable(who), storable(why), facts, storable(run_id), verdict, wanted)


def storable(text: str) -> str:
    """Return a text that every database takes: no NUL, no lone surrogates, at most 20,000 characters.

    >>> storable("caf\\u00e9 \\0")
    'café \\\\x00'
    """
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")[:MAX_TEXT]


def by_itself(connection: Connection, before: Deployment, after: Deployment) -> Following:
    """Move no other deployment."""
    return Following()


def apply(
    database: Database,
    request: Request,
    subject: Subject,
    decide: Decide,
    clock: Clock,
    checkpoint: Checkpoint,
    follow: Follow = by_itself,
) -> Transition:
    """Do an operation, once, in one transaction.

    Args:
        database: Where.
        request: What was asked.
        subject: Returns the digest of the model that the operation is about; part of its key.
        decide: Returns the next state from the one that stands.
        clock: Returns the time.
        checkpoint: Called at the named points.
        follow: Returns what goes with it in another deployment, from this one's states before and after.

    Raises:
        ConflictError: the generation is not the one that was read.
    """
    checkpoint("before the transaction")
    with database.writing() as connection:
        records.insert_once(connection, tables.deployments, records.blank_deployment(request.name))
        before = records.read_deployment(connection, request.name, lock=True)
        key = operation_key(request.action, request.name, subject(connection), request.generation)
        done = records.audit_row(connection, operation=key)
        if done is not None:
            return Transition(done.after, "repeated", done)
        if request.wanted and before.champion and before.champion.digest == request.wanted:
            return Transition(before, "none", None)
        if before.generation != request.generation:
            raise _conflict(connection, request, before)
        after, at = decide(connection, before), clock().isoformat()
        following = follow(connection, before, after)
        row = _write(connection, _told(request, following), key, after, at, checkpoint)
        if following.after is not None:
            _write_following(connection, request, row, following, at)
            checkpoint("other deployment written")
        checkpoint("before the commit")
    checkpoint("after the commit")
    return Transition(row.after, "applied", row)


def unknown_deployment(connection: Connection, name: str) -> UnknownDeploymentError:
    """Return the error for a name that the ledger does not know."""
    known = [deployment.name for deployment in records.read_deployments(connection)]
    return UnknownDeploymentError(f"no deployment {name!r} in the ledger; {nearest(name, known)}")


def _told(request: Request, following: Following) -> Request:
    if not following.facts:
        return request
    return replace(request, evidence=canonical_json({**json.loads(request.evidence), **following.facts}))


def _write_following(connection: Connection, request: Request, row: AuditRow, following: Following, at: str) -> None:
    """Move the other deployment: a row of its own in its own chain, compared and swapped as the first one was."""
    assert following.after is not None
    name, generation = following.after.name, following.after.generation - 1
    facts = canonical_json({STACKED: {"deployment": row.deployment, "generation": row.generation}})
    why = storable(f"with {row.deployment} ({row.after.champion or 'no champion'}): {request.why}")
    own = replace(request, name=name, generation=generation, evidence=facts, why=why, verdict="")
    _write(connection, own, operation_key(request.action, name, following.digest, generation), following.after, at, no_checkpoint)


def _write(connection: Connection, request: Request, key: str, after: Deployment, at: str, checkpoint: Checkpoint) -> AuditRow:
    if not records.replace_deployment(connection, after):
        raise _conflict(connection, request, records.read_deployment(connection, request.name))
    checkpoint("deployment written")
    row = AuditRow(
        deployment=request.name,
        generation=after.generation,
        at=at,
        who=request.who,
        action=request.action,
        why=request.why,
        evidence=request.evidence,
        run_id=request.run_id,
        operation=key,
        state=after.as_json(),
        previous_hash=records.last_hash(connection, request.name),
    )
    row = replace(row, hash=row.computed_hash())
    records.write_audit(connection, row)
    if request.run_id and request.verdict:
        word = Verdict(request.run_id, request.name, request.action, request.verdict, request.why, at)
        records.insert_once(connection, tables.verdicts, asdict(word))
    return row


def _conflict(connection: Connection, request: Request, standing: Deployment) -> ConflictError:
    winner = records.audit_row(connection, deployment=request.name, generation=request.generation + 1)
    by = "it never was at that generation"
    if winner:
        by = f"{winner.who} did {winner.action!r} at {winner.at}, which made the champion {winner.after.champion or 'none'}"
    return ConflictError(
        f"deployment {request.name!r} is at generation {standing.generation}, not {request.generation} as read before: {by}. "
        "Read the deployment again and decide anew"
    )
