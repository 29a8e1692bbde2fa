"""One of the two tables, read a column at a time.

A step that holds both tables needs their whole size twice; a Parquet file can be asked for one column. A part of any size is read a
quarter of a million rows at a time, because a Dataset from elsewhere may be one huge part.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from ratchet.data.tables import scan_dataset
from ratchet.drift.samples import Categories, Numbers, Sample, is_number
from ratchet.errors import SourceError

BATCH_ROWS = 250_000


@dataclass(frozen=True)
class Side:
    """The reference or the current table.

    Attributes:
        path: Folder of the Dataset.
        schema: Types of its columns by name, then those of `made`.
        parts: Its files, each with its number of rows.
        made: Columns that were computed for the comparison, each as long as the table.
    """

    path: str
    schema: Mapping[str, pl.DataType]
    parts: tuple[tuple[Path, int], ...]
    made: Mapping[str, pl.Series] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path) -> "Side":
        """Return a Dataset's table; its rows are not read yet.

        Raises:
            SourceError: it is absent, is no Dataset, or a part is damaged.
        """
        table = scan_dataset(path)
        try:
            schema = dict(table.collect_schema())
            files = sorted(Path(path).glob("*.parquet"))
            parts = tuple((file, int(pl.scan_parquet(file).select(pl.len()).collect().item())) for file in files)
        except pl.exceptions.PolarsError as error:
            raise _unreadable(path, error) from error
        return cls(str(path), schema, parts)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(rows for _, rows in self.parts)

    def with_made(self, columns: Sequence[pl.Series]) -> "Side":
        """Return the table with columns that were computed from it."""
        made = {column.name: column for column in columns}
        return replace(self, schema={**self.schema, **{name: column.dtype for name, column in made.items()}}, made={**self.made, **made})

    def frames(self, names: Sequence[str], rows: int = 0) -> Iterator[pl.DataFrame]:
        """Return some columns, a number of rows at a time.

        Args:
            names: Columns, in the order wanted.
            rows: How many rows; 0 for `BATCH_ROWS`.

        Raises:
            SourceError: a part is damaged, or its columns are not those of the first.
        """
        rows = rows or BATCH_ROWS
        stored = [name for name in names if name not in self.made]
        begin = 0
        for file, held in self.parts:
            for at in range(0, held, rows):
                frame = self._read(file, stored, at, rows)
                made = [self.made[name].slice(begin + at, min(rows, held - at)) for name in names if name in self.made]
                yield pl.DataFrame([*frame.get_columns(), *made]).select(names)
            begin += held

    def sample(self, name: str) -> Sample:
        """Return a column's sample.

        Raises:
            SourceError: as for `frames`.
        """
        dtype = self.schema[name]
        if is_number(dtype):
            return Numbers.of(self._batches(name), self.rows, dtype)
        return Categories.of(lambda: self._batches(name), self.rows, dtype)

    def _batches(self, name: str) -> Iterator[pl.Series]:
        return (frame[name] for frame in self.frames([name]))

    def _read(self, file: Path, names: Sequence[str], at: int, rows: int) -> pl.DataFrame:
        if not names:
            return pl.DataFrame()
        try:
            frame = pl.scan_parquet(file).select(names).slice(at, rows).collect()
        except pl.exceptions.PolarsError as error:
            raise _unreadable(self.path, error) from error
        for name, dtype in frame.schema.items():
            if dtype != self.schema[name]:
                raise SourceError(
                    f"dataset {self.path!r}: column {name!r} is {self.schema[name]} in the first part and {dtype} in {file.name}; "
                    f"run the step that wrote it again"
                )
        return frame


def _unreadable(path: str | Path, error: Exception) -> SourceError:
    return SourceError(f"dataset {str(path)!r} cannot be read: {error}; run the step that wrote it again")
