"""One advance of a rollout: look at the evidence, take at most the next step, say "promote", "abort", "hold" or "pending".

Short and re-entrant: all that is remembered is in the ledger, so any run may go on where another stopped, or died. While it waits it keeps
the rollout's lease; what ends without a word loses it, and then the gateway takes the challenger to 0% by itself.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ratchet.delivery.decision import Decision, Seen, decide
from ratchet.delivery.ledger import Ledger, Transition
from ratchet.delivery.rollout import Rollout
from ratchet.delivery.verdicts import Verdict
from ratchet.errors import ConflictError, NeededError

WORDS = {"promote": "promote", "abort": "rejected", "hold": "held", "pending": "pending", "rollback": "rolled back", "settle": "held"}
TELLING = {word: move for move, word in WORDS.items() if move != "settle"}
FIRST_TRAFFIC = 90.0  # a gateway writes what it recorded each minute
PAUSE = 0.5
LONGEST_PAUSE = 10.0


@dataclass(frozen=True)
class Sight:
    """What one look saw.

    Attributes:
        word: The judge's: "promote", "abort", "hold" or "pending".
        reason: The judge's.
        seen: How much evidence there is.
        evidence: JSON values.
    """

    word: str
    reason: str
    seen: Seen
    evidence: dict[str, Any] = field(default_factory=dict)


class Observe(Protocol):
    """Looks at the evidence of a rollout: recorded traffic, in production."""

    def __call__(self, rollout: Rollout, as_of: datetime) -> Sight:
        """Return what is to be seen of a rollout at a time."""
        ...


@dataclass(frozen=True)
class Advance:
    """What came of it.

    Attributes:
        verdict: "promote", "abort", "hold", "pending" or "rollback".
        outcome: The run's word for it: "promote", "rejected", "held", "pending" or "rolled back".
        reason: Why.
        version: Version that is to be promoted, or was looked at; empty when there is none.
        generation: Of the deployment afterwards; what follows in the run is tied to it.
        rollout: As it stood at the last look; None where none is under way.
    """

    verdict: str
    outcome: str
    reason: str
    version: str = ""
    generation: int = 0
    rollout: Rollout | None = None


def advance(
    name: str,
    *,
    run_id: str,
    ledger: Ledger,
    observe: Observe,
    wait: float = 0.0,
    as_of: datetime | None = None,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Advance:
    """Advance the rollout of a deployment and record the run's verdict.

    Args:
        name: Name of the deployment.
        run_id: The run. Its first verdict stands: a step that is run again answers as before and does nothing.
        ledger: The ledger.
        observe: How to look.
        wait: Seconds to wait for evidence, at most; each look may take one step.
        as_of: Only what was known by then counts, for a rehearsal with recorded traffic; None for now.
        sleep: For a test.
        monotonic: For a test.
    """
    said = ledger.verdicts(run_id).get("advance")
    if said is not None:
        return _answer(said, ledger, ledger.rollout(name))
    begun = monotonic()
    waiting = 0.0
    while True:
        rollout = ledger.rollout(name)
        if rollout is None:
            return _conclude(ledger, name, run_id, Decision("hold", f"no rollout of {name!r} is under way"), None)
        if rollout.leased is not None:
            ledger.renew_lease(name, rollout.begun, ledger.clock() + timedelta(seconds=rollout.policy.lease), f"run {run_id}")
        decision, sight = look(rollout, run_id=run_id, ledger=ledger, observe=observe, as_of=as_of)
        try:
            done = act(rollout, decision, sight.evidence, run_id=run_id, ledger=ledger)
        except NeededError as error:  # a watched encoder that has not held, and that a stacked champion needs: for a person
            return _conclude(ledger, name, run_id, Decision("hold", f"{decision.reason}; {error}"), rollout)
        if done is None or decision.move == "step":
            continue  # somebody else was faster, or there is a next step: look again
        waiting = monotonic() - begun
        silent = sight.seen.total == 0 and waiting >= FIRST_TRAFFIC
        if decision.move != "pending" or silent or waiting >= wait:
            if decision.move == "pending" and rollout.leased is not None:
                ledger.renew_lease(name, rollout.begun, max(rollout.deadline, ledger.clock()), "between runs")
            return _conclude(ledger, name, run_id, decision, rollout)
        sleep(pause(waiting, wait - waiting, rollout.policy.lease))


def pause(waited: float, left: float, lease: float) -> float:
    """Return how long to wait for the next look, seconds: longer the longer it has taken, and never so long that the lease runs out.

    >>> pause(0.0, 300.0, 1800.0), pause(600.0, 300.0, 1800.0), pause(600.0, 300.0, 6.0)
    (0.5, 10.0, 2.0)
    """
    return min(PAUSE + waited / 20, max(left, 0.0), LONGEST_PAUSE, lease / 3)


def look(rollout: Rollout, *, run_id: str, ledger: Ledger, observe: Observe, as_of: datetime | None) -> tuple[Decision, Sight]:
    """Look once, and record what was seen and what follows, unless the last look saw the same."""
    now = ledger.clock()
    sight = observe(rollout, as_of or now)
    decision = decide(rollout, sight.word, sight.reason, sight.seen, now)
    before = ledger.last_look(rollout.deployment.name, rollout.begun)
    if not before or _known(before.verdict, before.reason, before.facts) != _known(decision.move, decision.reason, sight.evidence):
        ledger.record_look(rollout, verdict=decision.move, reason=decision.reason, evidence=sight.evidence, run_id=run_id)
    return decision, sight


def _known(verdict: str, reason: str, evidence: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    return verdict, reason, {key: value for key, value in evidence.items() if key != "as_of"}


def act(rollout: Rollout, decision: Decision, evidence: dict[str, Any], *, run_id: str, ledger: Ledger) -> Transition | bool | None:
    """Do what was decided, but for a promotion, which is a step of its own.

    Returns:
        The transition; True when there was none to make; None when somebody else changed the deployment first.
    """
    state = rollout.deployment
    facts = {"look": {key: value for key, value in evidence.items() if key != "gates"}, "run_id": run_id}
    by: dict[str, Any] = {
        "generation": state.generation,
        "who": f"run {run_id}",
        "why": decision.reason,
        "evidence": facts,
        "run_id": run_id,
    }
    try:
        if decision.move == "step":
            return ledger.step(state.name, decision.phase, decision.percent, **by)
        if decision.move in ("abort", "hold"):
            return ledger.abort(state.name, **by)
        if decision.move == "rollback":
            return ledger.rollback(state.name, **by)
        if decision.move == "settle":
            return ledger.settle_watch(state.name, **by)
    except ConflictError:
        return None
    return True


def _conclude(ledger: Ledger, name: str, run_id: str, decision: Decision, rollout: Rollout | None) -> Advance:
    said = ledger.record_verdict(run_id, name, "advance", WORDS[decision.move], decision.reason)
    return _answer(said, ledger, rollout)


def _answer(said: Verdict, ledger: Ledger, rollout: Rollout | None) -> Advance:
    """Return the answer for a verdict; a promotion is tied to the generation that was looked at."""
    verdict = TELLING[said.verdict]
    challenger = rollout.deployment.challenger if rollout else None
    if verdict == "promote" and (rollout is None or challenger is None):
        gone = f"what run {said.run_id} had found better is not under trial any more"
        return Advance("hold", "held", gone, generation=ledger.deployment(said.deployment).generation)
    state = rollout.deployment if rollout and verdict == "promote" else ledger.deployment(said.deployment)
    return Advance(verdict, said.verdict, said.reason, challenger.version if challenger else "", state.generation, rollout)


def utc(timestamp: float) -> datetime:
    """Return a time from seconds since 1970, in UTC."""
    return datetime.fromtimestamp(timestamp, UTC)
