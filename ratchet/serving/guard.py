"""Watches the companion's errors, request by request, and says when there are too many: an e-process, so that every look is allowed.

The null hypothesis is that each request fails with a probability of at most 1%, whatever happened before. A bet on an error rate q
multiplies the capital by q / 1% at an error and by (1 − q) / 99% at a success; the e-value is the mean capital of several such bets. Under
the null it ever exceeds 1/α with a probability of at most α (Ville's inequality). With α = .001 a challenger that only errs is rejected at
its third error, one that errs in 3% of its requests after some hundreds. One crash whose restart costs more than a few requests is enough,
and is meant to be: those requests would have been clients'.

Source:
    Ramdas, Grünwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38 (2023).
"""

import math

TOLERATED = 0.01
ALPHA = 0.001
BETS = (0.02, 0.05, 0.1, 0.2, 0.5)
LARGEST = 690.0  # exp of it is a double, and evidence must be JSON


class Guard:
    """The e-process over one rollout in one process.

    >>> guard = Guard()
    >>> [guard.observe(failed=True) for _ in range(3)]
    [False, False, True]
    """

    def __init__(self, tolerated: float = TOLERATED, alpha: float = ALPHA) -> None:
        """Begin.

        Args:
            tolerated: Error rate of the null hypothesis.
            alpha: Probability of rejecting it although it holds.
        """
        self.alpha = alpha
        self.requests = 0
        self.errors = 0
        self.rejected = False
        self._steps = [(math.log((1 - bet) / (1 - tolerated)), math.log(bet / tolerated)) for bet in BETS]
        self._capital = [0.0] * len(BETS)  # logarithms

    @property
    def e_value(self) -> float:
        """The evidence against the null so far; at least 1/α rejects."""
        top = max(self._capital)
        return math.exp(min(LARGEST, top + math.log(sum(math.exp(one - top) for one in self._capital) / len(BETS))))

    def observe(self, *, failed: bool) -> bool:
        """Note one request; return whether the null is rejected, now or before."""
        self.requests += 1
        self.errors += failed
        self._capital = [capital + step[failed] for capital, step in zip(self._capital, self._steps, strict=True)]
        self.rejected = self.rejected or self.e_value >= 1 / self.alpha
        return self.rejected

    def evidence(self) -> dict[str, float]:
        """Return what the verdict rests on."""
        return {"requests": self.requests, "errors": self.errors, "e_value": self.e_value}
