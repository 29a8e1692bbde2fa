"""Whether the rows that the live model learnt from still say what they said.

A run reads its source anew, and what lies there may have been written over since: a correction, a backfill, a label that changed its mind.
The registry keeps at most 100,000 rows of a model's data, so a difference of whole tables cannot be told as a rule; but of each row that
was kept it can be told by its key whether it is here as it was, changed, or not here. That is said, and no more: nothing is decided on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratchet.data.changes import column_changes
from ratchet.data.difference import ColumnChanges
from ratchet.data.kinds import kind_of
from ratchet.data.matching import Hashes, Matches, StoredRows, doubled, match
from ratchet.report.page import Cell, Table

WHOLE_BELOW = 100_000  # rows; `delivery.registry` keeps every row of a smaller table
MOST_ROWS = 20_000_000  # of the current table; to look through more takes longer than a part of a report may
SUBJECT = "rows kept of the live model's data"


@dataclass(frozen=True)
class Revision:
    """What became of rows that were kept.

    Attributes:
        kept: Number of rows that were kept.
        outside: Those that are not here, and whose time lies outside the time of the current table.
        same: Those that are here as they were.
        changed: Those that are here with another value in some column.
        columns: The columns with other values, with examples.
        new: Rows of the current table that were not kept; None where only a sample was kept.
        why_not: Why nothing can be said; empty where it can.
    """

    kept: int
    outside: int = 0
    same: int = 0
    changed: int = 0
    columns: tuple[ColumnChanges, ...] = ()
    new: int | None = None
    why_not: str = ""

    @property
    def gone(self) -> int:
        """Those that are not here, though their time is (or nothing is known of times)."""
        return self.kept - self.outside - self.same - self.changed

    @property
    def sentence(self) -> str:
        """What a person needs to know."""
        if self.why_not:
            return f"It cannot be said whether the {self.kept:,} {SUBJECT} are still the same: {self.why_not}."
        names = ", ".join(f"{one.column} in {one.rows:,}" for one in self.columns[:5]) + (", …" if len(self.columns) > 5 else "")
        parts = [f"{self.same:,} as they were", f"{self.changed:,} changed" + (f" ({names})" if names else ""), f"{self.gone:,} not here"]
        parts += [f"{self.outside:,} outside the time of this data"] if self.outside else []
        return f"Of {self.kept:,} {SUBJECT}: " + ", ".join(parts) + (f"; new: {self.new:,}." if self.new is not None else ".")

    def table(self) -> Table:
        """Return it as a part of a report: the sentence, and the columns with other values."""
        rows: list[Mapping[str, Cell]] = [
            {
                "column": one.column,
                "rows changed": one.rows,
                "for example": "; ".join(f"{change.old} → {change.new}" for change in one.examples[:2]),
            }
            for one in self.columns
        ]
        return Table("What changed since the champion's data", rows or [{"column": "none", "rows changed": 0}], note=self.sentence)


def revision(kept_path: str | Path, current_path: str | Path, *, key: Sequence[str], columns: Sequence[str], time: str = "") -> Revision:
    """Return what became of rows that were kept.

    Args:
        kept_path: Dataset of rows that were kept, e.g. the champion's reference.
        current_path: Dataset that may hold them.
        key: Columns that say which row is which; without any nothing can be said.
        columns: Columns whose values are compared, where both Datasets have them. Not the windows: a row near the beginning of a table sees
            less before it than it saw in a longer one.
        time: Column of times or numbers; kept rows beyond the current table's ends are not expected in it. Empty for none.

    Raises:
        SourceError: a Dataset cannot be read.
    """
    kept, current = StoredRows.of(kept_path), StoredRows.of(current_path)
    why_not = _why_not(kept, current, key)
    if why_not:
        return Revision(kept.rows, why_not=why_not)
    wanted, there = kept.hashes(key), current.hashes(key)
    places = np.flatnonzero(np.isin(there[0], wanted[0])).astype(np.uint32)
    candidates: Hashes = (there[0][places], there[1][places])
    if doubled(wanted) is not None or doubled(candidates) is not None:
        return Revision(kept.rows, why_not=f"more than one row has the same {', '.join(key)}")
    found = match(wanted, candidates)
    found = Matches(found.old, places[found.new], found.removed, places[found.added])
    compared = [name for name in columns if name in kept.schema and name in current.schema and name not in key]
    changed, changes = column_changes(kept, current, found, compared, key)
    new = current.rows - len(found.old) if kept.rows < WHOLE_BELOW else None
    return Revision(kept.rows, _outside(kept, current, found, time), len(found.old) - changed, changed, changes, new)


def _why_not(kept: StoredRows, current: StoredRows, key: Sequence[str]) -> str:
    if not key:
        return "no key columns say which row is which"
    for name in key:
        if name not in kept.schema or name not in current.schema:
            return f"the key column {name} is not in both"
        if kind_of(kept.schema[name]) != kind_of(current.schema[name]):
            return f"the key column {name} is of another kind now"
    return f"{current.rows:,} rows are too many to look through here" if current.rows > MOST_ROWS else ""


def _outside(kept: StoredRows, current: StoredRows, found: Matches, time: str) -> int:
    """Return how many of the rows that are not there lie beyond the ends of the current table."""
    if not len(found.removed) or not time or time not in kept.schema or kept.schema[time] != current.schema.get(time):
        return 0
    ends = [end for part in current.slices([time]) for end in (part[time].min(), part[time].max()) if end is not None]
    if not ends:
        return 0
    times = kept.take(found.removed, [time])[time]
    return int(((times < min(ends)) | (times > max(ends))).sum())
