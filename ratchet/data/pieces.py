"""A table that may be too large to hold, as validation reads it: some columns whole, or all columns piece by piece.

A check of single rows needs one piece at a time. What is learnt from a whole column (its quantiles, whether it ever falls) takes that
column alone. So memory is bounded by a piece and by the longest column, not by the table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from ratchet.data.batches import LARGEST, ahead
from ratchet.data.kinds import canonical
from ratchet.data.tables import scan_dataset
from ratchet.errors import SourceError

CELLS = 8_000_000  # values of a piece, at most: about 64 MB


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows.

    Attributes:
        rows: Canonical.
        part: The file that holds these rows and nothing else, as they are; None where there is none.
    """

    rows: pl.DataFrame
    part: Path | None = None


class Pieces(Protocol):
    """A table in pieces.

    Attributes:
        schema: Names and canonical types.
        height: Number of rows.
    """

    schema: pl.Schema
    height: int

    def columns(self, names: Sequence[str]) -> Iterator[pl.Series]:
        """Yield whole columns in the order of their names here, one by one."""
        ...

    def pieces(self) -> Iterator[Piece]:
        """Yield all rows in their order."""
        ...


class FramePieces:
    """A table in memory, as one piece.

    >>> FramePieces(pl.DataFrame({"a": [1]})).height
    1
    """

    def __init__(self, frame: pl.DataFrame, without: Iterable[str] = ()) -> None:
        """Take any table, without some of its columns."""
        self._frame = canonical(frame).drop(list(without), strict=False)
        self.schema, self.height = self._frame.schema, self._frame.height

    def columns(self, names: Sequence[str]) -> Iterator[pl.Series]:
        """Yield whole columns, one by one."""
        return (self._frame[name] for name in names)

    def pieces(self) -> Iterator[Piece]:
        """Yield the table."""
        yield Piece(self._frame)


class DatasetPieces:
    """A Dataset, read from its parts as often as it is asked for."""

    def __init__(self, path: str | Path, without: Iterable[str] = ()) -> None:
        """Open a Dataset.

        Args:
            path: Its folder.
            without: Columns to leave out, where they are there.

        Raises:
            SourceError: it is no Dataset, or damaged.
        """
        self._path, self._table = path, scan_dataset(path)
        self._parts = sorted(Path(path).glob("*.parquet"))
        try:
            there = self._table.collect_schema()
            self._names = [name for name in there.names() if name not in set(without)]
            self.schema = canonical(pl.DataFrame(schema={name: there[name] for name in self._names})).schema
            self.height = self._table.select(pl.len()).collect().item()
        except pl.exceptions.PolarsError as error:
            raise self._damaged(error) from error

    def columns(self, names: Sequence[str]) -> Iterator[pl.Series]:
        """Yield whole columns, one by one; several short ones are read together.

        Raises:
            SourceError: a part is damaged.
        """
        together = max(1, LARGEST // (8 * max(1, self.height)))
        for start in range(0, len(names), together):
            try:
                frame = canonical(self._table.select(names[start : start + together]).collect())
            except pl.exceptions.PolarsError as error:
                raise self._damaged(error) from error
            yield from frame.iter_columns()

    def pieces(self) -> Iterator[Piece]:
        """Yield all rows part by part, and large parts in pieces; the next is read while one is worked on.

        Raises:
            SourceError: a part is damaged.
        """
        size = max(1, CELLS // max(1, len(self._names)))
        try:
            yield from ahead(piece for part in self._parts for piece in self._of(part, size))
        except pl.exceptions.PolarsError as error:
            raise self._damaged(error) from error

    def _of(self, part: Path, size: int) -> Iterator[Piece]:
        table = pl.scan_parquet(part, glob=False)
        stored = table.collect_schema()
        rows = table.select(pl.len()).collect().item()
        if rows > size:
            yield from (Piece(canonical(batch)) for batch in table.select(self._names).collect_batches(chunk_size=size, lazy=True))
            return
        read = table.select(self._names).collect()
        frame = canonical(read)
        as_it_is = stored == frame.schema and read.null_count().equals(frame.null_count())
        yield Piece(frame, part if as_it_is else None)

    def _damaged(self, error: Exception) -> SourceError:
        return SourceError(f"dataset {str(self._path)!r} cannot be read: {error}; run the step that wrote it again")
