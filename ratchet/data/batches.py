"""Tables in pieces: how a source of any size passes through the door in bounded memory.

A source is an iterator of tables of one schema. Pieces that are too large are cut and pieces that are too small are put together, because
each becomes a part of a Dataset; and the next piece is made while the one before is written, because both cost time.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import polars as pl

T = TypeVar("T")

LARGEST = 64 << 20  # bytes of a piece
SMALLEST = 16 << 20


def evened(batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield the same rows in pieces of at most 64 MB, and of 16 MB or more but for the last.

    Args:
        batches: Tables of one schema, of any size.

    >>> [piece.height for piece in evened(iter([pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2, 3]})]))]
    [3]
    """
    waiting: list[pl.DataFrame] = []
    size = 0
    for batch in batches:
        held = int(batch.estimated_size())
        pieces = max(1, -(-held // LARGEST))
        if pieces > 1:
            if waiting:
                yield pl.concat(waiting)
                waiting, size = [], 0
            yield from batch.iter_slices(-(-batch.height // pieces))
            continue
        waiting.append(batch)
        size += held
        if size >= SMALLEST:
            yield pl.concat(waiting) if len(waiting) > 1 else waiting[0]
            waiting, size = [], 0
    if waiting:
        yield pl.concat(waiting) if len(waiting) > 1 else waiting[0]


def ahead(batches: Iterator[T]) -> Iterator[T]:
    """Yield the same pieces; while one is worked on, the next is made in a thread of its own.

    >>> [batch.height for batch in ahead(iter([pl.DataFrame({"a": [1]})]))]
    [1]
    """
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, batches, None)
            yield batch
