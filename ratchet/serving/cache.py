"""Predictions of rows that were asked before, by model and row. Off unless entries are given.

A model is a pure function of its row, so an answer is good for as long as the model's digest is the same; a promotion needs no flush.
Bounded by entries, the least lately used one goes first; an entry is a row's prediction and whatever details of it were asked for so far,
and it serves whoever asks for no more than that. It pays where clients retry or where rows are few (tariffs, shops), and costs a few
microseconds a row where they are not.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence, Set

import numpy as np

from ratchet.serving.details import NOTHING, Details
from ratchet.serving.rows import Row

PREDICTION = "prediction"
Entry = Mapping[str, np.ndarray]
Compute = Callable[[list[Row]], tuple[np.ndarray, Details]]


class PredictionCache:
    """A bounded cache of predictions; may be used by several threads.

    >>> cache = PredictionCache(100)
    >>> cache.answer("sha256:1", [{"x": 1.0}, {"x": 2.0}], lambda rows: (np.array([row["x"] for row in rows]), {}))
    (array([1., 2.]), {})
    >>> cache.hits, cache.misses
    (0, 2)
    """

    def __init__(self, entries: int) -> None:
        """Keep at most this many rows; 0 keeps none."""
        self.entries = entries
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[Hashable, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many rows are kept."""
        return len(self._kept)

    def answer(self, digest: str, inputs: Sequence[Row], compute: Compute, wants: Set[str] = NOTHING) -> tuple[np.ndarray, Details]:
        """Return the predictions of rows and the wanted details, computing only the rows of which not all of that is kept.

        Args:
            digest: Of the model.
            inputs: n rows as `RowChecker` gives them, at least one.
            compute: Returns the predictions of some of the rows, shape (m,) or (m, k), and their wanted details.
            wants: Names of the details.

        Returns:
            Predictions, shape (n,) or (n, k), and details, as ``compute`` gives them.
        """
        if not self.entries:
            return compute(list(inputs))
        # 1 and 1.0 and true are equal in Python; a column has one kind, so they never meet in one place of a key.
        keys = [(digest, *row.items()) for row in inputs]
        found = self._look(keys, wants)
        missing = [place for place, entry in enumerate(found) if entry is None]
        if missing:
            predictions, details = compute([inputs[place] for place in missing])
            # A copy of each row: a view would keep the whole batch in memory for as long as its last row is kept.
            made = [{name: values[i].copy() for name, values in ((PREDICTION, predictions), *details.items())} for i in range(len(missing))]
            for place, entry in zip(missing, made, strict=True):
                found[place] = entry
            self._keep([keys[place] for place in missing], made)
        whole = [entry for entry in found if entry is not None]
        details = {name: np.array([entry[name] for entry in whole]) for name in sorted(wants)}
        return np.array([entry[PREDICTION] for entry in whole]), details

    def drain(self) -> tuple[int, int]:
        """Return how many rows were found and how many were not since this was last asked, for metrics."""
        with self._lock:
            counted, self.hits, self.misses = (self.hits, self.misses), 0, 0
        return counted

    def _look(self, keys: Sequence[Hashable], wants: Set[str]) -> list[Entry | None]:
        with self._lock:
            found = [entry if (entry := self._kept.get(key)) is not None and wants <= entry.keys() else None for key in keys]
            for key, entry in zip(keys, found, strict=True):
                if entry is not None:
                    self._kept.move_to_end(key)
            hits = sum(entry is not None for entry in found)
            self.hits += hits
            self.misses += len(keys) - hits
        return found

    def _keep(self, keys: Sequence[Hashable], entries: Sequence[Entry]) -> None:
        with self._lock:
            for key, entry in zip(keys, entries, strict=True):
                self._kept[key] = {**self._kept.get(key, {}), **entry}
                self._kept.move_to_end(key)
            while len(self._kept) > self.entries:
                self._kept.popitem(last=False)
