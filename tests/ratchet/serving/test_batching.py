"""Batches: alone at once, together under load, never more than may wait, nobody's result lost or mixed up."""

import asyncio

import pytest

from ratchet.errors import OverloadedError
from ratchet.serving.batching import Batcher


class Slow:
    """A call that waits until it is told to go on."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()

    async def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        await self.go.wait()
        return [item * 2 for item in items]


def test_who_comes_alone_does_not_wait_and_who_comes_meanwhile_shares():
    async def story() -> None:
        call = Slow()
        batcher = Batcher(call, max_wait=60)
        first = asyncio.create_task(batcher.submit(0))
        await asyncio.sleep(0.01)
        assert call.batches == [[0]]
        others = [asyncio.create_task(batcher.submit(item)) for item in range(1, 6)]
        await asyncio.sleep(0.01)
        assert batcher.depth == 5
        call.go.set()
        assert await asyncio.gather(first, *others) == [0, 2, 4, 6, 8, 10]
        assert call.batches == [[0], [1, 2, 3, 4, 5]]
        assert list(batcher.sizes) == [1, 5]
        await batcher.close()

    asyncio.run(story())


def test_clients_that_ask_again_when_answered_come_together_into_one_batch():
    async def story() -> None:
        sizes: list[int] = []

        async def call(items: list[int]) -> list[int]:
            sizes.append(len(items))
            await asyncio.sleep(0.002)  # a model at work
            return items

        async def client(number: int) -> None:
            await asyncio.sleep(0.001 * (number % 2))  # two halves, of which one comes while the other is answered
            for _ in range(20):
                await batcher.submit(number)
                await asyncio.sleep(0.001)  # the way to the client and back

        batcher = Batcher(call, max_wait=1)
        await asyncio.gather(*(client(number) for number in range(16)))
        assert sizes[4:-4] == [16] * len(sizes[4:-4])

    asyncio.run(story())


def test_a_full_queue_refuses_and_a_closed_one_too():
    async def story() -> None:
        call = Slow()
        batcher = Batcher(call, max_queue=10)
        tasks = [asyncio.create_task(batcher.submit(1, 4))]
        await asyncio.sleep(0.01)
        tasks += [asyncio.create_task(batcher.submit(1, 4)) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(OverloadedError, match="8 rows wait"):
            await batcher.submit(1, 4)
        call.go.set()
        await asyncio.gather(*tasks)
        await batcher.close()
        with pytest.raises(OverloadedError, match="stopping"):
            await batcher.submit(1)

    asyncio.run(story())


def test_a_call_that_raises_tells_each_and_the_next_batch_goes_on():
    async def story() -> None:
        async def call(items: list[int]) -> list[int]:
            if 0 in items:
                raise ValueError("zero")
            return items

        batcher = Batcher(call)
        failed = await asyncio.gather(*(batcher.submit(item) for item in (0, 1)), return_exceptions=True)
        assert [str(one) for one in failed] == ["zero", "zero"]
        assert await batcher.submit(5) == 5

    asyncio.run(story())


def test_a_batch_is_bounded_and_a_client_that_has_gone_is_left_out():
    async def story() -> None:
        call = Slow()
        batcher = Batcher(call, max_rows=3)
        tasks = [asyncio.create_task(batcher.submit(item)) for item in range(8)]
        await asyncio.sleep(0)
        tasks[7].cancel()
        await asyncio.sleep(0.01)
        call.go.set()
        await asyncio.gather(*tasks[:7])
        assert sorted(item for batch in call.batches for item in batch) == list(range(7))
        assert max(map(len, call.batches)) == 3

    asyncio.run(story())
