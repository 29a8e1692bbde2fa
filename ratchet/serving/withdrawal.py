"""Takes a challenger out here, at once, and then tells the ledger: for what cannot wait for a run to look.

Two reasons there are: too many of its requests fail (`guard`), or its lease ran out, which means that whoever was to watch over it is gone.
Both hold locally while the ledger is away, and are looked at again with what the ledger says when it is back, before anything is written.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ratchet.delivery.ledger import Ledger
from ratchet.errors import ConflictError
from ratchet.serving.breaker import Breaker
from ratchet.serving.follower import Follower
from ratchet.serving.guard import Guard
from ratchet.serving.standing import Standing, read_standing

log = logging.getLogger(__name__)

TRIED = ("shadow", "canary")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a challenger must have no traffic.

    Attributes:
        why: A sentence.
        evidence: JSON values that it rests on.
    """

    why: str
    evidence: Mapping[str, Any]


class Withdrawal:
    """Reasons against the challenger of one deployment."""

    def __init__(self, name: str, follower: Follower, *, clock: Callable[[], float]) -> None:
        """Begin without one."""
        self.name = name
        self.follower = follower
        self.clock = clock
        self.guard = Guard()
        self.why = ""
        self._begun = 0  # rollout that the guard watches
        self._breaker = Breaker(clock, failures=1, pause=0.25)

    @property
    def due(self) -> bool:
        """Whether the ledger may be told now; it is not asked all the time while it is away."""
        return self._breaker.allows()

    def observe(self, standing: Standing, *, failed: bool) -> bool:
        """Note a request of the companion; return whether this one made the guard reject a challenger."""
        deployment = standing.deployment
        if deployment.begun != self._begun:
            self._begun, self.guard = deployment.begun, Guard()
        before = self.guard.rejected
        return self.guard.observe(failed=failed) and not before and deployment.phase in TRIED

    def reason(self, standing: Standing) -> Reason | None:
        """Return why the challenger must have no traffic; None when it may, or when there is none."""
        reason = self._reason(standing)
        self.why = reason.why if reason else ""
        return reason

    async def abort(self) -> None:
        """Tell the ledger, if what it says now still gives a reason. Never raises; what fails is tried again."""
        try:
            await asyncio.to_thread(self._abort)
            self._breaker.succeeded()
        except ConflictError as error:
            log.info("%s", error)
        except Exception as error:  # a driver's own errors, too: the challenger is at 0% here already
            self._breaker.failed(str(error))
            log.warning("the ledger could not be told that %r must end its rollout, trying again: %s", self.name, error)
        self.follower.wake()

    def _abort(self) -> None:
        ledger = Ledger.existing(self.follower.settings)
        standing = read_standing(ledger, self.name)  # a lease may have been renewed while the ledger was away
        reason = self._reason(standing)
        if reason is not None:
            generation = standing.deployment.generation
            ledger.abort(self.name, generation=generation, who="gateway", why=reason.why, evidence=reason.evidence)

    def _reason(self, standing: Standing) -> Reason | None:
        deployment = standing.deployment
        if deployment.challenger is None or deployment.phase not in TRIED:
            return None
        if self.guard.rejected and self._begun == deployment.begun:
            errors, requests = self.guard.errors, self.guard.requests
            return Reason(f"{errors} of {requests} requests of {deployment.challenger} failed in a gateway", self.guard.evidence())
        now = self.clock()
        if standing.lease is not None and now > standing.lease:
            until, at = (datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds") for time in (standing.lease, now))
            return Reason(f"the lease of the rollout ran out at {until}: nobody watches over it", {"lease": until, "now": at})
        return None
