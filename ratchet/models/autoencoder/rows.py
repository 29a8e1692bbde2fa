"""Rows on their way to the network: read and prepared once, kept as float32 in a scratch file, and read from there in every pass.

So memory is bounded however many rows train, and a pass costs a read of a file, not decoding Parquet and making features again. A row is
one record of float32: its standardised numbers, then (where any is missing) the mask of what is missing, then the codes of its categories.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from ratchet.data.digests import ContentDigest
from ratchet.data.pieces import DatasetPieces
from ratchet.errors import EmptySampleError
from ratchet.features.spec import FeatureSpec
from ratchet.models.autoencoder.alarm import NORMAL, UNLABELLED
from ratchet.models.autoencoder.preparation import Preparation

PIECE = 65_536  # rows that are prepared at a time


@dataclass(frozen=True)
class Layout:
    """Where what is in a record.

    Attributes:
        numbers: Numeric columns.
        masks: The same number, or 0 where nothing is missing in any row.
        categories: Text columns.
    """

    numbers: int
    masks: int
    categories: int

    @property
    def width(self) -> int:
        """Numbers of a record."""
        return self.numbers + self.masks + self.categories


@dataclass
class Summary:
    """What is learnt of a Dataset while it passes.

    Attributes:
        rows: Number of rows that are used.
        missing: Values that are missing, by column of the feature matrix.
        nullable: Inputs that have missing values.
        digest: Of all rows.
    """

    rows: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    nullable: set[str] = field(default_factory=set)
    digest: ContentDigest = field(default_factory=ContentDigest)

    def add(self, frame: pl.DataFrame, matrix: pl.DataFrame, spec: FeatureSpec) -> None:
        """Note a piece: the rows as they came, and the feature matrix of those that are used."""
        self.digest.update(frame)
        self.nullable |= {name for name in spec.inputs if frame[name].null_count()}
        self.rows += matrix.height
        for column in matrix.iter_columns():
            self.missing[column.name] = self.missing.get(column.name, 0) + column.null_count()


class DatasetRows:
    """The rows of a Dataset that are used, piece by piece, with their labels."""

    def __init__(self, path: str | Path, spec: FeatureSpec, *, normal_only: bool = False) -> None:
        """Open a Dataset.

        Args:
            path: Its folder.
            spec: What is read of it.
            normal_only: Leave out what is labelled an anomaly and what has no label.
        """
        self._path, self._spec, self._normal_only = path, spec, normal_only

    def pieces(self, summary: Summary | None = None) -> Iterator[tuple[pl.DataFrame, np.ndarray]]:
        """Yield feature matrices and labels: 0 for a normal row, 1 for an anomaly, -1 for one that has no label.

        Args:
            summary: Told of each piece; None for nobody.

        Raises:
            SchemaError: a column is missing, of another kind, or infinite.
            SourceError: the Dataset cannot be read.
        """
        for piece in DatasetPieces(self._path).pieces():
            for frame in piece.rows.iter_slices(PIECE):
                labels = labels_of(frame, self._spec)
                used = frame.filter(pl.Series(labels == NORMAL)) if self._normal_only else frame
                matrix = self._spec.matrix(used)
                if summary is not None:
                    summary.add(frame, matrix, self._spec)
                yield matrix, labels[labels == NORMAL] if self._normal_only else labels

    def matrices(self, summary: Summary) -> Iterator[pl.DataFrame]:
        """Yield feature matrices."""
        return (matrix for matrix, _ in self.pieces(summary))


def labels_of(frame: pl.DataFrame, spec: FeatureSpec) -> np.ndarray:
    """Return 0 for a normal row, 1 for an anomaly, -1 for one that has no label: float64, shape (n,).

    Raises:
        TargetError: a label is of no known class.
    """
    labels = np.full(frame.height, UNLABELLED)
    if spec.target:
        rows = frame.with_row_index("\0row")
        known = spec.labelled(rows)
        if known.height:
            labels[known["\0row"].to_numpy()] = spec.labels(known)
    return labels


@dataclass(frozen=True)
class PreparedRows:
    """Rows in a scratch file.

    Attributes:
        path: The file: records of float32.
        layout: Of a record.
        rows: Number of records.
        labels: float64, shape (rows,), as `labels_of` says.
    """

    path: Path
    layout: Layout
    rows: int
    labels: np.ndarray

    @classmethod
    def write(cls, path: Path, source: DatasetRows, preparation: Preparation, *, masks: bool) -> "PreparedRows":
        """Prepare the rows of a Dataset and write them.

        Args:
            path: File to write.
            source: The rows.
            preparation: How they are prepared.
            masks: Keep what is missing; not needed where nothing is.

        Raises:
            DataError: a number is NaN or infinite.
            EmptySampleError: there are no rows.
        """
        numbers = len(preparation.numbers)
        layout = Layout(numbers, numbers if masks else 0, len(preparation.categories))
        labels = []
        with path.open("wb") as file:
            for matrix, of_piece in source.pieces():
                prepared = preparation.prepare(matrix)
                parts = (prepared.numbers, prepared.missing[:, : layout.masks], prepared.categories)
                file.write(np.concatenate(parts, axis=1, dtype=np.float32, casting="unsafe").data)
                labels.append(of_piece)
        known = np.concatenate([np.empty(0), *labels])
        if not known.size:
            raise EmptySampleError("an autoencoder needs rows, and there are none left to use; take a longer time, or another split")
        return cls(path, layout, len(known), known)

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Yield records block by block: float32, shape (≤ size, width).

        Args:
            size: Records of a block; the last may have fewer.
        """
        for place in range(-(-self.rows // size)):
            block = np.empty((min(size, self.rows - place * size), self.layout.width), np.float32)
            self.fill(block, size, np.array([place]))
            yield block

    def fill(self, buffer: np.ndarray, size: int, places: np.ndarray) -> int:
        """Read some blocks into a buffer, one behind the other, and return how many records that are.

        Args:
            buffer: float32, shape (enough, width).
            size: Records of a block; the last may have fewer.
            places: Numbers of the blocks.
        """
        filled = 0
        with self.path.open("rb", buffering=0) as file:
            for place in places.tolist():
                count = min(size, self.rows - place * size)
                file.seek(place * size * self.layout.width * 4)
                file.readinto(buffer[filled : filled + count].data.cast("B"))
                filled += count
        return filled


def sample(rows: PreparedRows, most: int, places: np.ndarray | None = None) -> np.ndarray:
    """Return up to so many records, evenly spaced: float32, shape (≤ most, width).

    Args:
        rows: The rows.
        most: Records.
        places: Of the records that may be taken; None for all.
    """
    allowed = np.arange(rows.rows) if places is None else places
    chosen = allowed[:: max(1, -(-len(allowed) // most))]
    found = [np.empty((0, rows.layout.width), np.float32)]
    for place, block in enumerate(rows.blocks(PIECE)):  # not by a memory map, whose pages would count as this process's memory
        first, last = np.searchsorted(chosen, [place * PIECE, (place + 1) * PIECE])
        found.append(block[chosen[first:last] - place * PIECE])
    return np.concatenate(found)


def relaid(records: np.ndarray, layout: Layout, wanted: Layout) -> np.ndarray:
    """Return records of which nothing is missing in a layout that has masks, or as they are."""
    if layout == wanted:
        return records
    return np.insert(records, [layout.numbers] * wanted.masks, 0.0, axis=1)
