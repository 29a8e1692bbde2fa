"""A circuit breaker: asks something that is away less and less often, and says since when it is away.

    closed ──(failures in a row)──► open ──(pause over)──► half-open ──success──► closed
                                     ▲                         │
                                     └──── failure: pause × 2 ─┘

Source:
    Nygard, Release It!, 2nd ed. (2018), "Circuit Breaker".
"""

from collections.abc import Callable


class Breaker:
    """The state of what is behind it. Not thread-safe: one thread asks and tells.

    >>> now = [0.0]
    >>> breaker = Breaker(lambda: now[0], failures=1, pause=1.0, longest=5.0)
    >>> breaker.failed("away"); breaker.state, breaker.allows()
    ('open', False)
    >>> now[0] = 1.0; breaker.allows(), breaker.state
    (True, 'half-open')
    >>> breaker.succeeded(); breaker.state
    'closed'
    """

    def __init__(self, clock: Callable[[], float], *, failures: int = 3, pause: float = 0.5, longest: float = 5.0) -> None:
        """Begin closed.

        Args:
            clock: Returns seconds.
            failures: In a row, until it opens.
            pause: Seconds of the first pause; each further one is twice as long.
            longest: Seconds that no pause exceeds.
        """
        self.clock = clock
        self.failures = failures
        self.pause = pause
        self.longest = longest
        self.state = "closed"
        self.in_row = 0
        self.error = ""
        self.since: float | None = None  # of the first failure in the row
        self._pause = pause
        self._until = 0.0

    def allows(self) -> bool:
        """Return whether to try now; an open breaker lets one try through after its pause."""
        if self.state == "open" and self.clock() >= self._until:
            self.state = "half-open"
        return self.state != "open"

    def succeeded(self) -> None:
        """Note that a try went well."""
        self.state, self.in_row, self.error, self.since, self._pause = "closed", 0, "", None, self.pause

    def failed(self, error: str) -> None:
        """Note that a try failed, and how."""
        self.in_row += 1
        self.error = error
        self.since = self.clock() if self.since is None else self.since
        if self.state == "half-open":
            self._pause = min(self._pause * 2, self.longest)
        if self.state == "half-open" or self.in_row >= self.failures:
            self.state = "open"
            self._until = self.clock() + self._pause

    def health(self) -> dict[str, object]:
        """Return the state, the last error, and since when there is one (None for none)."""
        return {"state": self.state, "error": self.error, "since": self.since}
