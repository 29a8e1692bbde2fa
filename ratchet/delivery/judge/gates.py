"""What a test found, what a gate says, and what follows from all gates: the words in which the judge answers.

A gate says `pass`, `abort`, `hold` or `wait`. Nothing is decided on missing data: a gate that has seen nothing waits, and whoever waits
until the last look holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
POINTS = 400
LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class Test:
    """One null hypothesis and the evidence against it.

    Attributes:
        name: E.g. "worse by the margin".
        hypothesis: The null, in words.
        alpha: It is rejected when the wealth reaches 1/alpha.
        wealth: At most 400 points of the path, log10; the last one is the present.
        counts: How many pairs or requests each point had seen.
        rejected_at: How many there were when the wealth first reached 1/alpha; None if it has not.
        n: How many there are.
        facts: Estimates by name, finite.
    """

    __test__ = False  # pytest takes a class of this name for a test

    name: str
    hypothesis: str
    alpha: float
    wealth: tuple[float, ...]
    counts: tuple[int, ...]
    rejected_at: int | None
    n: int
    facts: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, hypothesis: str, alpha: float, path: Array, counts: NDArray[np.int64], facts: Mapping[str, float]) -> "Test":
        """Return a test from a whole path.

        Args:
            name: Of the test.
            hypothesis: The null, in words.
            alpha: In (0, 1).
            path: shape (n,), natural logarithm of the wealth after each step.
            counts: shape (n,), pairs or requests seen by then, rising.
            facts: Estimates; those that are not finite are left out.
        """
        crossed = path >= -np.log(alpha)
        first = int(counts[np.argmax(crossed)]) if crossed.any() else None
        kept = thinned(len(path))
        return cls(
            name,
            hypothesis,
            alpha,
            tuple(round(float(value) / LN10, 4) for value in path[kept]),
            tuple(int(count) for count in counts[kept]),
            first,
            int(counts[-1]) if len(counts) else 0,
            {key: float(value) for key, value in facts.items() if np.isfinite(value)},
        )

    @property
    def rejected(self) -> bool:
        """Whether the null was rejected at any time; it stays so."""
        return self.rejected_at is not None

    @property
    def needed(self) -> float:
        """The wealth that rejects, log10."""
        return float(-np.log10(self.alpha))

    def evidence(self) -> dict[str, Any]:
        """Return it as JSON values, all finite."""
        return {
            "name": self.name,
            "hypothesis": self.hypothesis,
            "alpha": self.alpha,
            "n": self.n,
            "rejected_at": self.rejected_at,
            "log10_wealth": list(self.wealth),
            "counts": list(self.counts),
            "facts": dict(self.facts),
        }


def thinned(n: int) -> NDArray[np.int64]:
    """Return at most 400 places of a path of n: every 1st, 2nd, 4th, 8th … and the last, so that the places of a longer path agree.

    >>> len(thinned(400)), len(thinned(100_000)), thinned(3).tolist()
    (400, 391, [0, 1, 2])
    """
    stride = 1
    while -(-n // stride) > POINTS - (stride > 1):
        stride *= 2
    places = np.arange(stride - 1, n, stride, dtype=np.int64)
    return places if not n or (len(places) and places[-1] == n - 1) else np.append(places, n - 1)


@dataclass(frozen=True)
class Gate:
    """What one kind of evidence says.

    Attributes:
        name: "loss", "latency", "errors", "ratio", "watch" or a metric's.
        verdict: "pass", "abort", "hold" or "wait".
        reason: One sentence with figures, for a person.
        tests: What it rests on.
    """

    name: str
    verdict: str
    reason: str
    tests: tuple[Test, ...] = ()

    def evidence(self) -> dict[str, Any]:
        """Return it as JSON values, all finite."""
        return {"name": self.name, "verdict": self.verdict, "reason": self.reason, "tests": [test.evidence() for test in self.tests]}


@dataclass(frozen=True)
class Judgement:
    """What follows from all gates.

    Attributes:
        verdict: "promote", "abort", "hold" or "pending".
        reason: The reasons of the gates that decided.
        gates: All of them.
    """

    verdict: str
    reason: str
    gates: tuple[Gate, ...]

    def evidence(self) -> dict[str, Any]:
        """Return it as JSON values, all finite."""
        return {"verdict": self.verdict, "reason": self.reason, "gates": [gate.evidence() for gate in self.gates]}


def combine(gates: Sequence[Gate], *, last_look: bool) -> Judgement:
    """Return what follows from all gates: any abort aborts, any hold holds, all must pass to promote.

    Args:
        gates: One of each kind of evidence; none at all never promotes.
        last_look: There will be no further evidence: what is still open is held.

    >>> combine([Gate("loss", "pass", "good"), Gate("latency", "wait", "few")], last_look=False).verdict
    'pending'
    >>> combine([Gate("loss", "pass", "good"), Gate("latency", "abort", "slow")], last_look=False)
    Judgement(verdict='abort', reason='latency: slow', gates=(Gate(name='loss', ...
    """
    for verdict in ("abort", "hold"):
        found = [gate for gate in gates if gate.verdict == verdict]
        if found:
            return Judgement(verdict, _reasons(found), tuple(gates))
    still_open = [gate for gate in gates if gate.verdict != "pass"]
    if gates and not still_open:
        return Judgement("promote", f"every gate passes. {_reasons(gates)}", tuple(gates))
    reason = _reasons(still_open) or "there is no evidence of any kind"
    return Judgement("hold" if last_look else "pending", f"{'the last look; ' if last_look else ''}{reason}", tuple(gates))


def _reasons(gates: Sequence[Gate]) -> str:
    return "; ".join(f"{gate.name}: {gate.reason}" for gate in gates)
