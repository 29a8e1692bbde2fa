"""What moves a challenger in the ledger: begin, step, abort, settle; the leases that keep a rollout alive; the record of its looks.

They are transitions as a promotion is: compared and swapped, done once, in the chain. When each is due is decided in `advance`; here is
only what it does.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from ratchet.delivery import records, tables
from ratchet.delivery.database import Database
from ratchet.delivery.deployment import Deployment, ModelRef, canonical_json, check_name
from ratchet.delivery.policy import Policy
from ratchet.delivery.rollout import Look, Rollout
from ratchet.delivery.transitions import Clock, Decide, Request, Subject, Transition, make_request, storable
from ratchet.errors import ConflictError, UnknownDeploymentError

if TYPE_CHECKING:
    from ratchet.delivery.audit import AuditRow


class Trials(ABC):
    """The part of the ledger that a rollout uses; `ratchet.delivery.ledger.Ledger` is the whole."""

    database: Database
    clock: Clock

    @abstractmethod
    def _apply(self, request: Request, subject: Subject, decide: Decide) -> Transition:
        """Do a transition; the ledger's one way to write."""

    def begin(
        self,
        name: str,
        challenger: ModelRef,
        policy: Policy,
        *,
        generation: int,
        who: str,
        why: str,
        evidence: Mapping[str, Any] | None = None,
        run_id: str = "",
    ) -> Transition:
        """Begin the rollout of a challenger. The policy becomes part of the chain.

        Raises:
            UnknownDeploymentError: there is no champion that it could be compared with.
            ConflictError: another challenger is under trial, or somebody changed the deployment since ``generation`` was read.
        """
        facts = {**(evidence or {}), "policy": policy.as_dict()}
        request = make_request("begin", name, generation, who=who, why=why, evidence=facts, run_id=run_id, verdict="")
        phase, percent = ("shadow", 0) if policy.shadow or policy.strategy == "blue_green" else ("canary", policy.steps[0])

        def decide(connection: Connection, before: Deployment) -> Deployment:
            if before.champion is None:
                raise UnknownDeploymentError(f"deployment {name!r} has no champion to try a challenger against; promote a version first")
            if before.challenger is not None:
                raise ConflictError(
                    f"deployment {name!r} is trying {before.challenger} ({before.phase}, {before.percent}%); "
                    f"one challenger at a time: let it end, or take it away with: ratchet rollback {name}"
                )
            return before.trying(challenger, phase, percent)

        return self._apply(request, lambda connection: challenger.digest, decide)

    def step(
        self, name: str, phase: str, percent: int, *, generation: int, who: str, why: str, evidence: Mapping[str, Any], run_id: str = ""
    ) -> Transition:
        """Take the challenger one step further.

        Raises:
            ConflictError: somebody changed the deployment since.
            UnknownDeploymentError: no challenger is under trial.
        """
        request = make_request("step", name, generation, who=who, why=why, evidence=evidence, run_id=run_id, verdict="")
        return self._apply(request, self._companion(name, generation), lambda connection, before: _tried(before).stepped(phase, percent))

    def abort(
        self, name: str, *, generation: int, who: str, why: str, evidence: Mapping[str, Any] | None = None, run_id: str = ""
    ) -> Transition:
        """Take the challenger to 0% and end its rollout; the champion is left alone.

        Raises:
            ConflictError: somebody changed the deployment since.
            UnknownDeploymentError: no challenger is under trial.
        """
        request = make_request("abort", name, generation, who=who, why=why, evidence=evidence, run_id=run_id, verdict="")
        return self._apply(request, self._companion(name, generation), lambda connection, before: _tried(before).aborted())

    def settle_watch(self, name: str, *, generation: int, who: str, why: str, evidence: Mapping[str, Any], run_id: str = "") -> Transition:
        """End the watch over a promoted model: it has held.

        Raises:
            ConflictError: somebody changed the deployment since, or no watch is under way.
        """
        request = make_request("settle", name, generation, who=who, why=why, evidence=evidence, run_id=run_id, verdict="")

        def decide(connection: Connection, before: Deployment) -> Deployment:
            if before.phase != "watch":
                raise ConflictError(f"deployment {name!r} is in phase {before.phase!r}, not 'watch': there is nothing to settle")
            return before.settled()

        return self._apply(request, self._companion(name, generation), decide)

    def rollout(self, name: str) -> Rollout | None:
        """Return the rollout, or the watch, that is under way; None where nothing is."""
        with self.database.reading() as connection:
            state = records.read_deployment(connection, check_name(name))
            row = records.audit_row(connection, deployment=name, generation=state.begun) if state.begun else None
            last = records.audit_row(connection, deployment=name, generation=state.generation) if state.begun else None
            if row is None or last is None:
                return None
            policy = Policy.parse(row.facts["policy"])
            leased = None if state.phase == "watch" else _lease(connection, state, row, policy)
        at = datetime.fromisoformat
        return Rollout(state, policy, at(row.at), at(last.at), row.run_id, leased, int(row.facts.get("rollout", 0)))

    def lease(self, name: str) -> datetime | None:
        """Return until when a challenger may stay without anybody renewing; None when none is under trial."""
        rollout = self.rollout(name)
        return rollout.leased if rollout else None

    def renew_lease(self, name: str, begun: int, until: datetime, holder: str) -> None:
        """Let a rollout go on until a time.

        Args:
            name: Name of the deployment.
            begun: Identity of the rollout; the lease of another one is never touched.
            until: In UTC.
            holder: The run, for a person who asks.
        """
        values = {"deployment": check_name(name), "begun": int(begun), "until": until.isoformat(), "holder": storable(holder)[:255]}
        with self.database.writing() as connection:
            if records.read_deployment(connection, name).begun == begun:
                connection.execute(tables.leases.delete().where(tables.leases.c.deployment == name))
                records.insert_once(connection, tables.leases, values)

    def record_look(self, rollout: Rollout, *, verdict: str, reason: str, evidence: Mapping[str, Any], run_id: str) -> Look:
        """Record a look at the evidence; returns it with its number."""
        state, table = rollout.deployment, tables.looks
        with self.database.writing() as connection:
            mine = (table.c.deployment == state.name) & (table.c.begun == state.begun)
            number = (connection.execute(select(func.max(table.c.number)).where(mine)).scalar() or 0) + 1
            facts = canonical_json(dict(evidence))
            at = self.clock().isoformat()
            look = Look(state.name, state.begun, number, at, storable(run_id), state.phase, state.percent, verdict, storable(reason), facts)
            connection.execute(table.insert().values(asdict(look)))
        return look

    def looks(self, name: str, begun: int) -> list[Look]:
        """Return the looks of a rollout, the first one first."""
        table = tables.looks
        query = select(table).where((table.c.deployment == name) & (table.c.begun == begun)).order_by(table.c.number)
        with self.database.reading() as connection:
            return [Look(**row) for row in connection.execute(query).mappings()]

    def last_look(self, name: str, begun: int) -> Look | None:
        """Return the last look of a rollout, without reading the evidence of all before it; None where there is none."""
        table = tables.looks
        mine = (table.c.deployment == name) & (table.c.begun == begun)
        query = select(table).where(mine).order_by(table.c.number.desc()).limit(1)
        with self.database.reading() as connection:
            row = connection.execute(query).mappings().first()
        return Look(**row) if row else None

    def _companion(self, name: str, generation: int) -> Subject:
        """Return what finds the digest of the model that was under trial at a generation."""

        def digest(connection: Connection) -> str:
            row = records.audit_row(connection, deployment=name, generation=generation)
            companion = row.after.companion if row else None
            return companion.digest if companion else ""

        return digest


def _tried(before: Deployment) -> Deployment:
    if before.challenger is None:
        raise UnknownDeploymentError(f"deployment {before.name!r} has no challenger under trial (champion: {before.champion or 'none'})")
    return before


def _lease(connection: Connection, state: Deployment, row: "AuditRow", policy: Policy) -> datetime:
    query = select(tables.leases).where((tables.leases.c.deployment == state.name) & (tables.leases.c.begun == state.begun))
    found = connection.execute(query).mappings().first()
    return datetime.fromisoformat(found["until"] if found else row.at) + timedelta(seconds=0.0 if found else policy.lease)
