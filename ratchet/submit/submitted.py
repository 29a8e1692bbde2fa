"""What a submission to a cluster came to, in the same words wherever it went, and the ledger that it is read from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratchet.errors import ParameterError
from ratchet.settings import load_settings

if TYPE_CHECKING:
    from ratchet.delivery.ledger import Ledger


@dataclass(frozen=True)
class Submitted:
    """A run on a cluster, as far as it was followed.

    Attributes:
        run_id: Its id there.
        url: Where a person sees it.
        outcome: "promoted", "rejected", "held", "pending", "invalid", "rolled back" or "error"; empty when it was not waited for.
        reason: Why, for a person.
        exit_status: For a CI job: 0, 3 (invalid data), 4 (rolled back) or 1 (error); 0 when it was not waited for.
        existed: The same submission was there already, so nothing was started.
    """

    run_id: str
    url: str
    outcome: str
    reason: str
    exit_status: int
    existed: bool = False


def outcome_ledger(settings: str, section: str) -> "Ledger":
    """Return the ledger that a cluster's steps write to, opened before anything is started.

    Args:
        settings: Settings file of this machine; empty for the environment.
        section: Of the configuration, for the message.

    Raises:
        ParameterError: none is configured here; an embedded one would never hold what a cluster decides.
    """
    from ratchet.delivery.ledger import Ledger

    found = load_settings(settings)
    if not found.ledger_url:
        raise ParameterError(
            "waiting reads the run's outcome from the ledger that the steps write to, and RATCHET_LEDGER_URL is not set here; "
            f"set RATCHET_LEDGER_URL, or {section}.settings to a settings file of this machine, or submit with --no-wait"
        )
    return Ledger.open(found)
