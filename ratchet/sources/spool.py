"""Tables laid down in a scratch folder until it is known what each of their columns is.

A stream must say what its columns are with its first table. Where nobody declares it, the last value can still tell that a column of whole
numbers is one of texts; so all tables are written first, which bounds memory by one of them, and handed on with what was seen in all.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ratchet.data.kinds import DTYPES, kind_of
from ratchet.data.parsing import parse_times
from ratchet.errors import SourceError

HEAD = 100  # values that are looked at before a whole column is tried


class Spool:
    """Tables of the same columns, on disk, and the kind of each column over all of them."""

    def __init__(self, folder: Path, *, parse_times: bool = False) -> None:
        """Begin an empty one.

        Args:
            folder: An empty folder, which the caller removes.
            parse_times: Take a column of texts as one of times, where every text in it is an ISO 8601 date or time.
        """
        self._folder, self._parts = folder, 0
        self._kinds: dict[str, str] = {}
        self._times: dict[str, bool] = {}
        self._parse_times = parse_times

    def add(self, table: pl.DataFrame) -> None:
        """Write a table down; columns are of one of the five kinds, or Null where no value was there.

        Raises:
            SourceError: the folder takes no more.
        """
        for column in table.iter_columns():
            kind = "" if column.dtype == pl.Null else kind_of(column.dtype)
            self._kinds[column.name] = wider(self._kinds.get(column.name, ""), kind)
            if self._parse_times and kind:
                self._times[column.name] = self._times.get(column.name, True) and kind == "string" and _are_times(column)
        try:
            table.write_ipc(self._part(self._parts), compression="lz4")
        except (OSError, pl.exceptions.PolarsError) as error:
            raise SourceError(
                f"the rows cannot be kept in the scratch folder {str(self._folder.parent)!r} ({error}); make room there, or name "
                f"another folder in the variable TMPDIR"
            ) from error
        self._parts += 1

    def tables(self) -> Iterator[pl.DataFrame]:
        """Yield the tables again, now with the same types, and remove each as it is read."""
        for number in range(self._parts):
            table = pl.read_ipc(self._part(number))
            self._part(number).unlink()
            yield table.with_columns([self._typed(column) for column in table.iter_columns()])

    def _part(self, number: int) -> Path:
        return self._folder / f"{number}.arrow"

    def _typed(self, column: pl.Series) -> pl.Series:
        kind = self._kinds[column.name]
        if kind == "string" and self._times.get(column.name, False) and column.dtype in (pl.String, pl.Null):
            return parse_times(column) if column.dtype == pl.String else column.cast(DTYPES["datetime"])
        return column.cast(DTYPES[kind or "string"])


def wider(one: str, other: str) -> str:
    """Return the kind that holds the values of both; empty stands for no value at all.

    >>> wider("", "boolean"), wider("integer", "number"), wider("integer", "datetime")
    ('boolean', 'number', 'string')
    """
    if one == other or not one or not other:
        return one or other
    return "number" if {one, other} == {"integer", "number"} else "string"


def _are_times(texts: pl.Series) -> bool:
    head = texts.drop_nulls().head(HEAD)
    return parse_times(head).null_count() == 0 and parse_times(texts).null_count() == texts.null_count()
