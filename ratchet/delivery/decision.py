"""What a look at a rollout leads to: a function of the policy, the judge's word, what has been seen, and the time. It writes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ratchet.delivery.policy import Policy
from ratchet.delivery.rollout import Rollout

MOVES = ("promote", "abort", "hold", "pending", "step", "rollback", "settle")


@dataclass(frozen=True, slots=True)
class Seen:
    """How much evidence there is, apart from what it says.

    Attributes:
        requests: Requests of the present phase or step: scored by both in shadow, answered by the challenger in a canary.
        pairs: Requests of the whole rollout that both scored and that count: by their label, or at once where the loss needs none.
        due: Requests whose label is due.
        coverage: Share of those that have one, or need none; 0 when none is due.
        total: Requests recorded since the rollout began, the latest ones included.
    """

    requests: int
    pairs: int
    due: int
    coverage: float
    total: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do.

    Attributes:
        move: "promote", "abort", "hold", "pending", "step", "rollback" or "settle".
        reason: Why, as a person reads it.
        phase: Of the next step; empty unless the move is "step".
        percent: Of the next step.
    """

    move: str
    reason: str
    phase: str = ""
    percent: int = 0


def decide(rollout: Rollout, word: str, reason: str, seen: Seen, now: datetime) -> Decision:
    """Return what a look leads to.

    Args:
        rollout: As it stands.
        word: The judge's: "promote", "abort", "hold" or "pending".
        reason: The judge's.
        seen: How much evidence there is.
        now: The time of the look.
    """
    state, policy = rollout.deployment, rollout.policy
    over = now >= rollout.deadline
    if state.phase == "watch":
        if word == "abort":
            return Decision("rollback", reason)
        return Decision("settle", f"the watch is over: {reason}") if over else Decision("pending", reason)
    if word in ("abort", "hold"):
        return Decision(word, reason)
    ready = word == "promote" and seen.pairs >= policy.minimum_labels and _last(rollout)
    enough = seen.pairs >= policy.maximum_pairs
    missing = _missing(rollout, seen, now)
    if policy.strategy == "ab" and state.phase == "canary":
        if not (over or enough):
            return Decision("pending", f"the split runs until {rollout.deadline:%d %B %Y %H:%M} or {policy.maximum_pairs} pairs: {reason}")
        return (
            Decision("promote", reason)
            if ready and not missing
            else Decision("hold", f"the split has ended without proof: {missing or reason}")
        )
    if ready and not missing:
        return Decision("promote", reason)
    if over:
        return Decision("hold", f"the deadline, {rollout.deadline:%d %B %Y %H:%M} UTC, has passed without proof: {missing or reason}")
    if enough:
        return Decision("hold", f"{_counted(policy, seen.pairs)}, the most that the policy allows, are no proof: {reason}")
    if missing:
        return Decision("pending", missing if seen.total else reason)
    following = next((percent for percent in policy.steps if percent > state.percent), 0)
    if policy.strategy == "blue_green" or not following or (policy.strategy == "ab" and state.phase == "canary"):
        return Decision("pending", reason)
    return Decision(
        "step", f"{seen.requests} requests and {_counted(policy, seen.pairs)} speak against nothing: {following}% next", "canary", following
    )


def _counted(policy: Policy, pairs: int) -> str:
    return f"{pairs} {'labelled pairs' if policy.needs_labels else 'pairs'}"


def _last(rollout: Rollout) -> bool:
    """Return whether a promotion may follow on the present step."""
    policy, state = rollout.policy, rollout.deployment
    if policy.strategy == "blue_green":
        return True
    return state.phase == "canary" and (policy.strategy == "ab" or state.percent >= policy.steps[-1])


def _missing(rollout: Rollout, seen: Seen, now: datetime) -> str:
    """Return what the present step has not seen yet; empty for nothing."""
    policy, state = rollout.policy, rollout.deployment
    step = f"{state.phase} at {state.percent}%" if state.phase == "canary" else state.phase
    if seen.requests < policy.minimum_requests:
        young = f" (of the last {policy.grace:g} s none counts yet)" if policy.grace and seen.total else ""
        return f"{step} has seen {seen.requests} of at least {policy.minimum_requests} requests{young}"
    if seen.pairs < policy.minimum_labels:
        due = f" have a label that counts ({seen.due} are due)" if policy.needs_labels else " count: blocks must be closed"
        return f"{seen.pairs} of at least {policy.minimum_labels} requests{due}"
    if seen.coverage < policy.minimum_coverage:
        return f"{seen.coverage:.0%} of the {seen.due} requests whose label is due have one, of at least {policy.minimum_coverage:.0%}"
    until = rollout.step_at + timedelta(seconds=policy.step)
    return f"{step} lasts until {until:%d %B %Y %H:%M} UTC at least" if now < until else ""
