"""What the ledger last said about one deployment, as a value and as a file: with it a gateway starts while the ledger is away."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from ratchet.delivery.deployment import Deployment
from ratchet.delivery.ledger import Ledger

TIMEOUT_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Standing:
    """A deployment with what a gateway needs to know of its rollout.

    Attributes:
        deployment: As in the ledger.
        key: Column of the sticky key; empty for the request's own.
        timeout_ms: How long the companion may take for a batch.
        lease: Unix time after which the challenger must have no traffic; None without a rollout.
        timed_in_shadow: Whether the companion's time is judged in shadow already, as where no canary follows.
    """

    deployment: Deployment
    key: str = ""
    timeout_ms: float = TIMEOUT_MS
    lease: float | None = None
    timed_in_shadow: bool = False

    @property
    def in_background(self) -> bool:
        """Whether nobody waits for the companion, nor judges its time, so that it may wait for whatever else there is to do."""
        return self.deployment.phase != "canary" and not self.timed_in_shadow


def read_standing(ledger: Ledger, name: str) -> Standing:
    """Return what the ledger says.

    Raises:
        LedgerError: it cannot be reached.
    """
    deployment = ledger.deployment(name)
    if not deployment.begun:
        return Standing(deployment)
    rollout = ledger.rollout(name)
    if rollout is None:  # it ended between the two looks
        return Standing(ledger.deployment(name))
    until = rollout.leased.timestamp() if rollout.leased else None
    policy = rollout.policy
    return Standing(rollout.deployment, policy.key, float(policy.timeout_ms), until, policy.strategy == "blue_green")


def save_standing(path: Path, standing: Standing) -> None:
    """Write the file, whole or not at all; a later state that another worker has written is left."""
    kept = load_standing(path)
    if kept and kept.deployment.generation > standing.deployment.generation > 0:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {**asdict(standing), "deployment": standing.deployment.as_json()}
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(values, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def load_standing(path: Path) -> Standing | None:
    """Return what the file says; None where there is none, or none that can be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Standing(**{**values, "deployment": Deployment.from_json(values["deployment"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
