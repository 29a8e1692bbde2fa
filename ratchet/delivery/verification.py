"""The check after a promotion: does what is live now load, from where it is stored, and predict what it predicted in training?

Also what settles a promotion whose run died before this check: the next run of the pipeline makes it up.
"""

from dataclasses import dataclass

from ratchet.delivery.ledger import Ledger
from ratchet.delivery.pairs import leader
from ratchet.delivery.promotion import rollback_in_run
from ratchet.delivery.replay import replay
from ratchet.errors import UnknownDeploymentError
from ratchet.report.page import Cell, Page


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying the champion showed.

    Attributes:
        verdict: "healthy" or "rollback".
        reason: Why.
        version: Version that was looked at.
        rows: Number of recorded rows replayed.
        largest: Largest difference to a recorded prediction; None when nothing could be predicted.
    """

    verdict: str
    reason: str
    version: str
    rows: int
    largest: float | None

    def page(self) -> Page:
        """Return the summary that a person reads."""
        facts: dict[str, Cell] = {"model": f"version {self.version}", "rows replayed": self.rows, "largest difference": self.largest}
        return Page("Verify", self.verdict, self.reason, "good" if self.verdict == "healthy" else "bad", facts)


def verify(name: str, *, run_id: str, ledger: Ledger) -> Verification:
    """Verify what a run promoted, in a fresh process, and record the run's verdict. A run that promoted nothing verifies the champion.

    Args:
        name: Name of the deployment.
        run_id: The run that promoted it.
        ledger: The ledger.

    Returns:
        "rollback" when anything about loading or predicting is wrong; else "healthy".

    Raises:
        UnknownDeploymentError: nothing is deployed, and the run promoted nothing.
    """
    promotion = ledger.promotion_of(run_id, name)
    model = promotion.after.champion if promotion else ledger.deployment(name).champion
    if model is None:
        raise UnknownDeploymentError(f"deployment {name!r} has no champion to verify; promote a version first")
    seen = replay(model, ledger.settings)
    said = ledger.record_verdict(run_id, name, "verify", "healthy" if seen.healthy else "rollback", seen.reason)
    return Verification(said.verdict, said.reason, model.version, seen.rows, seen.largest)


def settle(name: str, *, run_id: str, ledger: Ledger) -> list[str]:
    """Finish what runs that died between promotion and verification left: verify it now, and take it back if it is not healthy.

    Verifying is right whether that run is dead or only slow, because it comes to the same answer; taking back at once would
    not be. A promotion by hand was verified in storage before and is left alone. An encoder that was promoted with a stacked model is
    settled with that one: it is the pair that was to be verified.

    Args:
        name: Name of the deployment.
        run_id: The run that is looking; its own promotion is left to its own steps.
        ledger: The ledger.

    Returns:
        What was done, a sentence each.
    """
    done: list[str] = []
    while True:
        state = ledger.deployment(name)
        promotion = ledger.promotion_at(name, state.since) if state.champion else None
        if promotion is None or promotion.run_id in ("", run_id):
            return done
        stacked = leader(promotion)
        if stacked is not None:
            done += settle(stacked[0], run_id=run_id, ledger=ledger)
            if ledger.deployment(name).generation == state.generation:
                return done
            continue
        said = ledger.verdicts(promotion.run_id).get("verify")
        if said and said.verdict == "healthy":
            return done
        found = verify(name, run_id=promotion.run_id, ledger=ledger)
        done.append(f"run {promotion.run_id} ended before its promotion was verified: {found.verdict}, {found.reason}")
        if found.verdict == "healthy":
            return done
        change = rollback_in_run(name, run_id=promotion.run_id, why=f"{found.reason} (found by run {run_id})", ledger=ledger)
        if change.word == "held":
            return [*done, change.reason]
