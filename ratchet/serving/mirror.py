"""The queue of batches that wait for the companion. It is bounded: a companion that is slower than the traffic must not fill the memory.

What a client waits for goes first. What does not fit is skipped, which is no error of the companion: whether a batch fits depends on how
much traffic there is, not on what the companion would have answered.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from ratchet.serving.details import NOTHING, Details, finite, part
from ratchet.serving.frames import unpack_scored


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """What the companion made of one request.

    Attributes:
        predictions: float64, shape (n,) or (n, k), all finite; None where there are none.
        milliseconds: Features and prediction inside the child for the whole batch; after a timeout, how long it was waited for.
        error: Why there are none; empty when there are.
        skipped: The companion was not asked; ``error`` says why, and it is not the companion's.
        details: Where a client waits for them, what it wanted beside the predictions; all finite.
    """

    predictions: np.ndarray | None
    milliseconds: float = 0.0
    error: str = ""
    skipped: bool = False
    details: Details = field(default_factory=dict)


class Ticket:
    """A batch on its way to the companion; it is answered exactly once."""

    __slots__ = ("frame", "replies", "spans", "urgent", "wants")

    def __init__(
        self,
        frame: pl.DataFrame,
        spans: Sequence[int],
        urgent: bool,
        loop: asyncio.AbstractEventLoop,
        wants: frozenset[str] = NOTHING,
    ) -> None:
        """Make one.

        Args:
            frame: Rows of one or more requests.
            spans: How many rows each request has.
            urgent: Whether a client waits for it.
            loop: The event loop.
            wants: The details that the champion is asked for as well.
        """
        self.frame = frame
        self.spans = spans
        self.urgent = urgent
        self.wants = wants
        self.replies: asyncio.Future[list[Reply]] = loop.create_future()

    @property
    def answered(self) -> bool:
        """Whether it was answered, or nobody waits any more."""
        return self.replies.done()

    def answer(self, replies: list[Reply]) -> None:
        """Give the replies, one a request; the first word stands."""
        if not self.replies.done():
            self.replies.set_result(replies)

    def refuse(self, error: str, *, milliseconds: float = 0.0, skipped: bool = False) -> None:
        """Give the same reply without predictions to every request."""
        self.answer([Reply(None, milliseconds, error, skipped)] * len(self.spans))


class Mirror:
    """Tickets in the order in which the companion takes them.

    >>> loop = asyncio.new_event_loop()
    >>> mirror = Mirror(rows=2)
    >>> frame = pl.DataFrame({"amount": [1.0]})
    >>> tickets = [Ticket(frame, [1], urgent, loop) for urgent in (False, True, False)]
    >>> [mirror.put(ticket) for ticket in tickets]
    [True, True, False]
    >>> [mirror.take() is ticket for ticket in (tickets[1], tickets[0])], mirror.take()
    ([True, True], None)
    >>> loop.close()
    """

    def __init__(self, rows: int) -> None:
        """Make a queue that holds this many rows; one batch always fits an empty queue."""
        self.limit = rows
        self.rows = 0
        self._urgent: deque[Ticket] = deque()
        self._ordinary: deque[Ticket] = deque()

    def put(self, ticket: Ticket) -> bool:
        """Take a ticket in; False when it does not fit. An urgent one displaces what nobody waits for."""
        height = ticket.frame.height
        while ticket.urgent and self._ordinary and self.rows + height > self.limit:
            displaced = self._ordinary.pop()
            self.rows -= displaced.frame.height
            displaced.refuse("the mirror queue is full", skipped=True)
        if self.rows and self.rows + height > self.limit:
            return False
        (self._urgent if ticket.urgent else self._ordinary).append(ticket)
        self.rows += height
        return True

    def take(self) -> Ticket | None:
        """Return the next ticket that still wants an answer; None when there is none."""
        for queue in (self._urgent, self._ordinary):
            while queue:
                ticket = queue.popleft()
                self.rows -= ticket.frame.height
                if not ticket.answered:
                    return ticket
        return None

    def refuse_all(self, error: str, *, skipped: bool = False) -> None:
        """Answer everything that waits without predictions."""
        while (ticket := self.take()) is not None:
            ticket.refuse(error, skipped=skipped)


def read_replies(header: dict[str, Any], body: bytes, spans: Sequence[int]) -> list[Reply]:
    """Return what a child answered, request by request.

    Args:
        header: Of its frame.
        body: Of its frame.
        spans: How many rows each request has.

    Raises:
        ValueError: it answered other rows than it was asked.
    """
    outcome = header["outcome"]
    rows, details = unpack_scored(header, body)
    if len(outcome) != len(spans) or len(rows) != sum(made for made, _, _ in outcome):
        raise ValueError(f"{len(rows)} rows for {len(spans)} requests")
    replies, start = [], 0
    for span, (made, milliseconds, error) in zip(spans, outcome, strict=True):
        if made not in (0, span) or (made == 0 and not error):
            raise ValueError(f"{made} rows for a request of {span}")
        own, more = rows[start : start + made], part(details, start, start + made)
        start += made
        if made and not (np.isfinite(own).all() and finite(more)):
            error = "it answered a number that is not finite"
        replies.append(Reply(None, milliseconds, error) if error else Reply(own, milliseconds, details=more))
    return replies
