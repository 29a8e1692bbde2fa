"""The record that a run left the champion alone, and why: no change is an answer too, and a person asks for it first."""

from ratchet.delivery.deployment import Deployment
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.verdicts import Verdict
from ratchet.errors import ParameterError, nearest
from ratchet.report.page import Page

NEXT = {
    "invalid": "Nothing was trained. Correct the data, or the schema where the change is meant, and run again.",
    "rejected": "Nothing is left to do. A later run tries again, with newer data.",
    "held": "Nothing was decided, so nothing changed. A later run looks again.",
    "pending": "The challenger stays on trial. A run of the pipeline `rollout` goes on from here.",
    "rolled back": "What was promoted earlier is taken back; its version stays in the registry.",
}
HOLDING = tuple(NEXT)


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


def hold_page(held: Verdict, state: Deployment) -> Page:
    """Return the summary that a person reads.

    Args:
        held: The verdict that stands.
        state: The deployment, which it left alone.
    """
    champion = state.champion.version if state.champion else "none"
    facts = {"deployment": held.deployment, "champion": champion, "what now": NEXT.get(held.verdict, "")}
    return Page("Hold", held.verdict, held.reason, "bad" if held.verdict == "invalid" else "neutral", facts)
