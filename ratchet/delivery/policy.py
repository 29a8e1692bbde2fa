"""The policy of a rollout: what is judged, by which steps, and until when. Fixed before it begins, kept in the chain with its beginning.

What could be turned after the first look (the loss, the margin, the error rates) is here and nowhere else, because a rule that may
change once evidence is in holds no error rate.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from ratchet.errors import ExpressionError, ParameterError, nearest
from ratchet.features.durations import parse_duration

STRATEGIES = ("canary", "ab", "blue_green", "direct")
DURATIONS = ("label_delay", "block", "grace", "deadline", "lease", "watch", "step")
DAY = 86_400.0


@dataclass(frozen=True)
class Metric:
    """A business metric: a value per unit, judged like the loss.

    Attributes:
        name: E.g. "revenue per user".
        expression: SQL scalar expression over a served prediction, its inputs and its label, e.g.
            ``CASE WHEN label = 1 THEN price ELSE 0 END``.
        low: Values per unit below count as this.
        high: Values per unit above count as this.
        higher_is_better: False for a cost.
        margin: How much worse it may be, in the metric's unit.
    """

    name: str
    expression: str
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True
    margin: float = 0.0


@dataclass(frozen=True)
class Policy:
    """How one challenger is tried.

    Attributes:
        strategy: "canary": shadow, then the steps; "ab": a fixed split, the verdict at the end; "blue_green": from shadow to all at once;
            "direct": no live trial, only a verification.
        shadow: Whether a canary or a split begins with a shadow phase.
        steps: Percent of traffic of each step; a split takes the first.
        alpha: Probability of promoting a challenger that is worse by the margin, and of aborting one that is not worse.
        margin: How much larger the challenger's loss a request may be, in [0, 1].
        relative_margin: Share of the champion's own loss by which the challenger's may be larger: at 0.84% fraud an absolute margin of
            0.01 would let a model pass that never flags.
        loss: Kind, costs and scale of `ratchet.evaluation.losses.Loss`; "auto" is settled when the rollout begins. "alarm" needs no labels,
            and what is said here of labels then holds for requests.
        label_delay: Seconds after which a label counts as due; pairs are judged in that order.
        minimum_requests: Requests that a phase or step must have seen.
        minimum_labels: Pairs with labels that there must be before anything but an abort follows.
        minimum_coverage: Share of due requests that must have a label, 0 to 1.
        maximum_pairs: With so many labelled pairs and no verdict, the rollout is held.
        block: Seconds: requests of one unit within one such window are one block, because they are not independent.
        block_cap: Pairs that a block may count for; without a key each pair is a block of its own.
        grace: Seconds for which what was recorded is not looked at yet: gateways roll it each minute, and what came to light late would
            change the order of what was judged before.
        latency_tolerance: Share by which more requests than the champion's own may exceed its P90 and P95.
        latency_slack_ms: Milliseconds by which it may be slower whatever that is as a share: twice 0.5 ms is nothing that a client notices.
        error_tolerance: Share of requests that may fail more often than the champion's.
        key: Column whose value keeps a client on one model, e.g. a customer; empty for the request's own key, or its id.
        timeout_ms: Milliseconds after which the challenger's answer is an error; ten times as long in a shadow that nobody waits for.
        step: Seconds that a step lasts at least.
        deadline: Seconds after which a rollout without a verdict is held.
        lease: Seconds for which a run that is at work keeps the rollout alive without renewing.
        watch: Seconds for which a promoted challenger is compared with the former champion on later labels; 0 for not.
        metrics: Business metrics.
    """

    strategy: str = "canary"
    shadow: bool = True
    steps: tuple[int, ...] = (1, 5, 25, 50)
    alpha: float = 0.05
    margin: float = 0.01
    relative_margin: float = 0.25
    loss: Mapping[str, Any] = field(default_factory=lambda: {"kind": "auto"})
    label_delay: float = 0.0
    minimum_requests: int = 200
    minimum_labels: int = 200
    minimum_coverage: float = 0.5
    maximum_pairs: int = 1_000_000
    block: float = 3600.0
    block_cap: int = 3
    grace: float = 90.0
    latency_tolerance: float = 0.25
    latency_slack_ms: float = 5.0
    error_tolerance: float = 0.005
    key: str = ""
    timeout_ms: float = 1000.0
    step: float = 0.0
    deadline: float = 14 * DAY
    lease: float = 1800.0
    watch: float = 0.0
    metrics: tuple[Metric, ...] = ()

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        "alpha": (1e-6, 0.5),
        "margin": (0.0, 1.0),
        "relative_margin": (0.0, 1000.0),
        "minimum_coverage": (0.0, 1.0),
        "latency_tolerance": (0.0, 10.0),
        "latency_slack_ms": (0.0, 600_000.0),
        "error_tolerance": (0.0, 0.5),
        "block_cap": (1, 10_000),
        "minimum_requests": (1, 1e9),
        "minimum_labels": (1, 1e9),
        "maximum_pairs": (1, 1e9),
        "timeout_ms": (1, 600_000),
        "block": (1.0, 366 * DAY),
        "deadline": (1.0, 366 * DAY),
        "lease": (1.0, 366 * DAY),
        "label_delay": (0.0, 366 * DAY),
        "grace": (0.0, DAY),
        "watch": (0.0, 366 * DAY),
        "step": (0.0, 366 * DAY),
    }

    def __post_init__(self) -> None:
        """Refuse what cannot be a policy.

        Raises:
            ParameterError: naming the field, its value and what it may be.
        """
        if self.strategy not in STRATEGIES:
            raise ParameterError(f"rollout strategy {self.strategy!r} is unknown; {nearest(self.strategy, STRATEGIES)}")
        rising = all(before < after for before, after in zip(self.steps, self.steps[1:], strict=False))
        if not self.steps or not rising or not all(1 <= step <= 99 for step in self.steps):
            raise ParameterError(f"rollout steps {list(self.steps)}: give rising percentages from 1 to 99, e.g. [1, 5, 25, 50]")
        for name, (low, high) in self.RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ParameterError(f"rollout {name} {getattr(self, name)!r}: give a number from {low:g} to {high:g}")
        if self.strategy != "direct" and self.margin == 0:
            raise ParameterError("rollout margin 0: no evidence can show that a model is not worse by nothing; give e.g. 0.01")

    @property
    def needs_labels(self) -> bool:
        """Whether a request counts only once its label is known; an alarm counts at once."""
        return self.loss.get("kind") != "alarm"

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> "Policy":
        """Return a policy from a pipeline's parameter; durations are texts such as "7d", or seconds.

        Raises:
            ParameterError: a name is unknown, or a value cannot be one.

        >>> Policy.parse({"steps": [5.0, 50.0], "label_delay": "7d"}).label_delay
        604800.0
        """
        known = {item.name: item for item in fields(cls)}
        read: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise ParameterError(f"rollout policy: unknown field {name!r}; {nearest(name, known)}")
            try:
                read[name] = _read(name, value, getattr(cls, name, None))
            except (TypeError, ValueError, ExpressionError) as error:
                raise ParameterError(f"rollout policy: {name} cannot be {value!r}: {error}") from error
        return cls(**read)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values; `parse` reads them."""
        return {**asdict(self), "steps": list(self.steps), "loss": dict(self.loss), "metrics": [asdict(metric) for metric in self.metrics]}


def _read(name: str, value: Any, default: Any) -> Any:
    if name in DURATIONS:
        return parse_duration(value, f"rollout {name}").total_seconds() if isinstance(value, str) and value else float(value or 0)
    if name == "steps":
        return tuple(int(step) for step in value)
    if name == "metrics":
        return tuple(item if isinstance(item, Metric) else Metric(**item) for item in value)
    if name == "loss":
        return {"kind": value} if isinstance(value, str) else dict(value)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise TypeError("give true or false")
        return value
    if isinstance(default, int):
        if int(value) != float(value):
            raise ValueError("give a whole number")
        return int(value)
    return float(value) if isinstance(default, float) else str(value)
