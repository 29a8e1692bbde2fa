"""What an operator may turn of the engine of one deployment."""

from dataclasses import dataclass, field

from ratchet.serving.companion import CompanionOptions


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What an operator may turn.

    Attributes:
        poll_seconds: Between two looks at the ledger.
        start_seconds: How long `Engine.start` waits for the ledger and the champion before it goes on without.
        max_rows: Most rows of a micro-batch.
        max_wait: Seconds that a request waits for others to share its batch.
        max_queue: Most rows that wait; more are refused.
        cache_entries: Rows whose predictions are kept in case they come again, while there is no companion; 0 for none.
        companion: Of the child process.
    """

    poll_seconds: float = 0.25
    start_seconds: float = 30.0
    max_rows: int = 512
    max_wait: float = 0.002
    max_queue: int = 2048
    cache_entries: int = 0
    companion: CompanionOptions = field(default_factory=CompanionOptions)
