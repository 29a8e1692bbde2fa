"""The order in which rows train: another one in every pass, fixed by the seed, in bounded memory.

Blocks of neighbouring rows are read in random order, and as many as the buffer holds are mixed row by row. A file that the buffer holds
whole is mixed perfectly; of a larger one, rows that lay side by side (those of one day, in a table by time) are apart, as far as a
gradient over a batch can tell.
"""

from collections.abc import Iterator

import numpy as np

from ratchet.models.autoencoder.rows import PreparedRows

BUFFER = 32 << 20  # bytes
BLOCKS = 256  # of a buffer


def shuffled(
    rows: PreparedRows, batch: int, batches: int, *, seed: int, epoch: int, buffer: int = BUFFER
) -> Iterator[tuple[np.ndarray, int]]:
    """Yield every row once, in chunks of whole batches; the last batch is filled up with the first rows of the pass.

    Args:
        rows: The rows.
        batch: Rows of a batch; at most as many as there are.
        batches: Batches of a chunk.
        seed: Of the order.
        epoch: The pass.
        buffer: Bytes that are mixed at a time.

    Yields:
        Records, float32, always of shape (batches · batch, width), and how many batches of them count.
    """
    rng = np.random.default_rng([seed, epoch])
    chunk = batches * batch
    filler: np.ndarray | None = None
    waiting = np.empty((0, rows.layout.width), np.float32)
    for mixed in _mixed(rows, rng, max(buffer // (4 * rows.layout.width * chunk), 1) * chunk, chunk):
        filler = mixed[:batch].copy() if filler is None else filler
        waiting = np.concatenate([waiting, mixed]) if len(waiting) else mixed
        whole = len(waiting) // chunk * chunk
        for start in range(0, whole, chunk):
            yield waiting[start : start + chunk], batches
        waiting = waiting[whole:].copy()
    if len(waiting):
        assert filler is not None
        count = -(-len(waiting) // batch)
        last = np.zeros((chunk, rows.layout.width), np.float32)
        last[: len(waiting)] = waiting
        last[len(waiting) : count * batch] = filler[np.arange(count * batch - len(waiting)) % len(filler)]
        yield last, count


def _mixed(rows: PreparedRows, rng: np.random.Generator, most: int, chunk: int) -> Iterator[np.ndarray]:
    """Yield rows a chunk at a time, mixed in one buffer that is used again and again: memory that is new costs as much as a copy."""
    size = -(-most // BLOCKS)
    order = rng.permutation(-(-rows.rows // size))
    buffer = np.empty((min(size * BLOCKS, rows.rows), rows.layout.width), np.float32)
    for start in range(0, len(order), BLOCKS):
        mixed = rng.permutation(rows.fill(buffer, size, order[start : start + BLOCKS]))
        for first in range(0, len(mixed), chunk):
            yield buffer[mixed[first : first + chunk]]
