"""A rollout that is under way, as the chain tells it: its policy stands in the row that began it, its steps in the rows since."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ratchet.delivery.deployment import Deployment
from ratchet.delivery.policy import Policy


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout, or the watch after one.

    Attributes:
        deployment: As it stands.
        policy: Fixed before it began.
        began_at: When.
        step_at: When the present phase or step began.
        run_id: The run that began it.
        leased: Until when it may go on without anybody renewing; None in a watch, which ends by its own length.
        former: In a watch: the ``begun`` of the rollout that led to it, whose late labels still count; else 0.
    """

    deployment: Deployment
    policy: Policy
    began_at: datetime
    step_at: datetime
    run_id: str
    leased: datetime | None
    former: int = 0

    @property
    def begun(self) -> int:
        """The generation that began it."""
        return self.deployment.begun

    @property
    def deadline(self) -> datetime:
        """After it a look either has the proof or holds; in a watch, when it ends."""
        return self.began_at + timedelta(seconds=self.policy.watch if self.deployment.phase == "watch" else self.policy.deadline)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the evidence of a rollout.

    Attributes:
        deployment: Name.
        begun: Identity of the rollout.
        number: 1, 2, 3, …
        at: ISO 8601, UTC.
        run_id: The run that looked.
        phase: At the time.
        percent: At the time.
        verdict: "promote", "abort", "hold", "pending", "step", "rollback" or "settle".
        reason: Why.
        evidence: JSON: the gates with their tests.
    """

    deployment: str
    begun: int
    number: int
    at: str
    run_id: str
    phase: str
    percent: int
    verdict: str
    reason: str
    evidence: str

    @property
    def facts(self) -> dict[str, Any]:
        """The evidence as a mapping."""
        import json

        return dict(json.loads(self.evidence))
