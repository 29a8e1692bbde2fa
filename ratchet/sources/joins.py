"""One declared join: columns of a second source, put beside the rows of the first by key, and by time where the second is a history.

A row takes at most one row of the second source and keeps its place, so rows in are rows out: a join that multiplied rows would count some
customers twice in training without anybody seeing it. A history is read as it was before the row's own time. An entry of the very same
instant is not taken: it may have been written because of the row (or later that day, where times are dates), and no feature may know that.

The join is part of ingest, so validate sees the joined columns and the content digest covers them; a request to the gateway carries them
like any other input. The second source is held in memory; what is too large for that belongs into a warehouse's own join, read by a query.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeGuard

import polars as pl

from ratchet.data.digests import content_digest
from ratchet.data.kinds import kind_of
from ratchet.data.parsing import parse_times
from ratchet.errors import ParameterError, SchemaError, nearest

PARTS = ("source", "on", "columns", "at", "how", "format", "encoding", "query", "version")
HOW = ("left", "require")
MAX_BYTES = 1 << 29  # of the second source in memory
Change = Callable[[pl.Expr], pl.Expr]
_KEY, _TIME, _PLACE, _FOUND = "\x00key", "\x00time", "\x00place", "\x00found"  # no column of a file is named so


class Reader(Protocol):
    """`ingestion.read_source`, which this module must not import: it is what calls here."""

    def __call__(self, source: str, *, format: str, encoding: str, query: str, version: str, at_most: int | None) -> pl.DataFrame:
        """Return a source as one canonical table."""
        ...


@dataclass(frozen=True, slots=True)
class Join:
    """What is joined.

    Attributes:
        source: The second source, anything that `ingest` reads.
        on: Pairs of a key column here and its name there.
        columns: Pairs of a column there and its name here; empty for all but keys and time, under their own names.
        at: Column there of the time from which an entry holds; empty where the keys are unique there.
        how: "left", where a row without a match has missing values, or "require", where it is an error.
        reading: ``format``, ``encoding``, ``query`` and ``version`` of the second source, as `ingest` takes them.
    """

    source: str
    on: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...] = ()
    at: str = ""
    how: str = "left"
    reading: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, declared: Mapping[str, Any]) -> "Join":
        """Return a join from a mapping, as a pipeline's parameter gives it.

        Args:
            declared: ``source`` and ``on`` (a name, names, or a mapping of names here to names there); and where wanted ``columns`` (names,
                or a mapping of names there to names here), ``at``, ``how``, ``format``, ``encoding``, ``query``, ``version``.

        Raises:
            ParameterError: a part is unknown, missing or not written so.

        >>> Join.parse({"source": "shops.csv", "on": {"shop": "id"}, "columns": ["city"]}).on
        (('shop', 'id'),)
        """
        for part, value in declared.items():
            if part not in PARTS:
                raise ParameterError(f"join has an unknown part {part!r}; {nearest(str(part), PARTS)}")
            if part not in ("on", "columns") and not isinstance(value, str):
                raise ParameterError(f"join: {part} is {value!r}; write a text")
        if not declared.get("source"):
            raise ParameterError("join has no source; name the second source, like {'source': 'shops.csv', 'on': ['shop_id']}")
        on, columns = _pairs("on", declared.get("on", ())), _pairs("columns", declared.get("columns", ()))
        if not on:
            raise ParameterError(f"join with {declared['source']!r} has no key; write on: the columns that are equal on both sides")
        how = declared.get("how") or "left"
        if how not in HOW:
            raise ParameterError(f"join: how is {how!r}; {nearest(how, HOW)}")
        reading = {part: declared.get(part, "") for part in ("format", "encoding", "query", "version")}
        return cls(declared["source"], on, columns, declared.get("at", ""), how, reading)

    def open(self, read: Reader, *, time_column: str = "") -> "Joined":
        """Read the second source and return what joins batches with it.

        Args:
            read: Reads it.
            time_column: Column here of each row's own time; needed with ``at``.

        Raises:
            ParameterError: there is ``at`` and no time column.
            SourceError: the source cannot be read, or is too large to be held.
            SchemaError: a column is not there, a key is there twice, or a time does not parse.
        """
        if self.at and not time_column:
            raise ParameterError(f"join with {self.source!r} by time ({self.at!r}) needs the time of each row; set time_column")
        table = read(self.source, at_most=MAX_BYTES, **self.reading)
        return Joined(self, _indexed(self, self._used(table)), time_column, content_digest(table), table.height)

    def _used(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return keys, time and wanted columns, the latter under their names here."""
        keys = [there for _, there in self.on]
        chosen = self.columns or tuple((name, name) for name in frame.columns if name not in (*keys, self.at))
        for name in (*keys, *([self.at] if self.at else []), *(there for there, _ in chosen)):
            if name not in frame.columns:
                raise SchemaError(f"join source {self.source!r} has no column {name!r}; {nearest(name, frame.columns)}")
        made = [pl.col(name).alias(f"{_KEY}{place}") for place, name in enumerate(keys)]
        made += [pl.col(self.at).alias(_TIME)] if self.at else []
        return frame.select(*made, *(pl.col(there).alias(here) for there, here in chosen), pl.lit(True).alias(_FOUND))


