"""What a Dataset says about itself, and how it is counted while its rows pass by without being kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from ratchet.data.digests import ContentDigest, schema_digest
from ratchet.errors import SchemaError, nearest


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a Dataset artifact says about itself.

    Attributes:
        rows: Number of rows.
        columns: Names, in order.
        content_digest: Digest of the rows in any order; the version of the data.
        schema_digest: Digest of names and kinds.
        time_min: Earliest time as ISO text (or the smallest number, where time is a number); None without a time column.
        time_max: Latest time, likewise.
        source: Where the rows came from.
        notes: What was decided while they were read, for a person.
    """

    rows: int
    columns: tuple[str, ...]
    content_digest: str
    schema_digest: str
    time_min: str | None
    time_max: str | None
    source: str
    notes: tuple[str, ...] = ()

    def metadata(self) -> dict[str, str]:
        """Return it as KFP metadata: texts only, because KFP returns integers as floats."""
        told = {"notes": "; ".join(self.notes)} if self.notes else {}
        return told | {
            "rows": str(self.rows),
            "columns": str(len(self.columns)),
            "content_digest": self.content_digest,
            "schema_digest": self.schema_digest,
            "time_min": self.time_min or "",
            "time_max": self.time_max or "",
            "source": self.source,
        }


class Account:
    """What is known of rows that pass by, part by part: their number, digest, schema and span of time.

    >>> account = Account()
    >>> account.add(pl.DataFrame({"a": [1, 2]}))
    >>> account.info("a test").rows
    2
    """

    def __init__(self, time_column: str = "") -> None:
        """Begin with no rows; an empty name for no column of times."""
        self._time = time_column
        self._digest = ContentDigest()
        self._schema: pl.Schema | None = None
        self._ends: list[Any] = []

    def add(self, part: pl.DataFrame) -> None:
        """Add the rows of a canonical part.

        Raises:
            SchemaError: its columns differ from those of the parts before, or the time column is not there.
        """
        if self._schema is not None and part.schema != self._schema:
            raise SchemaError(f"a part has columns {dict(part.schema)}, the first part {dict(self._schema)}; make them the same")
        self._schema = part.schema
        if self._time and self._time not in part.columns:
            raise SchemaError(f"time column {self._time!r} is not in the table; {nearest(self._time, part.columns)}")
        if self._time:
            ends = [end for end in (*self._ends, part[self._time].min(), part[self._time].max()) if end is not None]
            self._ends = [min(ends), max(ends)] if ends else []
        self._digest.update(part)

    def info(self, source: str) -> DatasetInfo:
        """Return what the rows say about themselves.

        Args:
            source: Where they came from.

        Raises:
            SchemaError: no part was added.
        """
        if self._schema is None:
            raise SchemaError("no part was given, so the columns are not known; give at least one table, even one without rows")
        low, high = map(_time_text, self._ends or (None, None))
        columns = tuple(self._schema.names())
        return DatasetInfo(self._digest.rows, columns, self._digest.text(), schema_digest(self._schema), low, high, source)


def _time_text(value: object) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)
