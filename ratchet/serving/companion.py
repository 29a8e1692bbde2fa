"""The gateway's side of a companion: starts its child process, gives it batches one at a time, and survives whatever becomes of it.

A batch that is not answered in time counts as an error and goes on in the child; a child that does not answer for much longer is killed.
A child that ended is started again after a pause that doubles. While it is away, every request counts as an error of the companion: a
model that crashes must not be judged by the requests that it survived. Before it was ready for the first time nothing is held against it.

While nobody waits for it and nobody judges its time, a child runs in the background: at a lower priority, so that it does not take the
processor from the clients, and with the more patience, so that this is not held against it. A process may not raise its priority again,
so for a canary, which is timed and waited for, another child takes its place.
"""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from ratchet.delivery.deployment import ModelRef
from ratchet.serving.details import NOTHING
from ratchet.serving.frames import Line, pack, pack_rows
from ratchet.serving.mirror import Mirror, Reply, Ticket, read_replies
from ratchet.serving.served import Served

log = logging.getLogger(__name__)
NICENESS = 10  # Linux gives who has it a tenth of the processor where another wants the rest
PATIENCE = 10  # times as long as the policy says, for the same work with a tenth of the processor


@dataclass(frozen=True, slots=True)
class CompanionOptions:
    """What an operator may turn.

    Attributes:
        queue_rows: Most rows that wait for the child; more are skipped.
        start_seconds: After which a child that is not ready is killed.
        hang_seconds: After which a child that does not answer is killed; at least twice the policy's timeout.
        pause: Seconds before the first restart; each further pause is twice as long, until a child has lived for a minute.
        longest_pause: Seconds that no pause exceeds.
        memory_bytes: Resident memory above which the child is killed.
    """

    queue_rows: int = 4096
    start_seconds: float = 60.0
    hang_seconds: float = 5.0
    pause: float = 0.5
    longest_pause: float = 30.0
    memory_bytes: int = 4 << 30


