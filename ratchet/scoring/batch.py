"""A Dataset through a model, a piece at a time: rows and their order stay, memory does not grow with them.

While one piece is scored the next is read and the one before is written, so the model is seldom waited for by what surrounds it.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from ratchet.data.account import DatasetInfo
from ratchet.data.batches import evened
from ratchet.data.pieces import DatasetPieces
from ratchet.data.tables import write_dataset
from ratchet.errors import DataError, SchemaError, nearest
from ratchet.features.spec import FeatureSpec
from ratchet.models.package import ModelPackage

SLICE = 65_536  # rows that are scored at a time: what is made of them on the way is a few times their size
Score = Callable[[pl.DataFrame], pl.DataFrame]


def score_rows(
    rows_path: str | Path, package: ModelPackage, output_path: str | Path, score: Score, *, keep: Sequence[str] = ()
) -> DatasetInfo:
    """Write some columns of each row, and beside them what a model says of it.

    Args:
        rows_path: Dataset with the columns that the model reads.
        package: The model.
        output_path: Dataset to appear.
        score: Returns the new columns for some rows.
        keep: Columns to keep; empty for those of key, time and group that are there.

    Returns:
        What was written: as many rows, in the same order.

    Raises:
        DataError: a value cannot be scored; the message says from which row it counts.
        SchemaError: a column to keep is not there or has the name of a new one, or an input is missing or of another kind.
        SourceError: the Dataset cannot be read.
    """
    spec = package.spec
    everything = DatasetPieces(rows_path)
    kept = _kept(spec, everything.schema.names(), keep)
    for window in spec.windows:
        if window.name not in everything.schema:
            raise SchemaError(
                f"rows {str(rows_path)!r} lack {window.name!r}, a window over time; pass a table of the features step, which makes it"
            )
    needed = {*kept, *spec.inputs}
    rows = DatasetPieces(rows_path, without=[name for name in everything.schema.names() if name not in needed])

    def scored() -> Iterator[pl.DataFrame]:
        before = 0
        for some in (part for piece in rows.pieces() for part in _slices(piece.rows)):
            try:
                made = score(some)
            except DataError as error:
                raise type(error)(f"{error} (rows count from row {before:,} of {str(rows_path)!r})" if before else str(error)) from error
            for name in set(kept) & set(made.columns):
                raise SchemaError(f"column {name!r} is to be kept, and a new column has that name; rename it, or leave it out of keep")
            yield pl.concat([some.select(kept), made], how="horizontal")
            before += some.height

    return write_dataset(
        evened(scored()), output_path, source=f"{package.kind} {package.digest[:19]} on {rows_path}", time_column=_time(spec, kept)
    )


def _slices(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    yield from rows.iter_slices(SLICE) if rows.height else [rows]


def _kept(spec: FeatureSpec, there: Sequence[str], keep: Sequence[str]) -> list[str]:
    for name in keep:
        if name not in there:
            raise SchemaError(f"keep: no column {name!r} in the rows; {nearest(name, there)}")
    usual = (*spec.key, spec.time, spec.group)
    return list(dict.fromkeys(keep or (name for name in usual if name in there)))


def _time(spec: FeatureSpec, kept: Sequence[str]) -> str:
    return spec.time if spec.time in kept else ""
