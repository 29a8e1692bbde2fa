"""What is written down of each request: a record for the champion, and one for the companion that scored the same rows.

Rows that the companion was never asked about (the mirror queue was full, the child was still loading) get a record with the role
"skipped", which no pair is made of: they say nothing about the companion, and leaving them out in silence would hide how much was not
compared.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ratchet.serving.lineup import Lineup
from ratchet.serving.mirror import Reply
from ratchet.serving.rows import Rows
from ratchet.serving.served import Scored, Served
from ratchet.traffic.answers import Answers, row_of
from ratchet.traffic.privacy import Privacy
from ratchet.traffic.records import FELL_BACK

SKIPPED = "skipped"


def sticky_key(rows: Rows, place: int, column: str) -> str:
    """Return the sticky key of a row: the value of the policy's key column where there is one, else the request's key.

    >>> rows = Rows("r", 0.0, "user 7", {"card": [12, None]})
    >>> sticky_key(rows, 0, "card"), sticky_key(rows, 1, "card")
    ('12', 'user 7')
    """
    value = rows.value(place, column)
    return rows.key if value is None else str(value)


class Recorder(Protocol):
    """What the engine writes records to; it must not block and must not raise."""

    def record(self, predictions: Sequence[Answers]) -> None:
        """Take records."""
        ...


class Recording:
    """Makes the records of one deployment."""

    def __init__(self, privacy: Privacy) -> None:
        """Hash or drop a personal key by this privacy, as the recorder does with inputs."""
        self.privacy = privacy

    def of_champion(self, rows: Rows, lineup: Lineup, champion: Served, scored: Scored, *, served: bool = True) -> list[Answers]:
        """Return the champion's record."""
        return [self._record(rows, lineup, champion.ref.version, "champion", scored.predictions, scored.milliseconds, "", served)]

    def of_both(
        self, rows: Rows, lineup: Lineup, champion: Served, scored: Scored, reply: Reply, *, canary: bool, pinned: bool = False
    ) -> list[Answers]:
        """Return the companion's record; where it was to answer the client, the champion's as well, which did if it failed.

        Args:
            rows: The request.
            lineup: Who answered it.
            champion: The model that its rows were validated for.
            scored: What that made of it.
            reply: What the companion made of it.
            canary: Whether the companion was to answer the client.
            pinned: Whether nobody else was to.
        """
        assert lineup.companion is not None
        answered = canary and reply.predictions is not None
        role = SKIPPED if reply.skipped else lineup.role
        version = lineup.companion.ref.version
        error = reply.error + FELL_BACK if canary and not answered and not pinned else reply.error
        made = self._record(rows, lineup, version, role, reply.predictions, reply.milliseconds, error, answered)
        return [made] + (self.of_champion(rows, lineup, champion, scored, served=not answered and not pinned) if canary else [])

    def _record(
        self,
        rows: Rows,
        lineup: Lineup,
        version: str,
        role: str,
        predictions: np.ndarray | None,
        milliseconds: float,
        error: str,
        served: bool,
    ) -> Answers:
        deployment, column = lineup.standing.deployment, lineup.standing.key
        for place in range(rows.n) if error else ():
            error = self.privacy.scrub(error, row_of(rows.inputs, place))
        return Answers(
            count=rows.n,
            request_id=rows.request_id,
            time=rows.time,
            deployment=deployment.name,
            version=version,
            role=role,
            phase=deployment.phase,
            percent=lineup.percent,
            generation=deployment.generation,
            rollout=deployment.begun,
            served=served,
            unit=[self._unit(rows, place, column) for place in range(rows.n)] if column in rows.inputs else self._unit(rows, 0, column),
            inputs=rows.inputs if served else None,
            prediction=None if predictions is None else predictions.tolist(),
            latency_ms=milliseconds,
            error=error,
        )

    def _unit(self, rows: Rows, place: int, column: str) -> str:
        return self.privacy.unit(column, sticky_key(rows, place, column) or None)
