"""What a submission to a cluster came to, in the same words wherever it went."""

from dataclasses import dataclass


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
