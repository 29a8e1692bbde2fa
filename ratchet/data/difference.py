"""What changed between two versions of a table: rows added, removed and, where a key says which row is which, changed.

Two content digests say that something changed, and no more. The order of rows and columns and the format of a file say nothing here either:
`ratchet.data.changes` matches rows by their values and, where there is a key, compares matched rows column by column; this is what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ratchet.report.page import Cell, Page, Table, show

Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is another one now.

    Attributes:
        key: The row's key, by column.
        old: The value before.
        new: The value now.
    """

    key: Row
    old: Cell
    new: Cell


@dataclass(frozen=True, slots=True)
class ColumnChanges:
    """How a column changed in rows that both versions have.

    Attributes:
        column: Its name.
        rows: Number of rows in which it has another value.
        examples: The first of them.
    """

    column: str
    rows: int
    examples: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What changed.

    Attributes:
        rows: Number of rows, before and now.
        digests: Content digests, before and now; empty where they were not asked for.
        key: Columns that say which row is which; empty where rows were compared as a whole.
        added: Rows that only the new version has.
        removed: Rows that only the old version has.
        changed: Rows of both with another value in some column; 0 without a key.
        columns: The columns with other values, those of most rows first; empty without a key.
        only_old: Columns that are gone.
        only_new: Columns that came.
        kinds: Columns of another kind, with the kind before and now.
        added_rows: The first of them.
        removed_rows: The first of them.
    """

    rows: tuple[int, int]
    digests: tuple[str, str] = ("", "")
    key: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: tuple[ColumnChanges, ...] = ()
    only_old: tuple[str, ...] = ()
    only_new: tuple[str, ...] = ()
    kinds: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    added_rows: tuple[Row, ...] = ()
    removed_rows: tuple[Row, ...] = ()

    @property
    def verdict(self) -> str:
        """ "same" or "different". A column of another kind with equal values (integers as whole numbers) is the same."""
        return "different" if self.added or self.removed or self.changed or self.only_old or self.only_new else "same"

    @property
    def reason(self) -> str:
        """What changed, in a sentence."""
        if self.verdict == "same":
            return f"The same {self.rows[1]:,} rows."
        counted = [
            f"{self.added:,} {'row' if self.added == 1 else 'rows'} added",
            f"{self.removed:,} removed",
            *([f"{self.changed:,} changed"] if self.key else []),
        ]
        by = f" (by {', '.join(self.key)})" if self.key else " (compared as whole rows; a changed row is one removed and one added)"
        columns = [
            f"{word} {'column' if len(names) == 1 else 'columns'} {', '.join(names)}"
            for word, names in (("new", self.only_new), ("lost", self.only_old))
            if names
        ]
        return "; ".join([", ".join(counted) + by, *columns]) + "."

    def page(self) -> Page:
        """Return the report that a person reads."""
        facts: dict[str, Cell] = {"rows before": self.rows[0], "rows now": self.rows[1]}
        if any(self.digests):
            facts |= {"digest before": self.digests[0], "digest now": self.digests[1]}
        return Page("Difference", verdict=self.verdict, reason=self.reason, facts=facts, parts=self.tables())

    def tables(self) -> tuple[Table, ...]:
        """Return what changed as tables, for this report or as a part of another."""
        columns: list[Row] = [
            {"column": one.column, "rows changed": one.rows, "for example": "; ".join(map(_told, one.examples))} for one in self.columns
        ]
        schema: list[Row] = [
            *({"column": name, "before": "", "now": "new"} for name in self.only_new),
            *({"column": name, "before": "there", "now": "gone"} for name in self.only_old),
            *({"column": name, "before": before, "now": now} for name, (before, now) in self.kinds.items()),
        ]
        first = "The first of them."
        return (
            Table("Changed columns", columns),
            Table("Columns that came, went or are of another kind", schema),
            Table("Added rows", self.added_rows, first),
            Table("Removed rows", self.removed_rows, first),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as a mapping that JSON can hold."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "rows": {"before": self.rows[0], "now": self.rows[1]},
            "digests": {"before": self.digests[0], "now": self.digests[1]},
            "key": list(self.key),
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed if self.key else None,
            "columns": [
                {
                    "column": one.column,
                    "rows": one.rows,
                    "examples": [{"key": dict(e.key), "old": e.old, "new": e.new} for e in one.examples],
                }
                for one in self.columns
            ],
            "only_before": list(self.only_old),
            "only_now": list(self.only_new),
            "kinds": {name: list(kinds) for name, kinds in self.kinds.items()},
            "added_rows": [dict(row) for row in self.added_rows],
            "removed_rows": [dict(row) for row in self.removed_rows],
        }


def _told(change: Change) -> str:
    return f"{', '.join(f'{name} {value}' for name, value in change.key.items())}: {show(change.old)} → {show(change.new)}"