class Joined:
    """A second source in memory, and how many rows found a match in it so far."""

    def __init__(self, join: Join, table: pl.DataFrame, time_column: str, digest: str, rows: int) -> None:
        """Take what `Join.open` has read."""
        self.join, self.time_column, self.digest, self.rows = join, time_column, digest, rows
        self.matched = self.unmatched = 0
        self._read = self._table = table
        self._keys = [f"{_KEY}{place}" for place in range(len(join.on))]
        self._looked_up: list[pl.Expr] = []

    def apply(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of a batch, in their order, with the joined columns behind their own.

        Args:
            batch: Rows of canonical types; every batch of one schema.

        Raises:
            SchemaError: a key or the time is not there or of another kind than in the second source, a column has the name of a joined one,
                or (``how="require"``) a row has no match.
        """
        if not self._looked_up:
            self._prepare(batch.schema)
        wanted = batch.select(self._looked_up).with_row_index(_PLACE)
        found = self._newest(wanted) if self.join.at else wanted.join(self._table, on=self._keys, how="left", maintain_order="left")
        unmatched = found[_FOUND].null_count()
        if unmatched and self.join.how == "require":
            self._refuse(batch, int(found[_FOUND].is_null().arg_max() or 0), unmatched)
        self.unmatched += unmatched
        self.matched += batch.height - unmatched
        return batch.hstack(found.drop(*self._keys, _TIME, _PLACE, _FOUND, strict=False).get_columns())

    def applied(self, batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield batches joined, as if none had been: a source may be begun again, with other types."""
        self.matched = self.unmatched = 0
        self._table, self._looked_up = self._read, []
        for batch in batches:
            yield self.apply(batch)

    def notes(self) -> tuple[str, ...]:
        """Return what was joined, for the metadata of what came of it."""
        keys = ", ".join(here if here == there else f"{here} = {there}" for here, there in self.join.on)
        when = f", the newest by {self.join.at} before each row's time" if self.join.at else ""
        version = f"{self.rows:,} rows, content digest {self.digest}"
        return (f"joined {self.join.source!r} ({version}) on {keys}{when}: {self.matched:,} rows matched, {self.unmatched:,} unmatched",)

    def _prepare(self, schema: pl.Schema) -> None:
        """Make both sides' keys and times of one type, once: batches are of one schema."""
        join = self.join
        for name, (here, there) in zip(self._keys, join.on, strict=True):
            self._align(schema, here, name, f"on: {here!r} here and {there!r} in {join.source!r}", _keys_alike)
        if join.at:
            told = f"at: the time {self.time_column!r} here and {join.at!r} in {join.source!r}"
            self._align(schema, self.time_column, _TIME, told, _times_alike)
        self._table = self._table.drop_nulls(self._keys)  # a null would be found by a null
        for name in self._table.columns:
            if name in schema:
                raise SchemaError(
                    f"join with {join.source!r} brings a column {name!r}, which is here already; name columns, or rename it: "
                    f"columns: {{{name!r}: 'another name'}}"
                )

    def _align(self, schema: pl.Schema, here: str, name: str, told: str, alike: Callable[[str, str], tuple[Change, Change] | None]) -> None:
        if here not in schema:
            raise SchemaError(f"join with {self.join.source!r}: no column {here!r} here; {nearest(here, schema)}")
        ours, theirs = kind_of(schema[here]), kind_of(self._table.schema[name])
        changes = alike(ours, theirs)
        if changes is None:
            raise SchemaError(f"join {told} are {ours} and {theirs}, so nothing would match; make them alike in one of the sources")
        self._looked_up.append(changes[0](pl.col(here)).alias(name))
        self._table = self._table.with_columns(changes[1](pl.col(name)))

    def _newest(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Return for each row the newest entry before its time."""
        timed = wanted.filter(pl.col(_TIME).is_not_null()).sort(_TIME)
        found = timed.join_asof(
            self._table, on=_TIME, by=self._keys, strategy="backward", allow_exact_matches=False, check_sortedness=False
        )
        return wanted.select(_PLACE).join(found, on=_PLACE, how="left", maintain_order="left")

    def _refuse(self, batch: pl.DataFrame, place: int, count: int) -> NoReturn:
        names = [here for here, _ in self.join.on] + ([self.time_column] if self.join.at else [])
        key = ", ".join(f"{name}={batch[name][place]!r}" for name in names)
        row = self.matched + self.unmatched + place + 1
        more = f" (nor have {count - 1:,} more of these rows)" if count > 1 else ""
        raise SchemaError(f"join: row {row:,} ({key}) has no match in {self.join.source!r}{more}; add it there, or join with how: left")


def _pairs(part: str, given: object) -> tuple[tuple[str, str], ...]:
    listed = [given] if isinstance(given, str) else given
    named = dict(listed) if isinstance(listed, Mapping) else {name: name for name in listed} if _is_list(listed) else {"": ""}
    if not all(isinstance(name, str) and name for pair in named.items() for name in pair):
        raise ParameterError(f"join: {part} is {given!r}; write column names, like ['shop_id'], or a mapping of two names")
    second = list(named.values())
    if len(set(second)) < len(second):
        doubled = next(name for name in second if second.count(name) > 1)
        raise ParameterError(f"join: {part} is {given!r}, which means {doubled!r} twice; name it once")
    return tuple(named.items())


def _is_list(given: object) -> TypeGuard[list[Any]]:
    return isinstance(given, list | tuple) and all(isinstance(name, str) for name in given)


def _indexed(join: Join, table: pl.DataFrame) -> pl.DataFrame:
    """Return the entries that can be found, each once: sorted by time where it is a history."""
    if join.at:
        table = table.with_columns(_times(join, table[_TIME]))
    place = [name for name in table.columns if name.startswith((_KEY, _TIME))]
    table = table.with_columns(pl.col(name).fill_nan(None) for name in place if table.schema[name].is_float())
    entries = table.drop_nulls(place)  # what has no key or no time can never be meant
    doubled = entries.select(place).is_duplicated()
    if doubled.any():
        row = entries.row(doubled.arg_max() or 0, named=True)
        names = [there for _, there in join.on] + ([join.at] if join.at else [])
        key = ", ".join(f"{name}={row[made]!r}" for name, made in zip(names, place, strict=True))
        remedy = "keep one entry of each instant" if join.at else "make it unique, or name its time with at: where it is a history"
        raise SchemaError(f"join source {join.source!r} has {key} more than once; {remedy}")
    return entries.sort(_TIME) if join.at else entries


def _times(join: Join, times: pl.Series) -> pl.Series:
    if kind_of(times.dtype) != "string":
        return times
    parsed = parse_times(times.str.strip_chars())
    bad = (parsed.is_null() & times.is_not_null()).arg_true()
    if len(bad):
        row = int(bad[0])
        raise SchemaError(
            f"join source {join.source!r}: {join.at!r} is {times[row]!r} in row {row + 1:,}, no date; write 2024-03-31T18:05:00"
        )
    return parsed


def _keys_alike(ours: str, theirs: str) -> tuple[Change, Change] | None:
    """Return what makes keys of two kinds comparable, here and there; None where nothing does."""
    if {ours, theirs} == {"integer", "number"}:
        return (_same, _whole) if ours == "integer" else (_whole, _same)
    return (_present, _present) if ours == theirs == "number" else (_same, _same) if ours == theirs else None


def _times_alike(ours: str, theirs: str) -> tuple[Change, Change] | None:
    if {ours, theirs} <= {"integer", "number"}:
        return (_same, _same) if ours == theirs == "integer" else (_double, _double)
    return (_same, _same) if ours == theirs == "datetime" else None


def _same(column: pl.Expr) -> pl.Expr:
    return column


def _present(column: pl.Expr) -> pl.Expr:
    return column.fill_nan(None)


def _double(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.Float64).fill_nan(None)


def _whole(column: pl.Expr) -> pl.Expr:
    """A number as the integer that it is equal to; where it is none it has no match."""
    return pl.when(column == column.floor()).then(column).cast(pl.Int64, strict=False)
