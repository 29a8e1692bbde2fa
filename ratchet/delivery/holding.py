"""The record that a run left the champion alone, and why: no change is an answer too, and a person asks for it first."""

from ratchet.delivery.ledger import Ledger
from ratchet.delivery.verdicts import Verdict
from ratchet.errors import ParameterError, nearest

HOLDING = ("invalid", "rejected", "held", "pending", "rolled back")


def hold(name: str, *, run_id: str, verdict: str, reason: str, ledger: Ledger) -> Verdict:
    """Record that the champion stays.

    Args:
        name: Name of the deployment.
        run_id: The run.
        verdict: "invalid" (the data), "rejected" (the challenger is not better), "held" (no decision could be
            made), "pending" (a later run goes on) or "rolled back" (what was promoted before is taken back).
        reason: Why, as a person reads it.
        ledger: The ledger.

    Returns:
        The verdict that stands; the first one of the run.

    Raises:
        ParameterError: the word is another one.
    """
    if verdict not in HOLDING:
        raise ParameterError(f"a run cannot be held as {verdict!r}; {nearest(verdict, HOLDING)}")
    return ledger.record_verdict(run_id, name, "hold", verdict, reason)
