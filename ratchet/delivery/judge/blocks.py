"""Blocks of dependent pairs: the requests of one unit within one window of time are one step of the bet, not many.

A card under attack makes ten alike requests; counted as ten they would prove ten times too much. A step is the sum over its block, in
units of a cap that is fixed before the rollout begins, so that no block can stake more than the whole capital:

    weight of a pair   1 / max(block_cap, size of its block)

So a pair counts the same in every block up to the cap, which keeps the test about the loss per pair also where large blocks differ from
small ones (bursts of fraud are where models differ); a larger block is averaged down and counts as `block_cap` pairs. The cap has a price:
a pair may stake at most 1/block_cap of the capital, so where differences are rare a cap of 10 needs up to ten times the pairs that a cap of
1 does. Choose it so that few pairs lie in larger blocks, and 1 where every request is a block of its own.

Why not the largest block seen so far: until the first burst comes, single pairs would stake as if there were none, and a challenger that
is better in single pairs and worse in bursts would be promoted before it (measured: in 18% of runs at a nominal 5%).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratchet.errors import JudgeError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Blocks:
    """Pairs grouped into blocks, in the order of each block's first pair.

    Attributes:
        index: shape (pairs,), the block of each pair, 0 to count - 1.
        sizes: shape (count,), pairs of each block.
        weights: shape (count,), what a pair counts for, in (0, 1]; a function of the block's own size.
    """

    index: NDArray[np.int64]
    sizes: NDArray[np.int64]
    weights: Array

    @classmethod
    def of(cls, ids: NDArray[np.integer], block_cap: int) -> "Blocks":
        """Group pairs by block.

        Args:
            ids: shape (pairs,), any whole numbers.
            block_cap: At least 1: pairs that a block may count for. 1 makes each block count alike, by its mean.

        Raises:
            JudgeError: the ids are no whole numbers, or the cap is below 1.

        >>> found = Blocks.of(np.array([7, 7, 3, 7, 3, 9]), block_cap=2)
        >>> found.index.tolist(), found.sizes.tolist(), found.weights.round(3).tolist()
        ([0, 0, 1, 0, 1, 2], [3, 2, 1], [0.333, 0.5, 0.5])
        """
        if ids.dtype.kind not in "iu" and len(ids):
            raise JudgeError(f"blocks are {ids.dtype}; give whole numbers, one for each pair")
        if block_cap < 1:
            raise JudgeError(f"block_cap {block_cap} is below 1; give the pairs that a block may count for, e.g. 10")
        _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
        place = np.empty(len(first), dtype=np.int64)
        place[np.argsort(first)] = np.arange(len(first))
        index = place[inverse] if len(first) else np.empty(0, dtype=np.int64)
        sizes = np.bincount(index, minlength=len(first)).astype(np.int64)
        return cls(index, sizes, 1 / np.maximum(block_cap, sizes))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pairs seen by the end of each block, shape (count,)."""
        return np.cumsum(self.sizes)

    def steps(self, values: Array) -> Array:
        """Return what each block stakes: its weighted sum.

        Args:
            values: shape (pairs,), each in [-l, u].

        Returns:
            shape (count,), each in [-l, u], too.
        """
        return np.asarray(np.bincount(self.index, weights=values, minlength=len(self.sizes)) * self.weights)
