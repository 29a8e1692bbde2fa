"""Finds what changed between two Datasets, in memory that does not grow with the width of a table or the length of its values.

Without a key rows are matched as a whole, as often as they occur. With one they are matched by it, and each column of the rows that both
have is hashed and compared by itself: that says how many rows changed and where, and reads a value again only to show it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import isfinite
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ratchet.data.difference import Change, ColumnChanges, Difference, Row
from ratchet.data.digests import row_hashes
from ratchet.data.kinds import kind_of
from ratchet.data.matching import Hashes, Matches, Places, StoredRows, doubled, match
from ratchet.errors import SchemaError, nearest
from ratchet.report.page import Cell

EXAMPLES = 5  # of each: added rows, removed rows, and changes of a column
SHOWN = 20  # columns of an example, and columns with examples
LONGEST = 80  # characters of a value that is shown
HELD = 1 << 23  # hashes of values that are held at once
Pairs = npt.NDArray[np.int64]  # places among matched rows


def compare_versions(
    old_path: str | Path,
    new_path: str | Path,
    *,
    key: Sequence[str] = (),
    digests: tuple[str, str] = ("", ""),
    names: tuple[str, str] = ("", ""),
) -> Difference:
    """Return what changed from one Dataset to another.

    Args:
        old_path: Dataset as it was.
        new_path: Dataset as it is.
        key: Columns that together say which row is which, no two rows of a version alike; empty to compare whole rows.
        digests: Content digests of the two, where they are known: equal ones are the answer, and nothing more is read.
        names: What to call the two in an error; empty for their paths.

    Returns:
        Rows added, removed and changed, with examples; columns that one version lacks are named, and not compared.

    Raises:
        SourceError: a Dataset cannot be read.
        SchemaError: a key column is not in both or of two kinds, two rows have one key, or no column is in both.
    """
    old, new = (StoredRows.of(path, name) for path, name in zip((old_path, new_path), names, strict=True))
    shared = [name for name in old.schema if name in new.schema]
    about = Difference(
        rows=(old.rows, new.rows),
        digests=digests,
        key=tuple(key),
        only_old=tuple(name for name in old.schema if name not in new.schema),
        only_new=tuple(name for name in new.schema if name not in old.schema),
        kinds={name: kinds for name in shared if len(set(kinds := _kinds(old, new, name))) == 2},
    )
    _check_columns(old, new, shared, key)
    if digests[0] and digests[0] == digests[1]:
        return about
    if not key:
        found = match(old.hashes(shared), new.hashes(shared))
        return _with_rows(about, old, new, found, shared, 0, ())
    found = match(*(_unique(side, side.hashes(key), key) for side in (old, new)))
    others = [name for name in shared if name not in key]
    changed, columns = column_changes(old, new, found, others, key)
    return _with_rows(about, old, new, found, [*key, *others], changed, columns)


def column_changes(
    old: StoredRows, new: StoredRows, found: Matches, columns: Sequence[str], key: Sequence[str]
) -> tuple[int, tuple[ColumnChanges, ...]]:
    """Compare matched rows.

    Args:
        old: Rows as they were.
        new: Rows as they are.
        found: Which is which.
        columns: Columns to compare.
        key: Columns that say in an example which row it is.

    Returns:
        Number of rows with another value in some column, and the columns with other values, those of most rows first.
    """
    changed = np.zeros(len(found.old), bool)
    firsts: dict[str, Pairs] = {}
    counts: dict[str, int] = {}
    together = max(1, HELD // max(len(found.old), 1))
    for start in range(0, len(columns), together):
        group = columns[start : start + together]
        differs = _hashed(old, found.old, group) != _hashed(new, found.new, group)
        changed |= differs.any(axis=1)
        for place, name in enumerate(group):
            if differs[:, place].any():
                counts[name] = int(differs[:, place].sum())
                firsts[name] = np.flatnonzero(differs[:, place])[:EXAMPLES]
    ranked = sorted(counts, key=lambda name: -counts[name])
    examples = _examples(old, new, found, {name: firsts[name] for name in ranked[:SHOWN]}, key)
    return int(changed.sum()), tuple(ColumnChanges(name, counts[name], examples.get(name, ())) for name in ranked)


def cell(value: object) -> Cell:
    """Return a value as a report or JSON shows it.

    >>> cell(datetime(2024, 5, 1)), cell(float("inf")), cell("a" * 90)[-2:]
    ('2024-05-01T00:00:00', 'inf', 'a…')
    """
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, bool | int | None):
        return value
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _kinds(old: StoredRows, new: StoredRows, name: str) -> tuple[str, str]:
    return kind_of(old.schema[name]), kind_of(new.schema[name])


def _check_columns(old: StoredRows, new: StoredRows, shared: Sequence[str], key: Sequence[str]) -> None:
    for side in (old, new):
        for name in key:
            if name not in side.schema:
                raise SchemaError(f"{side.name}: no key column {name!r}; {nearest(name, side.schema)}")
    for name in key:
        kinds = _kinds(old, new, name)
        if kinds[0] != kinds[1] and set(kinds) != {"integer", "number"}:
            raise SchemaError(
                f"key {name!r} is {kinds[0]} in {old.name} and {kinds[1]} in {new.name}, so no row would match; make them alike"
            )
    if not shared:
        raise SchemaError(f"{old.name} and {new.name} have no column in common ({', '.join(old.schema)}; {', '.join(new.schema)})")


def _unique(side: StoredRows, hashes: Hashes, key: Sequence[str]) -> Hashes:
    place = doubled(hashes)
    if place is not None:
        row = side.take(np.array([place], np.uint32), key).row(0, named=True)
        shown = ", ".join(f"{name}={cell(value)!r}" for name, value in row.items())
        raise SchemaError(f"{side.name}: more than one row has the key {shown}; name more key columns, or none to compare whole rows")
    return hashes


def _hashed(side: StoredRows, places: Places, columns: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return a hash of each value: shape (places, columns)."""
    order = np.argsort(places, kind="stable")
    made = np.empty((len(places), len(columns)), np.uint64)
    for where, frame in side.at(places[order], columns):
        for number, name in enumerate(columns):
            made[order[where], number] = row_hashes(frame.select(name))[0]
    return made


