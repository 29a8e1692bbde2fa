"""The ledger: the one place that says what is deployed.

A transition is one transaction. It compares and swaps the generation, so of two that read the same state one wins; it looks for its
operation key, so a step that is run again changes nothing; and it appends one row to the audit chain. There is nothing else that can
move a deployment. The registry's aliases are a projection of what stands here, because they have no compare-and-swap.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ratchet.delivery import records, tables
from ratchet.delivery.audit import AuditRow, ChainReport, verify_rows
from ratchet.delivery.database import Database
from ratchet.delivery.deployment import Deployment, ModelRef, check_name
from ratchet.delivery.heads import advance_head, read_head
from ratchet.delivery.pairs import Encoder, Following, check_not_needed, partner, with_promotion, with_rollback
from ratchet.delivery.transitions import (
    Checkpoint,
    Clock,
    Decide,
    Follow,
    Request,
    Subject,
    Transition,
    apply,
    by_itself,
    make_request,
    no_checkpoint,
    storable,
    unknown_deployment,
    utc_now,
)
from ratchet.delivery.trials import Trials
from ratchet.delivery.verdicts import Outcome, Run, Verdict, outcome_of
from ratchet.errors import LedgerError, UnknownDeploymentError
from ratchet.settings import Settings

__all__ = ["AuditRow", "Deployment", "Ledger", "ModelRef", "Outcome", "Transition", "Verdict"]


class Ledger(Trials):
    """An open ledger. Cheap to open; holds no connection between calls. What moves a challenger is in `Trials`."""

    def __init__(self, database: Database, settings: Settings, clock: Clock, checkpoint: Checkpoint) -> None:
        """Use `open`."""
        self.database = database
        self.settings = settings
        self.clock = clock
        self.checkpoint = checkpoint

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock = utc_now, checkpoint: Checkpoint = no_checkpoint) -> "Ledger":
        """Open the ledger of an installation; create its tables where there are none.

        Args:
            settings: Says where the database and the audit heads are.
            clock: Returns the time, in UTC.
            checkpoint: Called at each named point of a transition.

        Raises:
            LedgerError: the database cannot be reached, or its tables are of an unknown version.
        """
        database = Database(settings.ledger())
        database.prepare()
        return cls(database, settings, clock, checkpoint)

    @classmethod
    def existing(cls, settings: Settings) -> "Ledger":
        """Open the ledger of an installation for one who must never make an empty one of it, as a gateway.

        Args:
            settings: Says where the database and the audit heads are.

        Raises:
            LedgerError: there is none.
        """
        database = Database(settings.ledger())
        if database.is_sqlite and not Path(str(database.url.database)).is_file():
            raise LedgerError(f"ledger {database.shown}: no such file; restore it, or change RATCHET_LEDGER_URL")
        return cls(database, settings, utc_now, no_checkpoint)

    def deployment(self, name: str) -> Deployment:
        """Return what is deployed under a name; generation 0 and no champion when the name is not known."""
        with self.database.reading() as connection:
            return records.read_deployment(connection, check_name(name))

    def deployments(self) -> list[Deployment]:
        """Return all deployments, by name."""
        with self.database.reading() as connection:
            return records.read_deployments(connection)

    def history(self, name: str) -> list[AuditRow]:
        """Return the transitions of a deployment, the first one first.

        Raises:
            UnknownDeploymentError: there is no such deployment.
        """
        with self.database.reading() as connection:
            rows = records.read_audit(connection, name)
            if not rows:
                raise unknown_deployment(connection, name)
            return rows

    def promote(
        self,
        name: str,
        model: ModelRef,
        *,
        generation: int,
        who: str,
        why: str,
        evidence: Mapping[str, Any] | None = None,
        run_id: str = "",
        watch: bool = False,
        encoder: Encoder | None = None,
    ) -> Transition:
        """Make a model the champion; the present champion becomes ``previous``. With a run, its verdict "promoted" is recorded with it.

        Args:
            name: Name of the deployment; a new one is begun.
            model: The model.
            generation: Generation of the deployment that was read before deciding.
            who: A person, or a step of a run.
            why: A sentence.
            evidence: JSON values that the decision rests on.
            run_id: The run; empty by hand.
            watch: Go on comparing it with the former champion; the evidence says by which policy.
            encoder: What a stacked model needs; its deployment is moved in the same transaction (`pairs`).

        Returns:
            What stands now. The effect is "none" when the model is the champion already, whatever its generation.

        Raises:
            ConflictError: somebody else changed the deployment since; the message says who, and to what.
        """
        request = make_request(
            "promote", name, generation, who=who, why=why, evidence=evidence, run_id=run_id, verdict="promoted", wanted=model.digest
        )

        def follow(connection: Connection, before: Deployment, after: Deployment) -> Following:
            return with_promotion(connection, before, encoder) if encoder else Following()

        return self._apply(request, lambda connection: model.digest, lambda connection, before: before.promoted(model, watch=watch), follow)

    def rollback(
        self,
        name: str,
        *,
        generation: int,
        who: str,
        why: str,
        evidence: Mapping[str, Any] | None = None,
        run_id: str = "",
        may_empty: bool = False,
    ) -> Transition:
        """Take the champion back: the state that stood before its promotion stands again.

        The model that was taken back is not kept as ``previous``; a second rollback goes one champion further back. A stacked champion's
        encoder goes with it (`pairs`).

        Args:
            name: Name of the deployment.
            generation: Generation that was read before deciding.
            who: A person, or a step of a run.
            why: A sentence.
            evidence: JSON values that the decision rests on.
            run_id: The run whose promotion is reversed; empty by hand.
            may_empty: Allow that nothing is left: for a first champion that failed its verification.

        Raises:
            UnknownDeploymentError: there is no such deployment, or no champion to go back to.
            ConflictError: somebody else changed the deployment since.
            NeededError: it is an encoder that the champion of another deployment needs.
        """
        request = make_request("rollback", name, generation, who=who, why=why, evidence=evidence, run_id=run_id, verdict="rolled back")

        def withdrawn(connection: Connection) -> str:
            row = records.audit_row(connection, deployment=name, generation=generation)
            if row is None:
                raise unknown_deployment(connection, name)
            champion = row.after.champion
            return champion.digest if champion else ""

        def decide(connection: Connection, before: Deployment) -> Deployment:
            if before.champion is None or (before.previous is None and not may_empty):
                raise UnknownDeploymentError(
                    f"deployment {name!r} has no previous champion to go back to (champion: {before.champion or 'none'}); "
                    f"promote a version instead: ratchet promote {name} VERSION"
                )
            row = records.audit_row(connection, deployment=name, generation=before.since - 1)
            check_not_needed(connection, before)
            return before.rolled_back(row.after if row else Deployment(name))

        return self._apply(request, withdrawn, decide, with_rollback)

    def promotion_of(self, run_id: str, name: str) -> AuditRow | None:
        """Return the transition by which a run promoted, or None when it promoted nothing."""
        with self.database.reading() as connection:
            return records.audit_row(connection, deployment=name, run_id=run_id, action="promote") if run_id else None

    def promotion_at(self, name: str, generation: int) -> AuditRow | None:
        """Return the transition that made a generation, e.g. a champion's ``since``."""
        with self.database.reading() as connection:
            return records.audit_row(connection, deployment=name, generation=generation)

    def partners(self, name: str) -> list[str]:
        """Return the deployments of encoders that the champion needs, or that moved with the last transition."""
        with self.database.reading() as connection:
            state = records.read_deployment(connection, name)
            rows = [records.audit_row(connection, deployment=name, generation=each) for each in (state.generation, state.since)]
        return sorted({partner(row) for row in rows} - {""})

    def record_verdict(self, run_id: str, deployment: str, step: str, verdict: str, reason: str) -> Verdict:
        """Record the word of a step. The first one stands: a step that is run again answers as before.

        Returns:
            The verdict that stands.
        """
        row = Verdict(storable(run_id), check_name(deployment), step, verdict, storable(reason), self.clock().isoformat())
        with self.database.writing() as connection:
            records.insert_once(connection, tables.verdicts, asdict(row))
            return records.read_verdicts(connection, run_id=row.run_id, step=step)[0]

    def verdicts(self, run_id: str) -> dict[str, Verdict]:
        """Return the verdicts of a run by step, in the order of their recording."""
        with self.database.reading() as connection:
            return {row.step: row for row in records.read_verdicts(connection, run_id=run_id)}

    def runs(self, name: str) -> list[Run]:
        """Return the runs that decided something about a deployment, the oldest first, whatever they came to."""
        with self.database.reading() as connection:
            found: dict[str, dict[str, Verdict]] = {}
            for row in records.read_verdicts(connection, deployment=name):
                found.setdefault(row.run_id, {})[row.step] = row
        return [Run(run_id, next(iter(said.values())).at, outcome_of(run_id, said)) for run_id, said in found.items()]

    def outcome(self, run_id: str) -> Outcome:
        """Return what a run came to; "error" for a run that recorded nothing."""
        return outcome_of(run_id, self.verdicts(run_id))

    def verify_chain(self, name: str) -> ChainReport:
        """Verify the audit chain of a deployment.

        Raises:
            UnknownDeploymentError: there is no such deployment.
            AuditError: the chain, the deployment or the head outside was tampered with; the message names the row.
        """
        head = read_head(self.settings.audit_heads(), check_name(name))  # before the rows: it may be behind them, never ahead
        with self.database.reading() as connection:
            rows, deployment = records.read_audit(connection, name), records.read_deployment(connection, name)
            if not rows and not deployment.generation and head is None:
                raise unknown_deployment(connection, name)
        return verify_rows(deployment, rows, head)

    def repair_head(self, name: str) -> None:
        """Bring the head outside the database up to the chain, where a crash left it behind."""

        def rows_from(generation: int) -> list[AuditRow]:
            with self.database.reading() as connection:
                return records.read_audit(connection, name, generation)

        advance_head(self.settings.audit_heads(), name, rows_from)

    def note_version(self, name: str, model: ModelRef) -> None:
        """Note a registered version, once."""
        row = {"deployment": check_name(name), **asdict(model), "at": self.clock().isoformat()}
        with self.database.writing() as connection:
            records.insert_once(connection, tables.versions, row)

    def version(self, name: str, version: str) -> ModelRef | None:
        """Return a registered version; None for one that was not noted, which MLflow may know all the same."""
        with self.database.reading() as connection:
            return records.read_version(connection, check_name(name), version)

    def projected(self, name: str) -> int:
        """Return the generation that the registry's aliases show."""
        with self.database.reading() as connection:
            return records.read_projected(connection, name)

    def note_projected(self, name: str, generation: int) -> None:
        """Note that the registry's aliases show a generation."""
        with self.database.writing() as connection:
            records.write_projected(connection, name, generation)

    def _apply(self, request: Request, subject: Subject, decide: Decide, follow: Follow = by_itself) -> Transition:
        transition = apply(self.database, request, subject, decide, self.clock, self.checkpoint, follow)
        self.repair_head(request.name)
        if other := partner(transition.row):
            self.repair_head(other)
        self.checkpoint("head written")
        return transition
