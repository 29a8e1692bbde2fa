"""Predictions of rows that were asked before, by model and row. Off unless entries are given.

A model is a pure function of its row, so an answer is good for as long as the model's digest is the same; a promotion needs no flush.
Bounded by entries, the least lately used one goes first. It pays where clients retry or where rows are few (tariffs, shops), and costs a
few microseconds a row where they are not.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from ratchet.serving.rows import Row


class PredictionCache:
    """A bounded cache of predictions; may be used by several threads.

    >>> cache = PredictionCache(100)
    >>> cache.predict("sha256:1", [{"x": 1.0}, {"x": 2.0}], lambda rows: np.array([row["x"] for row in rows]))
    array([1., 2.])
    >>> cache.hits, cache.misses
    (0, 2)
    """

    def __init__(self, entries: int) -> None:
        """Keep at most this many rows; 0 keeps none."""
        self.entries = entries
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many predictions are kept."""
        return len(self._kept)

    def predict(self, digest: str, inputs: Sequence[Row], compute: Callable[[list[Row]], np.ndarray]) -> np.ndarray:
        """Return the predictions of rows, computing only those that are not kept.

        Args:
            digest: Of the model.
            inputs: n rows as `RowChecker` gives them.
            compute: Returns the predictions of some of the rows, shape (m,) or (m, k).

        Returns:
            shape (n,) or (n, k), as ``compute`` gives them.
        """
        if not self.entries:
            return compute(list(inputs))
        # 1 and 1.0 and true are equal in Python; a column has one kind, so they never meet in one place of a key.
        keys = [(digest, *row.items()) for row in inputs]
        found = self._look(keys)
        missing = [place for place, value in enumerate(found) if value is None]
        if missing:
            made = compute([inputs[place] for place in missing])
            for place, value in zip(missing, made, strict=True):
                found[place] = value
            self._keep([keys[place] for place in missing], made)
        return np.array(found)

    def _look(self, keys: Sequence[Hashable]) -> list[np.ndarray | None]:
        with self._lock:
            found = [self._kept.get(key) for key in keys]
            for key, value in zip(keys, found, strict=True):
                if value is not None:
                    self._kept.move_to_end(key)
            hits = sum(value is not None for value in found)
            self.hits += hits
            self.misses += len(keys) - hits
        return found

    def _keep(self, keys: Sequence[Hashable], values: np.ndarray) -> None:
        with self._lock:
            for key, value in zip(keys, values, strict=True):
                self._kept[key] = value
                self._kept.move_to_end(key)
            while len(self._kept) > self.entries:
                self._kept.popitem(last=False)
