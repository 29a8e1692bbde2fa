"""The engine of one deployment in a worker process: answers rows with the champion, and beside it runs the companion.

The champion answers in this process. The companion (a challenger in shadow and canary, the former champion in a watch) runs in a child
process and scores every row too; whether a client gets its answer is decided by the request's sticky key. Nothing that the companion does
reaches a client: where it fails, the champion's answer is given, which was computed anyway.

What stands in the ledger is followed by a thread; what follows from it is done here, in a tick four times a second, in whatever order it
becomes possible: a champion is put in as soon as it is loaded, a challenger is out at once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from ratchet.errors import NotReadyError, UnanswerableError
from ratchet.serving.batching import Batcher
from ratchet.serving.cache import PredictionCache
from ratchet.serving.engine_options import EngineOptions
from ratchet.serving.follower import Follower
from ratchet.serving.lineup import Lineup
from ratchet.serving.mirror import Reply
from ratchet.serving.recording import Recorder, Recording, sticky_key
from ratchet.serving.roster import Roster
from ratchet.serving.rows import Rows
from ratchet.serving.scoring import Job, Result, Scorer
from ratchet.serving.served import Answer, Scored, Served
from ratchet.serving.standing import Standing, load_standing
from ratchet.serving.withdrawal import Withdrawal
from ratchet.settings import Settings
from ratchet.traffic.privacy import Privacy

__all__ = ["Answer", "Engine", "EngineOptions", "Meter", "Recorder", "Rows", "Served"]

log = logging.getLogger(__name__)

LEDGER_SECONDS = 5.0  # at the start, until the last known state has to do


class Meter(Protocol):
    """What the engine tells of each request that a model scored: `ratchet.serving.metrics.GatewayMetrics`."""

    def scored(self, deployment: str, served: Served, role: str, predictions: np.ndarray, milliseconds: float) -> None:
        """Count predictions and the time that they took."""
        ...


class Engine:
    """Answers the requests of one deployment. All methods belong to the event loop that called `start`."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        recorder: Recorder,
        *,
        clock: Callable[[], float] = time.time,
        options: EngineOptions | None = None,
        meter: Meter | None = None,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            name: Name of the deployment.
            settings: The installation.
            recorder: Takes the records.
            clock: Returns unix seconds.
            options: What an operator may turn.
            meter: Counts what was scored; None for nobody.
        """
        self.name = name
        self.options = options or EngineOptions()
        self.recorder = recorder
        self.meter = meter
        folder = settings.journal_folder() / "serving"
        self.saved = folder / f"{name}.json"
        self.recording = Recording(Privacy(settings.personal_columns, settings.salt()))
        self.roster = Roster(settings, folder / "packages", self.saved, self.options.companion, clock=clock)
        self.follower = Follower(name, settings, self._heard, seconds=self.options.poll_seconds, clock=clock)
        self.withdrawal = Withdrawal(name, self.follower, clock=clock)
        self.cache = PredictionCache(self.options.cache_entries)
        self.batcher: Batcher | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"score {name}")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._moved: asyncio.Event | None = None

    async def start(self) -> None:
        """Read the ledger, or where it is away what was last known of it; load the champion; follow from then on.

        Returns in any case after ``start_seconds``; what failed is in `health`, and is tried again.
        """
        self._loop, self._moved = asyncio.get_running_loop(), asyncio.Event()
        self.batcher = Batcher(
            Scorer(self._executor, self.cache),
            max_rows=self.options.max_rows,
            max_wait=self.options.max_wait,
            max_queue=self.options.max_queue,
        )
        saved = load_standing(self.saved)
        until, patient = (self._loop.time() + seconds for seconds in (self.options.start_seconds, LEDGER_SECONDS))
        if saved is not None:
            self.roster.want(saved)
        self.follower.start(saved)
        while not (self.follower.asked or self._loop.time() > min(until, patient)):
            await asyncio.sleep(0.01)  # once, at the start: the follower is a thread, and has no future to wait for
        await asyncio.sleep(0)  # what the follower heard is on its way
        self._tasks["tick"] = self._loop.create_task(self._tick_forever())
        while not self.ready and self.roster.busy and self._loop.time() < until:
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Answer what is under way, then end the companion and the following."""
        if self.batcher is not None:
            await self.batcher.close()
        await asyncio.to_thread(self.follower.stop)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.roster.close()
        self._executor.shutdown(wait=True)

    @property
    def ready(self) -> bool:
        """Whether a champion is loaded."""
        return self.roster.lineup is not None

    @property
    def champion(self) -> Served | None:
        """The model that answers; rows are checked for it and given to `predict` with it."""
        return self.roster.lineup.champion if self.roster.lineup else None

    @property
    def extra_inputs(self) -> Mapping[str, str]:
        """Columns, with their kinds, that only the companion reads; a request may bring them."""
        return self.roster.lineup.extra_inputs if self.roster.lineup else {}

    async def predict(self, rows: Rows, champion: Served | None = None) -> Answer:
        """Answer the rows of one request, and record what each model made of them.

        Args:
            rows: As `RowChecker` returned them, and what belongs to them.
            champion: The model that they were checked for; the present one when not given. It answers even when another one has been
                promoted since.

        Raises:
            NotReadyError: no champion is loaded, or ``rows.version`` names a model that does not run.
            OverloadedError: too many requests wait.
            UnanswerableError: the champion failed on these rows.
            DataError: the rows are not what the champion reads.
        """
        lineup = self.roster.lineup
        if lineup is None or self.batcher is None:
            raise NotReadyError(f"no champion of {self.name!r} is loaded; see the readiness of this gateway, or promote a version")
        champion = champion or lineup.champion
        if champion is not lineup.champion:  # its rows were checked before the companion came
            lineup = replace(lineup, companion=None)
        pinned = self._pinned(rows.version, lineup, champion)
        key = sticky_key(rows, 0, lineup.standing.key) or rows.request_id
        canary = pinned == "companion" or (not pinned and lineup.gives_to_companion(key))
        job = Job(rows.inputs, lineup, champion, canary, self._brought(rows, lineup), rows.wants)
        result: Result = await self.batcher.submit(job, rows.n)
        scored = result.champion
        if not isinstance(scored, Scored):
            raise scored
        if self.meter is not None:
            self.meter.scored(self.name, champion, "champion", scored.predictions, scored.milliseconds)
        if result.ticket is None:
            self.recorder.record(self.recording.of_champion(rows, lineup, champion, scored))
            return self._answer(lineup, champion, "champion", scored)
        noted = partial(self._note, rows, lineup, champion, scored, result.place, canary, bool(pinned))
        result.ticket.replies.add_done_callback(lambda replies: noted(replies.result()))
        if not canary:
            self.recorder.record(self.recording.of_champion(rows, lineup, champion, scored))
            return self._answer(lineup, champion, "champion", scored)
        reply = (await asyncio.shield(result.ticket.replies))[result.place]
        if reply.predictions is not None and lineup.companion is not None and lineup.companion.served is not None:
            given = Scored(reply.predictions, reply.milliseconds, reply.details)
            return self._answer(lineup, lineup.companion.served, lineup.role, given)
        if pinned:
            raise UnanswerableError(
                f"version {rows.version!r} of {self.name!r} did not answer: {reply.error}; name no version, and one will"
            )
        return self._answer(lineup, champion, "champion", scored)

    def health(self) -> dict[str, Any]:
        """Return the state of everything, for readiness and metrics: JSON values.

        Returns:
            ``ready``, ``deployment``, ``generation``, ``phase``, ``percent`` (as it is here, after a withdrawal 0), ``rollout``,
            ``champion`` and its ``digest``, ``ledger`` and ``storage`` (state of the circuit breaker, error, since, and when the ledger was
            seen), ``companion`` (None for none), ``guard`` (its evidence), ``withdrawn`` (why the challenger was taken out here; empty for
            not).
        """
        lineup, standing = self.roster.lineup, self.roster.standing
        known = lineup.standing.deployment if lineup else standing.deployment if standing else None
        return {
            "ready": self.ready,
            "deployment": self.name,
            "generation": known.generation if known else 0,
            "phase": known.phase if known else "stable",
            "percent": lineup.percent if lineup else 0,
            "rollout": known.begun if known else 0,
            "champion": lineup.champion.ref.version if lineup else "",
            "digest": lineup.champion.ref.digest if lineup else "",
            "ledger": self.follower.health(),
            "storage": self.roster.health(),
            "companion": lineup.companion.health() if lineup and lineup.companion else None,
            "guard": self.withdrawal.guard.evidence(),
            "withdrawn": self.withdrawal.why,
        }

    def _heard(self, standing: Standing) -> None:
        """Take what the follower's thread tells to the event loop."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stand, standing)

    def _stand(self, standing: Standing) -> None:
        self.roster.standing = standing
        self._tick()

    async def _tick_forever(self) -> None:
        while True:
            try:
                self._tick()
            except Exception:  # a tick that fails must not end the following of the ledger
                log.exception("the engine of %r stumbled; going on with what stands", self.name)
            await asyncio.sleep(self.options.poll_seconds)

    def _tick(self) -> None:
        """Do at once what needs no waiting for; begin what does."""
        standing = self.roster.standing
        if standing is None:
            return
        reason = self.withdrawal.reason(standing)
        self.roster.want(standing, withheld=reason is not None)
        if reason is not None and self.withdrawal.due:
            self._begin("abort", self.withdrawal.abort)
        if self.roster.unsettled:
            self._begin("settle", self.roster.settle)

    def _begin(self, name: str, work: Callable[[], Any]) -> None:
        running = self._tasks.get(name)
        if running is None or running.done():
            self._tasks[name] = asyncio.get_running_loop().create_task(work())

    def _brought(self, rows: Rows, lineup: Lineup) -> Mapping[str, str]:
        """Return the columns that only the companion reads and that a row of this request has."""
        extra = lineup.extra_inputs
        return {name: kind for name, kind in extra.items() if name in rows.inputs} if extra else extra

    def _pinned(self, version: str, lineup: Lineup, champion: Served) -> str:
        if not version or version == champion.ref.version:
            return "champion" if version else ""
        if lineup.companion is not None and version == lineup.companion.ref.version:
            return "companion"
        raise NotReadyError(f"version {version!r} of {self.name!r} does not run here; {champion.ref.version!r} is the champion")

    def _answer(self, lineup: Lineup, served: Served, role: str, scored: Scored) -> Answer:
        deployment, details = lineup.standing.deployment, scored.details
        decided = served.package.decide(scored.predictions).tolist()
        about = (served.ref.version, role, decided, deployment.phase, deployment.generation)
        return Answer(scored.predictions, *about, details, served.columns if details else ())

    def _note(
        self,
        rows: Rows,
        lineup: Lineup,
        champion: Served,
        scored: Scored,
        place: int,
        canary: bool,
        pinned: bool,
        replies: list[Reply],
    ) -> None:
        """Record what the companion made of a request; take it out where that was one failure too many."""
        reply = replies[place]
        self.recorder.record(self.recording.of_both(rows, lineup, champion, scored, reply, canary=canary, pinned=pinned))
        other = lineup.companion.served if lineup.companion else None
        if self.meter is not None and other is not None and reply.predictions is not None:
            self.meter.scored(self.name, other, lineup.role, reply.predictions, reply.milliseconds)
        now = self.roster.lineup
        counts = not reply.skipped and now is not None and now.companion is lineup.companion  # no straggler of an earlier rollout
        if counts and self.withdrawal.observe(lineup.standing, failed=bool(reply.error)):
            self._tick()
