"""Scores a micro-batch with the champion, and gives the same batch to the companion.

A batch is made of requests that strangers sent, so no request may spoil another: where the champion fails on a batch, each request in it is
scored by itself. Requests are put together only when they took the same lineup and their rows have the same columns.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import polars as pl

from ratchet.errors import DataError, RatchetError, UnanswerableError
from ratchet.serving.lineup import Lineup
from ratchet.serving.mirror import Ticket
from ratchet.serving.served import Scored, Served, score


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One request on its way through the engine.

    Attributes:
        frame: Its rows.
        lineup: Who answers it.
        champion: The model that its rows were validated for; as a rule the lineup's.
        canary: Whether the companion is to answer it.
    """

    frame: pl.DataFrame
    lineup: Lineup
    champion: Served
    canary: bool


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What became of a job.

    Attributes:
        champion: The champion's answer, or why there is none.
        ticket: Brings the companion's replies for the whole batch; None without a companion.
        place: Which of the replies is this job's.
    """

    champion: Scored | RatchetError
    ticket: Ticket | None
    place: int


class Scorer:
    """What a batcher calls."""

    def __init__(self, executor: Executor) -> None:
        """Score in the threads of an executor: a model must not hold up the event loop."""
        self.executor = executor

    async def __call__(self, jobs: Sequence[Job]) -> list[Result]:
        """Score jobs; a result for each, in order. Never raises: what went wrong is in the results."""
        groups: dict[object, list[int]] = {}
        for place, job in enumerate(jobs):
            schema = tuple(job.frame.schema.items())
            groups.setdefault((id(job.lineup), id(job.champion), schema), []).append(place)
        results: dict[int, Result] = {}
        for places in groups.values():
            made = await self._score_group([jobs[place] for place in places])
            results.update(zip(places, made, strict=True))
        return [results[place] for place in range(len(jobs))]

    async def _score_group(self, jobs: list[Job]) -> list[Result]:
        frames = [job.frame for job in jobs]
        frame = frames[0] if len(frames) == 1 else pl.concat(frames)
        spans = [one.height for one in frames]
        companion = jobs[0].lineup.companion
        urgent = any(job.canary for job in jobs)
        # A client waits for a canary's answer; a shadow's must not take the processor from the champion's.
        ticket = companion.offer(frame, spans, urgent=True) if companion and urgent else None
        answers = await self._score_champion(jobs, frame, spans)
        if companion and not urgent:
            ticket = companion.offer(frame, spans, urgent=False)
        return [Result(answer, ticket, place) for place, answer in enumerate(answers)]

    async def _score_champion(self, jobs: list[Job], frame: pl.DataFrame, spans: list[int]) -> list[Scored | RatchetError]:
        served = jobs[0].champion
        whole = await self._try(served, frame)
        if isinstance(whole, Scored):
            ends = np.cumsum(spans)
            parts = [whole.predictions[end - span : end] for span, end in zip(spans, ends, strict=True)]
            return [_finite(Scored(part, whole.milliseconds), served) for part in parts]
        if len(jobs) == 1:
            return [whole]
        alone = [await self._try(served, job.frame) for job in jobs]
        return [_finite(answer, served) if isinstance(answer, Scored) else answer for answer in alone]

    async def _try(self, served: Served, frame: pl.DataFrame) -> Scored | RatchetError:
        try:
            return await asyncio.get_running_loop().run_in_executor(self.executor, score, served.package, frame)
        except DataError as error:
            return error  # the rows are at fault, and the message says how
        except Exception as error:
            return UnanswerableError(f"{served.ref} failed on {frame.height} rows: {type(error).__name__}: {error}; see its package")


def _finite(scored: Scored, served: Served) -> Scored | RatchetError:
    if np.isfinite(scored.predictions).all():
        return scored
    return UnanswerableError(f"{served.ref} answered a number that is not finite; roll back, or look for inputs that it was not trained on")
