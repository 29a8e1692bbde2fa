"""Who answers now: the champion in this process, the companion beside it, and what the ledger said when both were put there.

A lineup is replaced whole and never changed, so a request that took one finishes on it whatever happens meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ratchet.features.spec import FeatureSpec
from ratchet.serving.companion import Companion
from ratchet.serving.routing import is_in_share
from ratchet.serving.served import Served
from ratchet.serving.standing import Standing


@dataclass(frozen=True, slots=True, eq=False)
class Lineup:
    """Who answers.

    Attributes:
        champion: The model in this process.
        companion: The model in the child process; None for none.
        standing: What the ledger said.
    """

    champion: Served
    companion: Companion | None
    standing: Standing

    @property
    def role(self) -> str:
        """The companion's role: "challenger", or "previous" in a watch."""
        return "previous" if self.standing.deployment.phase == "watch" else "challenger"

    @property
    def percent(self) -> int:
        """Share of requests that the companion answers, 0 to 100."""
        deployment = self.standing.deployment
        return deployment.percent if self.companion and deployment.phase == "canary" else 0

    @property
    def rollout(self) -> int:
        """Generation that began what the companion takes part in; 0 for none."""
        return self.standing.deployment.begun

    @property
    def extra_inputs(self) -> Mapping[str, str]:
        """Columns, with their kinds, that only the companion reads."""
        if self.companion is None or self.companion.served is None:
            return {}
        own = self.champion.package.spec.inputs
        return {name: kind for name, kind in self.companion.served.package.spec.inputs.items() if name not in own}

    @property
    def labelled(self) -> FeatureSpec:
        """The specification that says what a label is: the champion's, or where that has no target and the companion's has, that."""
        own = self.champion.package.spec
        other = self.companion.served.package.spec if self.companion is not None and self.companion.served is not None else own
        return other if other.target and not own.target else own

    def gives_to_companion(self, key: str) -> bool:
        """Return whether a request with this sticky key is the companion's to answer."""
        return self.percent > 0 and is_in_share(key, f"{self.standing.deployment.name}:{self.rollout}", self.percent)
