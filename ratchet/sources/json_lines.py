"""JSON lines: one flat object a line, as a stream of typed tables.

JSON has types of its own, and they count: "7" is a text and 7 is a number. A column's kind is the one that all its values agree on; whole
numbers and fractions agree on number. Texts that are all times become times, because JSON has no other way to write one. Where values
disagree, the column is text and each value is written as JSON writes it (7, 2.5, true). A key that is absent from a line is missing there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from ratchet.data.agreement import ReadAgain
from ratchet.data.parsing import parse_times
from ratchet.errors import SchemaError, SourceError
from ratchet.sources.encodings import TextStream
from ratchet.sources.names import check_names
from ratchet.sources.records import whole_lines
from ratchet.sources.texts import TextSource

LONGEST_LINE = 16 << 20
CHUNK = LONGEST_LINE  # objects take several times the memory of their text
MOST_KEYS = 20_000  # columns; more are names that hold data
INT64 = range(-(1 << 63), 1 << 63)
WIDENING = {frozenset(("integer", "number")): "number", frozenset(("datetime", "string")): "string"}
DTYPES = {
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "datetime": pl.String,
    "missing": pl.String,
    "string": pl.String,
}

Row = dict[str, Any]


class JsonLinesSource(TextSource):
    """A text of JSON lines."""

    def __init__(self, path: Path, shown: str = "", encoding: str = "", *, chunk: int = CHUNK) -> None:
        """Name a text, as `TextSource` does, and the bytes of a piece, about."""
        super().__init__(path, shown, encoding)
        self._chunk = chunk
        self._kinds: dict[str, str] = {}

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield the rows as typed tables, in order; columns in the order in which their keys first appear.

        Raises:
            ReadAgain: at the end: a later line has another key or kind; ask for the batches again.
            SourceError: the text is empty, or a line is no JSON, too long, or in another encoding.
            SchemaError: a value is nested, a key is there twice, or there are too many keys.
        """
        void, rows = False, 0
        with self._text() as text:
            for begin, lines in self._lines(text):
                objects = [self._object(line, begin + place) for place, line in enumerate(lines) if line.strip()]
                if not objects:
                    continue
                before = dict(self._kinds)
                columns = self._columns(objects, begin)
                void |= bool(rows) and before != self._kinds
                rows += len(objects)
                if columns and not void:
                    yield pl.DataFrame(columns)
        if void:
            raise ReadAgain
        if not rows or not self._kinds:
            raise SourceError(f"{self._shown}: the file holds no line with an object that has a key; check the export that wrote it")

    def _lines(self, text: TextStream) -> Iterator[tuple[int, list[bytes]]]:
        begin = 1
        for chunk in whole_lines(b"", text, self._shown, size=self._chunk):
            lines = chunk.split(b"\n")
            if not lines[-1]:
                lines.pop()
            yield begin, lines
            begin += len(lines)

    def _object(self, line: bytes, number: int) -> Row:
        where = f"{self._shown}: line {number:,}"
        if len(line) > LONGEST_LINE:
            raise SourceError(f"{where} is longer than {LONGEST_LINE:,} bytes; write one object a line")
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise self._not_json(line, where, error) from error
        if not isinstance(row, dict):
            what = "an array" if isinstance(row, list) else f"{line[:40].decode('utf-8', 'replace')!r}"
            raise SchemaError(f'{where} is {what}, not an object; write one object a line, e.g. {{"id": 1, "price": 2.5}}')
        for key, value in row.items():
            if type(value) not in _SCALARS:
                what = "an array" if isinstance(value, list) else "an object"
                message = f"{where}: key {key!r} holds {what}; flatten it to keys of its own before export, or leave it out"
                raise SchemaError(message)
            if type(value) is float and abs(value) >= INT64.stop:
                row[key] = _exact(line, key)
        if line.count(b'":') != len(row) or b'" ' in line or b'"\t' in line:
            _check_pairs(line, where)  # only where a key may be there twice: it costs ten times the parsing
        return row

    def _columns(self, objects: list[Row], begin: int) -> list[pl.Series]:
        names, known = dict.fromkeys(self._kinds), len(self._kinds)
        for row in objects:
            if not row.keys() <= names.keys():
                names |= dict.fromkeys(row)
                if len(names) > MOST_KEYS:
                    raise SchemaError(
                        f"{self._shown}: line {begin:,} and those before have more than {MOST_KEYS:,} keys; "
                        "keys that hold data (ids, dates) must become values of a column"
                    )
        columns = []
        for name in names:
            values = [row.get(name) for row in objects]
            kind = self._kinds[name] = _widened(self._kinds.get(name, "missing"), _kind(values))
            columns.append(_series(name, values, kind))
        if any(not name.strip() for name in names):
            raise SchemaError(f"{self._shown}: a key is empty; give each key a name")
        if len(names) > known:
            check_names(list(names), self._shown)
        return columns

    def _not_json(self, line: bytes, where: str, error: orjson.JSONDecodeError) -> SourceError:
        try:
            line.decode()
        except UnicodeDecodeError:
            return self._not_text() or SourceError(f"{where} is not UTF-8 text; declare its encoding")
        shown = line[max(0, error.pos - 20) : error.pos + 40].decode("utf-8", "replace")
        remedy = (
            "JSON has no NaN or Infinity: write null" if any(word in line for word in (b"NaN", b"Infinity")) else "write one object a line"
        )
        return SourceError(f"{where} is no JSON ({error.msg}, at {shown!r}); {remedy}")


_SCALARS = {str, int, float, bool, type(None)}


def _check_pairs(line: bytes, where: str) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> Row:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise SchemaError(f"{where}: key {name!r} is there twice; give each value its own key")
        return dict(pairs)

    json.loads(line, object_pairs_hook=unique, parse_int=str)


def _exact(line: bytes, key: str) -> Any:
    """Return a number beyond 64 bits as the text that it was written as, where it is a whole one."""
    value = json.loads(line, parse_int=str)[key]
    return value if isinstance(value, str) else float(value)


def _kind(values: list[Any]) -> str:
    types = {type(value) for value in values} - {type(None)}
    if not types:
        return "missing"
    if types == {bool}:
        return "boolean"
    if types == {str}:
        texts = pl.Series(values, dtype=pl.String).str.strip_chars()
        present = texts.set(texts == "", None).drop_nulls()
        return "missing" if present.is_empty() else "string" if _misfits(present) else "datetime"
    if types == {int}:
        return "integer" if all(value in INT64 for value in values if value is not None) else "string"
    return "number" if types <= {int, float} and all(value in INT64 for value in values if type(value) is int) else "string"


def _misfits(texts: pl.Series) -> int:
    """Return how many texts are no times; the first few decide where they can."""
    return parse_times(texts.head(100)).null_count() or parse_times(texts).null_count()


def _widened(known: str, found: str) -> str:
    if known == found or found == "missing":
        return known
    return found if known == "missing" else WIDENING.get(frozenset((known, found)), "string")


def _series(name: str, values: list[Any], kind: str) -> pl.Series:
    if kind == "string":
        values = [value if value is None or type(value) is str else json.dumps(value) for value in values]
    if kind == "number":
        values = [None if value is None else float(value) for value in values]
    column = pl.Series(name, values, dtype=DTYPES[kind])
    return parse_times(column.str.strip_chars().replace("", None)).alias(name) if kind == "datetime" else column
