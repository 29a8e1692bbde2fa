"""What is written down of each request: a record a row for the champion, and one for the companion that scored the same row.

A row that the companion was never asked about (the mirror queue was full, the child was still loading) gets a record with the role
"skipped", which no pair is made of: it says nothing about the companion, and leaving it out in silence would hide how much was not
compared.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ratchet.serving.lineup import Lineup
from ratchet.serving.mirror import Reply
from ratchet.serving.rows import Rows
from ratchet.serving.served import Scored, Served
from ratchet.traffic.privacy import Privacy
from ratchet.traffic.records import FELL_BACK, Prediction

SKIPPED = "skipped"


def sticky_key(rows: Rows, place: int, column: str) -> str:
    """Return the sticky key of a row: the value of the policy's key column where there is one, else the request's key.

    >>> rows = Rows("r", 0.0, "user 7", [{"card": 12}, {}])
    >>> sticky_key(rows, 0, "card"), sticky_key(rows, 1, "card")
    ('12', 'user 7')
    """
    value = rows.inputs[place].get(column) if column and rows.inputs else None
    return rows.key if value is None else str(value)


class Recorder(Protocol):
    """What the engine writes records to; it must not block and must not raise."""

    def record(self, predictions: Sequence[Prediction]) -> None:
        """Take records."""
        ...


class Recording:
    """Makes the records of one deployment."""

    def __init__(self, privacy: Privacy) -> None:
        """Hash or drop a personal key by this privacy, as the recorder does with inputs."""
        self.privacy = privacy

    def of_champion(self, rows: Rows, lineup: Lineup, champion: Served, scored: Scored, *, served: bool = True) -> list[Prediction]:
        """Return the champion's records, one a row."""
        return self._records(rows, lineup, champion.ref.version, "champion", scored.predictions, scored.milliseconds, "", served)

    def of_both(
        self, rows: Rows, lineup: Lineup, champion: Served, scored: Scored, reply: Reply, *, canary: bool, pinned: bool = False
    ) -> list[Prediction]:
        """Return the companion's records, one a row; where it was to answer the client, then the champion's, which did if it failed.

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
        made = self._records(rows, lineup, version, role, reply.predictions, reply.milliseconds, error, answered)
        return made + (self.of_champion(rows, lineup, champion, scored, served=not answered and not pinned) if canary else [])

    def _records(
        self,
        rows: Rows,
        lineup: Lineup,
        version: str,
        role: str,
        predictions: np.ndarray | None,
        milliseconds: float,
        error: str,
        served: bool,
    ) -> list[Prediction]:
        deployment, column = lineup.standing.deployment, lineup.standing.key
        made = _numbers(predictions, rows.n)
        for inputs in rows.inputs if error else ():
            error = self.privacy.scrub(error, inputs)
        return [
            Prediction(
                request_id=rows.request_id if rows.n == 1 else f"{rows.request_id}#{place}",
                time=rows.time,
                deployment=deployment.name,
                version=version,
                role=role,
                phase=deployment.phase,
                percent=lineup.percent,
                generation=deployment.generation,
                rollout=deployment.begun,
                served=served,
                unit=self._unit(rows, place, column),
                inputs=rows.inputs[place] if served else None,
                prediction=made[place],
                latency_ms=milliseconds,
                error=error,
            )
            for place in range(rows.n)
        ]

    def _unit(self, rows: Rows, place: int, column: str) -> str:
        return self.privacy.unit(column, sticky_key(rows, place, column) or None)


def _numbers(predictions: np.ndarray | None, n: int) -> list[tuple[float, ...]]:
    if predictions is None:
        return [()] * n
    return [tuple(row) for row in predictions.reshape(n, -1).tolist()]