class Companion:
    """A model in a child process. All methods belong to the event loop."""

    def __init__(
        self,
        ref: ModelRef,
        served: Served | None,
        *,
        begun: int,
        timeout_ms: float,
        key: bytes | None = None,
        refusal: str = "",
        background: bool = False,
        options: CompanionOptions | None = None,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            ref: The model.
            served: What its package says of itself; None where the package is damaged.
            begun: Identity of the rollout that it takes part in.
            timeout_ms: How long it may take for a batch.
            key: That signs packages; None for none.
            refusal: Why it will never be asked, which is its error; empty to ask it.
            background: Nobody waits for it, nor judges its time.
            options: What an operator may turn.
        """
        self.ref, self.served, self.begun, self.refusal = ref, served, begun, refusal
        self.background = background
        self.timeout = timeout_ms / 1000 * (PATIENCE if background else 1)
        self.options = options or CompanionOptions()
        self.state = "new"  # then starting, ready, away, closed
        self.error = refusal
        self.requests = self.errors = self.skipped = self.restarts = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.mirror = Mirror(self.options.queue_rows)
        self._key = key
        self._line: Line | None = None
        self._flight: tuple[int, Ticket, asyncio.TimerHandle] | None = None
        self._number = 0
        self._pause = self.options.pause
        self._ready_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._work: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Start the child, in the background."""
        if not self.refusal:
            self.state = "starting"
            self._spawn()

    def offer(self, frame: pl.DataFrame, spans: Sequence[int], *, urgent: bool, wants: frozenset[str] = NOTHING) -> Ticket:
        """Have a batch scored; returns at once.

        Args:
            frame: The rows of one or more requests.
            spans: How many rows each request has.
            urgent: A client waits for it: it goes first, and its time runs from now.
            wants: The details that the champion computes for this batch; so does the child, to be timed on the same work, but it sends
                them only where a client waits.
        """
        ticket = Ticket(frame, spans, urgent, self._loop, wants)
        ticket.replies.add_done_callback(self._count)
        if self.state == "closed":
            ticket.refuse("its rollout has ended", skipped=True)
        elif self.refusal or self.state == "away":
            ticket.refuse(self.error)
        elif self.state != "ready":
            ticket.refuse("it is still loading", skipped=True)
        elif lacking := self._lacking(frame):
            ticket.refuse(f"the request does not bring {lacking!r}, which only this model reads", skipped=True)
        elif not self.mirror.put(ticket):
            ticket.refuse("the mirror queue is full", skipped=True)
        else:
            if urgent:
                self._expire(ticket)
            self._send_next()
        return ticket

    def _lacking(self, frame: pl.DataFrame) -> str:
        """Return a column that the rows do not have; that is their client's doing, and says nothing about the model."""
        inputs = self.served.package.spec.inputs if self.served else ()
        return next((name for name in inputs if name not in frame.columns), "")

    async def close(self) -> None:
        """End the child. What it was asked counts as never asked; a client that waits gets the champion's answer."""
        self.state = "closed"
        if self._timer is not None:
            self._timer.cancel()
        self._give_up("its rollout has ended", skipped=True)
        self._end_child()
        await asyncio.gather(*self._work, return_exceptions=True)

    def health(self) -> dict[str, Any]:
        """Return its state as JSON values; ``unanswered_rows`` are those that wait and those that the child has just now."""
        counts = {"requests": self.requests, "errors": self.errors, "skipped": self.skipped, "restarts": self.restarts}
        unanswered = self.mirror.rows + (self._flight[1].frame.height if self._flight else 0)
        return {"version": self.ref.version, "state": self.state, "error": self.error, "unanswered_rows": unanswered, **counts}

    def _spawn(self) -> None:
        """Start the child from the event loop's own thread: the kernel takes the thread for the parent that it must not outlive."""
        assert self.served is not None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        command = [sys.executable, "-m", "ratchet.serving.child", str(theirs.fileno()), str(os.getpid())]
        try:
            self.process = subprocess.Popen(  # noqa: S603 (our own module, with this interpreter)
                command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        except OSError as error:
            ours.close()
            self._fell(f"its process cannot be started: {error}")
            return
        finally:
            theirs.close()
        if self.background:
            with suppress(OSError):  # it has ended already, which its line tells
                os.setpriority(os.PRIO_PROCESS, self.process.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
        line = self._line = Line(self._heard, self._fell)
        self._timer = self._loop.call_later(self.options.start_seconds, line.close, f"it was not ready in {self.options.start_seconds:g} s")
        self._do(self._greet(line, ours))

    async def _greet(self, line: Line, connection: socket.socket) -> None:
        assert self.served is not None
        await self._loop.create_unix_connection(lambda: line, sock=connection)
        key = self._key.hex() if self._key else ""
        line.send(pack({"op": "load", "path": str(self.served.package.path.absolute()), "ref": asdict(self.ref), "key": key}))

    def _heard(self, header: dict[str, Any], body: bytes) -> None:
        if header["op"] == "scored":
            self._take(header, body)
        elif header["op"] == "ready":
            if self._timer is not None:
                self._timer.cancel()
            self.state, self.error, self._ready_at = "ready", "", self._loop.time()
        elif self._line is not None:
            self._line.close(str(header["error"]))

    def _send_next(self) -> None:
        while self._flight is None and self.state == "ready" and (ticket := self.mirror.take()) is not None:
            self._send(ticket)

    def _send(self, ticket: Ticket) -> None:
        assert self._line is not None
        assert self.served is not None
        self._number += 1
        known = [name for name in self.served.package.spec.inputs if name in ticket.frame.columns]
        body = pack_rows(ticket.frame.select(known))
        patience = max(self.options.hang_seconds, 2 * self.timeout)
        timer = self._loop.call_later(patience, self._line.close, f"it did not answer for {patience:g} s and was killed")
        self._flight = (self._number, ticket, timer)
        head = {"op": "score", "id": self._number, "spans": list(ticket.spans), "wants": sorted(ticket.wants), "tell": ticket.urgent}
        self._line.send(pack(head, body))
        if not ticket.urgent:
            self._expire(ticket)

    def _take(self, header: dict[str, Any], body: bytes) -> None:
        if self._flight is None or header["id"] != self._flight[0]:
            raise ValueError(f"an answer to {header['id']}, which was not asked")
        _, ticket, timer = self._flight
        timer.cancel()
        self._flight = None
        ticket.answer(read_replies(header, body, ticket.spans))
        if header["memory"] > self.options.memory_bytes and self._line is not None:
            self._line.close(
                f"it holds {header['memory'] >> 20} MiB of memory, of {self.options.memory_bytes >> 20} allowed, and was killed"
            )
        self._send_next()

    def _expire(self, ticket: Ticket) -> None:
        milliseconds = self.timeout * 1000
        timer = self._loop.call_later(self.timeout, lambda: ticket.refuse(f"no answer in {milliseconds:g} ms", milliseconds=milliseconds))
        ticket.replies.add_done_callback(lambda replies: timer.cancel())

    def _fell(self, why: str) -> None:
        """Take note that the child is gone, or has to go; start another one after a pause."""
        if self.state == "closed":
            return
        self.state, self.error = "away", why
        if self._timer is not None:
            self._timer.cancel()
        self._give_up(why)
        self._end_child()
        if self._ready_at is not None and self._loop.time() - self._ready_at > 60:
            self._pause = self.options.pause
        self._ready_at = None
        self.restarts += 1
        self._timer = self._loop.call_later(self._pause, self._spawn)
        self._pause = min(self._pause * 2, self.options.longest_pause)

    def _give_up(self, why: str, *, skipped: bool = False) -> None:
        if self._flight is not None:
            self._flight[2].cancel()
            self._flight[1].refuse(why, skipped=skipped)
            self._flight = None
        self.mirror.refuse_all(why, skipped=skipped)

    def _end_child(self) -> None:
        line, process = self._line, self.process
        self._line = self.process = None
        if process is not None:
            self._do(self._bury(process))
        if line is not None:
            line.close("")

    async def _bury(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a child and wait for it; say how it ended where it did so by itself."""
        before = process.poll()
        process.kill()
        await asyncio.to_thread(process.wait)
        if self.state != "closed":
            ended = before if before is not None else process.returncode
            name = signal.Signals(-ended).name if ended < 0 else f"status {ended}"
            log.warning("the companion %s is away (%s; %s); starting it again", self.ref, self.error, name)

    def _do(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _count(self, replies: "asyncio.Future[list[Reply]]") -> None:
        for reply in replies.result():
            self.requests += 1
            self.skipped += reply.skipped
            self.errors += bool(reply.error) and not reply.skipped
