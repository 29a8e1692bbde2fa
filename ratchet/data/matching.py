"""Which row of one table is which row of another, found by hashes of 128 bits, so that neither table is ever held.

A join of the two tables would be shorter to write and hold both; here a row costs 16 bytes, and a value is read only where rows are
compared or shown. Two rows with different values meet in one hash with a probability of about the square of their number over 2^129.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.data.digests import row_hashes
from ratchet.data.kinds import canonical
from ratchet.data.tables import scan_dataset
from ratchet.errors import SourceError

Places = npt.NDArray[np.uint32]
Hashes = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]
SLICE = 1 << 17  # rows that are read at once
SHARE = 500_000  # rows that are matched at once


@dataclass(frozen=True, slots=True)
class StoredRows:
    """A Dataset, read in slices.

    Attributes:
        name: What to call it in an error.
        schema: Names and types.
        parts: Its files and the number of rows of each.
    """

    name: str
    schema: pl.Schema
    parts: tuple[tuple[Path, int], ...]

    @classmethod
    def of(cls, path: str | Path, name: str = "") -> "StoredRows":
        """Look at a Dataset.

        Args:
            path: Its folder.
            name: What to call it in an error; empty for the path.

        Raises:
            SourceError: the path is no folder of Parquet parts, holds the mark of absence, or a part is damaged.
        """
        scan, parts = scan_dataset(path), sorted(Path(path).glob("*.parquet"))
        with _readable(path):
            rows = [pl.scan_parquet(part, glob=False).select(pl.len()).collect().item() for part in parts]
            return cls(name or str(path), scan.collect_schema(), tuple(zip(parts, rows, strict=True)))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(rows for _, rows in self.parts)

    def slices(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield the rows in their order, some at a time, in canonical types.

        Raises:
            SourceError: a part is damaged or unlike the others.
        """
        for part, rows in self.parts:
            scan = pl.scan_parquet(part, glob=False).select(columns)
            for start in range(0, rows, SLICE):
                with _readable(part):
                    frame = scan.slice(start, SLICE).collect()
                if frame.height != min(SLICE, rows - start):  # a reader of a damaged file may end early without a word
                    raise SourceError(f"dataset {str(part)!r} ends before its {rows:,} rows; run the step that wrote it again")
                yield canonical(frame)

    def hashes(self, columns: Sequence[str]) -> Hashes:
        """Return two hashes of some columns' values in each row: shape (rows,) each."""
        made = [row_hashes(frame) for frame in self.slices(columns)]
        return _joined([one for one, _ in made]), _joined([other for _, other in made])

    def at(self, places: Places, columns: Sequence[str]) -> Iterator[tuple[slice, pl.DataFrame]]:
        """Yield rows at ascending places, some at a time, each time with where they are among ``places``."""
        start = 0
        for frame in self.slices(columns):
            low, high = np.searchsorted(places, np.array([start, start + frame.height], places.dtype))
            if high > low:
                yield slice(low, high), frame[places[low:high] - start]
            start += frame.height

    def take(self, places: Places, columns: Sequence[str]) -> pl.DataFrame:
        """Return the rows at ascending places."""
        found = [frame for _, frame in self.at(places, columns)]
        return (
            pl.concat(found, how="vertical_relaxed")
            if found
            else canonical(pl.DataFrame(schema={name: self.schema[name] for name in columns}))
        )


@dataclass(frozen=True, slots=True)
class Matches:
    """Places of rows, each ascending but for ``new``, which goes with ``old``.

    Attributes:
        old: shape (pairs,), rows of the old table that the new one has too.
        new: shape (pairs,), where it has them.
        removed: shape (removed,), rows of the old table only.
        added: shape (added,), rows of the new table only.
    """

    old: Places
    new: Places
    removed: Places
    added: Places


def doubled(hashes: Hashes) -> int | None:
    """Return the first place whose hashes another row has too, or None.

    >>> doubled((np.array([5, 6, 5], np.uint64), np.array([1, 1, 1], np.uint64)))
    0
    """
    count = _shares_of(hashes)
    places = [
        share["place"].filter(share.select("one", "other").is_duplicated()) for share in (_share(hashes, i, count) for i in range(count))
    ]
    found = pl.concat(places)
    return int(found.to_numpy().min()) if len(found) else None


def match(old: Hashes, new: Hashes) -> Matches:
    """Match rows by their hashes; rows that come several times are paired as often as both sides have them.

    >>> def hashed(*values):
    ...     return np.array(values, np.uint64), np.array(values, np.uint64)
    >>> found = match(hashed(7, 8, 9), hashed(9, 7, 7))
    >>> found.old.tolist(), found.new.tolist(), found.removed.tolist(), found.added.tolist()
    ([0, 2], [1, 0], [1], [2])
    """
    count = max(_shares_of(old), _shares_of(new))
    pairs = []
    for number in range(count):
        left, right = (
            _share(side, number, count).with_columns(pl.int_range(pl.len()).over("one", "other").alias("nth")) for side in (old, new)
        )
        both = left.join(right, on=["one", "other", "nth"], how="full", suffix="_new")
        pairs.append(both.select("place", "place_new"))
    found = pl.concat(pairs)
    kept = found.drop_nulls().sort("place")
    removed, added = (
        found.filter(pl.col(lacking).is_null())[name].sort() for name, lacking in (("place", "place_new"), ("place_new", "place"))
    )
    return Matches(kept["place"].to_numpy(), kept["place_new"].to_numpy(), removed.to_numpy(), added.to_numpy())


@contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0][:300]
        raise SourceError(f"dataset {str(path)!r} cannot be read: {reason}; run the step that wrote it again") from error


def _shares_of(hashes: Hashes) -> int:
    return len(hashes[0]) // SHARE + 1


def _share(hashes: Hashes, number: int, count: int) -> pl.DataFrame:
    """Return the rows of one of ``count`` shares, by their hashes: rows that match are in one share."""
    places = np.arange(len(hashes[0]), dtype=np.uint32)
    if count > 1:
        places = places[hashes[0] % np.uint64(count) == number]
    return pl.DataFrame({"one": hashes[0][places], "other": hashes[1][places], "place": places})


def _joined(parts: list[npt.NDArray[np.uint64]]) -> npt.NDArray[np.uint64]:
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)
