"""Scores a micro-batch with the champion, and gives the same batch to the companion.

A batch is made of requests that strangers sent, so no request may spoil another: where the champion fails on a batch, each request in it is
scored by itself. Requests are put together only when they took the same lineup and their rows have the same columns.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ratchet.errors import DataError, RatchetError, UnanswerableError
from ratchet.models.package import ModelPackage
from ratchet.serving.cache import PredictionCache
from ratchet.serving.details import NOTHING, Details, finite, part
from ratchet.serving.lineup import Lineup
from ratchet.serving.mirror import Ticket
from ratchet.serving.rows import Row, count_of, frame_of
from ratchet.serving.served import Scored, Served, score
from ratchet.traffic.answers import Columns


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One request on its way through the engine.

    Attributes:
        columns: Its rows as `RowChecker` returned them; all rows of a batch become one table.
        lineup: Who answers it.
        champion: The model that its rows were checked for; as a rule the lineup's.
        canary: Whether the companion is to answer it.
        extra: The columns that only the companion reads and that one of its rows has, with their kinds.
        wants: The details that its client wants beside the predictions.
    """

    columns: Columns
    lineup: Lineup
    champion: Served
    canary: bool
    extra: Mapping[str, str] = field(default_factory=dict)
    wants: frozenset[str] = NOTHING

    @property
    def n(self) -> int:
        """Number of rows."""
        return count_of(self.columns)


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


class Pace:
    """How quick the champion is, to decide where it is asked: a slow model must not hold up the event loop, and to hand a quick one to a
    thread and wait for it takes as long as the model does.

    >>> pace, served = Pace(), object()
    >>> for _ in range(20):
    ...     pace.took(served, 16, 0.5)
    >>> pace.quick(served, 16), pace.quick(served, 4096), pace.quick(object(), 16)
    (True, False, False)
    >>> pace.took(served, 16, 40.0)
    >>> pace.quick(served, 16)
    False
    """

    LONGEST = 3.0  # milliseconds
    ROWS = 512

    def __init__(self) -> None:
        """Know nothing yet, which counts as slow."""
        self._whose: object = None
        self._milliseconds = 0.0

    def quick(self, served: object, rows: int) -> bool:
        """Return whether a batch of so many rows is to be scored at once, on the event loop."""
        return rows <= self.ROWS and served is self._whose and self._milliseconds <= self.LONGEST

    def took(self, served: object, rows: int, milliseconds: float) -> None:
        """Take note of a batch: the slowest of late is what is expected, so one slow batch is followed by some in the thread."""
        if served is not self._whose:
            self._whose, self._milliseconds = served, 2 * self.LONGEST
        if rows <= self.ROWS:
            self._milliseconds = max(milliseconds, 0.9 * self._milliseconds)


class Scorer:
    """What a batcher calls."""

    def __init__(self, executor: Executor, cache: PredictionCache | None = None) -> None:
        """Score on the event loop while the champion is quick, else in the threads of an executor.

        Args:
            executor: Its threads.
            cache: Predictions to use again while there is no companion, whose time could not be compared with a cache's; None for none.
        """
        self.executor = executor
        self.pace = Pace()
        self.cache = PredictionCache(0) if cache is None else cache

    async def __call__(self, jobs: Sequence[Job]) -> list[Result]:
        """Score jobs; a result for each, in order. Never raises: what went wrong is in the results."""
        groups: dict[object, list[int]] = {}
        for place, job in enumerate(jobs):
            groups.setdefault((id(job.lineup), id(job.champion), tuple(job.extra)), []).append(place)
        results: dict[int, Result] = {}
        for places in groups.values():
            made = await self._score_group([jobs[place] for place in places])
            results.update(zip(places, made, strict=True))
        return [results[place] for place in range(len(jobs))]

    async def _score_group(self, jobs: list[Job]) -> list[Result]:
        frame, spans = _table(jobs), [job.n for job in jobs]
        wants = frozenset[str]().union(*(job.wants for job in jobs))
        companion = jobs[0].lineup.companion
        urgent = any(job.canary for job in jobs)
        # A client waits for a canary's answer, so it is on its way while a thread asks the champion; a shadow's must not take the
        # processor from the champion's.
        ticket = companion.offer(frame, spans, urgent=True, wants=wants) if companion and urgent else None
        answers = await self._score_champion(jobs, frame, spans, wants, aside=urgent)
        if companion and not urgent:
            ticket = companion.offer(frame, spans, urgent=False, wants=wants)
        return [Result(answer, ticket, place) for place, answer in enumerate(answers)]

    async def _score_champion(
        self, jobs: list[Job], frame: pl.DataFrame, spans: list[int], wants: frozenset[str], aside: bool
    ) -> list[Scored | RatchetError]:
        served = jobs[0].champion
        whole = await self._try(served, frame, wants, aside, cached=jobs[0].lineup.companion is None)
        starts = np.cumsum([0, *spans]).tolist()
        if isinstance(whole, Scored):
            parts = [_part(whole, start, start + span) for start, span in zip(starts, spans, strict=False)]
            return list(parts) if isinstance(_finite(whole, served), Scored) else [_finite(part, served) for part in parts]
        if len(jobs) == 1:
            return [whole]
        pieces = [(frame.slice(start, job.n), job.wants) for start, job in zip(starts, jobs, strict=False)]
        alone = [await self._try(served, rows, wanted, aside) for rows, wanted in pieces]
        return [_finite(answer, served) if isinstance(answer, Scored) else answer for answer in alone]

    def _remembered(self, package: ModelPackage, frame: pl.DataFrame, wants: frozenset[str]) -> Scored:
        begun = time.perf_counter()
        read = frame.select(list(package.spec.inputs))

        def compute(rows: list[Row]) -> tuple[np.ndarray, Details]:
            scored = score(package, pl.from_dicts(rows, schema=read.schema), wants)
            return scored.predictions, scored.details

        predictions, details = self.cache.answer(package.digest, read.to_dicts(), compute, wants)
        return Scored(predictions, (time.perf_counter() - begun) * 1000, details)

    async def _try(
        self, served: Served, frame: pl.DataFrame, wants: frozenset[str], aside: bool, cached: bool = False
    ) -> Scored | RatchetError:
        how = self._remembered if cached and self.cache.entries else score
        try:
            if not aside and self.pace.quick(served, frame.height):
                scored = how(served.package, frame, wants)
            else:
                scored = await asyncio.get_running_loop().run_in_executor(self.executor, how, served.package, frame, wants)
            self.pace.took(served, frame.height, scored.milliseconds)
            return scored
        except DataError as error:
            return error  # the rows are at fault, and the message says how
        except Exception as error:  # a native model may raise anything; it is the answer to these rows only
            return UnanswerableError(f"{served.ref} failed on {frame.height} rows: {type(error).__name__}: {error}; see its package")


def _table(jobs: Sequence[Job]) -> pl.DataFrame:
    """Return the rows of all jobs as one table: to make one costs as much for a row as for a hundred."""
    return frame_of([job.columns for job in jobs], {**jobs[0].champion.package.spec.inputs, **jobs[0].extra})


def _part(whole: Scored, start: int, end: int) -> Scored:
    return Scored(whole.predictions[start:end], whole.milliseconds, part(whole.details, start, end))


def _finite(scored: Scored, served: Served) -> Scored | RatchetError:
    if np.isfinite(scored.predictions).all() and finite(scored.details):
        return scored
    return UnanswerableError(f"{served.ref} answered a number that is not finite; roll back, or look for inputs that it was not trained on")
