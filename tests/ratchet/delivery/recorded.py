"""A rollout of a real, stored model, with traffic that a test makes up: what both models answered, and what came of it."""

from collections.abc import Callable
from datetime import UTC, datetime

from ratchet.delivery.evidence import TrafficEvidence
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.policy import Policy
from ratchet.settings import Settings
from ratchet.traffic.journal import Journal
from ratchet.traffic.records import Label, Prediction
from ratchet.traffic.store import TrafficStore

START = 1_750_000_000.0
DAY = 86_400.0
LATER = datetime.fromtimestamp(START + 10 * DAY, UTC)


class Trial:
    """A rollout of a real, stored model, with traffic that a test makes up."""

    def __init__(self, world, name: str, folder, policy: Policy) -> None:
        self.name = name
        self.settings = Settings(**{**world.settings.model_dump(), "traffic": str(folder / "traffic")})
        self.ledger = Ledger.open(self.settings)
        self.folder = folder
        self.champion, self.challenger = world.register(name, 0), world.register(name, 1)
        self.ledger.promote(name, self.champion, generation=0, who="test", why="first")
        self.ledger.begin(name, self.challenger, policy, generation=1, who="test", why="better")

    @property
    def rollout(self):
        return self.ledger.rollout(self.name)

    def look(self, as_of: datetime = LATER):
        return TrafficEvidence(self.ledger)(self.rollout, as_of)

    def record(self, records) -> None:
        journal = Journal(self.folder / "journal", writer="test")
        journal.append(list(records))
        sealed = journal.seal()
        journal.close()
        TrafficStore(self.folder / "traffic").roll(sealed)

    def traffic(self, labels, champion, challenger, **changes) -> None:
        """Record what both models answered to each row, and its label after a day and a minute; None leaves one out."""
        state = self.ledger.deployment(self.name)
        answers: dict[str, Callable] = {"champion": lambda i: champion[i], "challenger": lambda i: challenger[i], **changes}
        rows = []
        for i, label in enumerate(labels):
            to_challenger = bool(answers.get("assign", lambda i: False)(i))
            for role, version in (("champion", self.champion.version), ("challenger", self.challenger.version)):
                answer = answers[role](i)
                error = answers.get("error", lambda i, role: "")(i, role)
                rows.append(
                    Prediction(
                        request_id=f"r{i}",
                        time=START + i,
                        deployment=self.name,
                        version=version,
                        role=role,
                        phase=state.phase,
                        percent=state.percent,
                        generation=state.generation,
                        rollout=state.begun,
                        served=(role == "challenger") == to_challenger,
                        unit=answers.get("unit", lambda i: "")(i),
                        inputs={"price": 10.0 + i % 3},
                        prediction=() if error else (float(answer),),
                        latency_ms=float(answers.get("latency", lambda i, role: 5.0 + i % 7)(i, role)),
                        error=error,
                    )
                )
            if label is not None:
                rows.append(Label(f"r{i}", START + i + DAY, START + i + DAY + 60, self.name, str(label)))
        self.record(rows)


def canary(trial: Trial, percent: int = 50) -> None:
    """Take the challenger to its canary."""
    state = trial.ledger.deployment(trial.name)
    trial.ledger.step(trial.name, "canary", percent, generation=state.generation, who="test", why="next", evidence={})