def _examples(
    old: StoredRows, new: StoredRows, found: Matches, firsts: Mapping[str, Pairs], key: Sequence[str]
) -> dict[str, tuple[Change, ...]]:
    if not firsts:
        return {}
    pairs = np.unique(np.concatenate(list(firsts.values())))
    keys = [{name: cell(value) for name, value in row.items()} for row in _taken(old, found.old[pairs], key)]
    before, now = (_taken(side, places[pairs], list(firsts)) for side, places in ((old, found.old), (new, found.new)))
    row_of = {pair: row for row, pair in enumerate(pairs.tolist())}
    return {
        name: tuple(Change(keys[row], cell(before[row][name]), cell(now[row][name])) for row in (row_of[pair] for pair in first.tolist()))
        for name, first in firsts.items()
    }


def _taken(side: StoredRows, places: Places, columns: Sequence[str]) -> list[dict[str, object]]:
    """Return rows at places in any order."""
    order = np.argsort(places, kind="stable")
    rows = side.take(places[order], columns).to_dicts()
    return [rows[place] for place in np.argsort(order, kind="stable")]


def _with_rows(
    about: Difference,
    old: StoredRows,
    new: StoredRows,
    found: Matches,
    columns: Sequence[str],
    changed: int,
    changes: tuple[ColumnChanges, ...],
) -> Difference:
    return replace(
        about,
        added=len(found.added),
        removed=len(found.removed),
        changed=changed,
        columns=changes,
        added_rows=_shown(new, found.added, columns),
        removed_rows=_shown(old, found.removed, columns),
    )


def _shown(side: StoredRows, places: Places, columns: Sequence[str]) -> tuple[Row, ...]:
    rows: Iterable[dict[str, object]] = side.take(places[:EXAMPLES], columns[:SHOWN]).to_dicts()
    return tuple({name: cell(value) for name, value in row.items()} for row in rows)
