"""Micro-batching that nobody waits for on an idle gateway.

A model answers sixteen rows in about the time of one. A fixed waiting window would gain that under load and lose it to every single
request, so there is none: while one batch runs, what comes in is the next one. Only after a batch of several does the next one wait,
for at most ``max_wait``: until as many rows are there as were just answered and were left waiting. Without those left, sixteen clients
would for ever be answered as twice eight.

The queue is bounded by rows, and a request that does not fit is refused at once, because one that waits behind thousands is late anyway and
keeps its memory until then.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from ratchet.errors import OverloadedError

Call = Callable[[list[Any]], Awaitable[list[Any]]]


class Batcher:
    """Gathers items that are submitted while a call is under way, and gives them to the next call together.

    Attributes:
        depth: Rows that wait.
        sizes: Rows of the latest batches, the last one last; for metrics.
    """

    def __init__(self, call: Call, *, max_rows: int = 256, max_wait: float = 0.002, max_queue: int = 2048) -> None:
        """Batch calls.

        Args:
            call: Takes items, returns as many results in their order. It is never called twice at a time. What it raises, each item's
                submitter gets.
            max_rows: Most rows of a batch; one item with more is a batch of its own.
            max_wait: Longest wait for company, seconds.
            max_queue: Most rows that wait.
        """
        self._call = call
        self._max_rows = max_rows
        self._max_wait = max_wait
        self._max_queue = max_queue
        self._waiting: deque[tuple[Any, int, asyncio.Future[Any]]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._expected = 0
        self._enough: asyncio.Future[None] | None = None
        self._closed = False
        self.depth = 0
        self.sizes: deque[int] = deque(maxlen=65_536)  # some minutes between two scrapes

    async def submit(self, item: Any, rows: int = 1) -> Any:
        """Return the call's result for an item.

        Args:
            item: What the call takes.
            rows: How much of a batch it fills.

        Raises:
            OverloadedError: the queue is full, or closed.
        """
        if self._closed:
            raise OverloadedError("this gateway is stopping; send the request again, another one will answer")
        if self.depth and self.depth + rows > self._max_queue:
            raise OverloadedError(f"{self.depth} rows wait for the model and {self._max_queue} may; send the request again in a second")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((item, rows, future))
        self.depth += rows
        if self._runner is None:
            self._runner = loop.create_task(self._run())
        elif self._enough is not None and self.depth >= self._expected and not self._enough.done():
            self._enough.set_result(None)
        return await future

    async def close(self) -> None:
        """Take no more, and return when everything that waits is answered."""
        self._closed = True
        while self._runner is not None:
            await asyncio.wait([self._runner])

    async def _run(self) -> None:
        try:
            while self._waiting:
                if self.depth < self._expected and self._max_wait:
                    await self._company()
                batch, rows = self._take()
                if batch:
                    await self._answer(batch)
                self._expected = min(rows + self.depth, self._max_rows) if len(batch) > 1 else 0
                await asyncio.sleep(0)  # clients that have their answer ask again before the next batch is put together
        finally:
            self._runner = None

    async def _company(self) -> None:
        self._enough = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._enough], timeout=self._max_wait)
        self._enough = None

    def _take(self) -> tuple[list[tuple[Any, int, asyncio.Future[Any]]], int]:
        batch: list[tuple[Any, int, asyncio.Future[Any]]] = []
        total = 0
        while self._waiting and (not batch or total + self._waiting[0][1] <= self._max_rows):
            entry = self._waiting.popleft()
            self.depth -= entry[1]
            if not entry[2].done():  # its client has gone
                batch.append(entry)
                total += entry[1]
        if batch:
            self.sizes.append(total)
        return batch, total

    async def _answer(self, batch: list[tuple[Any, int, asyncio.Future[Any]]]) -> None:
        try:
            results = await self._call([entry[0] for entry in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(results)} results for a batch of {len(batch)} items")
        except Exception as error:  # whatever it is, it goes to the clients that wait for this batch
            for _, _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, _, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
