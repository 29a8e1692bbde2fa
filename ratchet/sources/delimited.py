"""Delimited text: CSV and its relatives, Excel's among them, as a stream of typed tables.

What a reader would guess is settled here from the first lines (delimiter, header, what Excel adds); which of the two readers takes the rows
follows from the rows themselves, and what types the columns have from all of their values. Nothing is padded, cut or skipped.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from ratchet.data.agreement import Agreement, ReadAgain
from ratchet.data.staging import scratch, writing
from ratchet.errors import SchemaError, SourceError
from ratchet.sources.encodings import TextStream
from ratchet.sources.names import check_names, nameless
from ratchet.sources.packed import is_packed
from ratchet.sources.records import CHUNK, Layout, Unusual, quick_records, whole_lines
from ratchet.sources.strict_records import NotText, strict_records
from ratchet.sources.texts import TextSource

DELIMITERS = (",", ";", "\t", "|")
COMMAS = (";", "\t")  # between fields divided by these, 1.234,56 is a number
SAMPLE_LINES = 200
HEAD = 1 << 20  # bytes in which the header must end
SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # Excel's first line, which names the delimiter


class DelimitedSource(TextSource):
    """A delimited text."""

    def __init__(self, path: Path, shown: str = "", encoding: str = "", *, chunk: int = CHUNK) -> None:
        """Name a text, as `TextSource` does, and the bytes of a piece, about."""
        super().__init__(path, shown, encoding)
        self._chunk = chunk
        self._agreement: Agreement | None = None
        self._strict = False

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield the rows as typed tables, in order.

        Raises:
            ReadAgain: at the end, or on the way: what came is void, ask for the batches again.
            SourceError: the text is empty, has no rows, is in another encoding, or a row has too few or too many fields.
            SchemaError: a column has no name, two have the same, or there is no header.
        """
        with self._text() as text:
            begin = _head(text)
            layout = self._layout(begin)
            agreement = self._agreement = self._agreement or Agreement(commas=layout.delimiter in COMMAS)
            rows = self._strict_rows(layout, text) if self._strict else self._quick_rows(layout, begin[layout.begin :], text, agreement)
            seen = 0
            for table in agreement.typed(self._without_trailing(rows, layout)):
                seen += table.height
                yield table
        if not seen:
            header = "".join(sign if sign.isprintable() else " " for sign in ", ".join(layout.names[:6])[:120])
            raise SourceError(f"{self._shown}: there is a header ({header}) but not one row below it; check the export")

    def _layout(self, begin: bytes) -> Layout:
        if not begin.strip():
            size = self._path.stat().st_size
            raise SourceError(f"{self._shown}: the file is empty ({size} bytes); check the export that wrote it")
        whole = begin if len(begin) < HEAD else begin[: begin.rfind(b"\n") + 1] or begin
        try:
            text = whole.decode()
        except UnicodeDecodeError:
            raise self._undeclared() from None
        return layout_of(text, self._shown)

    def _quick_rows(self, layout: Layout, begin: bytes, text: TextStream, agreement: Agreement) -> Iterator[pl.DataFrame]:
        chunks = whole_lines(begin, text, self._shown, lines=layout.lines, size=self._chunk)
        try:
            yield from quick_records(chunks, layout, agreement.direct, agreement.kinds)
        except Unusual:
            self._strict = True
            raise ReadAgain from None

    def _strict_rows(self, layout: Layout, text: TextStream) -> Iterator[pl.DataFrame]:
        with scratch("ratchet-text") as folder:
            plain, header = self._plain(layout, text, folder)
            try:
                yield from strict_records(plain, layout, self._shown, header=header, size=self._chunk)
            except NotText:
                raise self._undeclared() from None

    def _plain(self, layout: Layout, text: TextStream, folder: Path) -> tuple[Path, bool]:
        """Return a plain UTF-8 file and whether it has the header: the file itself where it is one, else a copy of the rows."""
        if layout.simple and text.as_it_is and not is_packed(self._path):
            while text.read(HEAD):  # looks at every byte
                pass
            return self._path, True
        plain = folder / "rows.csv"
        with writing(plain, "scratch file"), plain.open("wb") as copy, self._text() as again:
            left = layout.begin
            while block := again.read(HEAD):
                copy.write(block[left:])
                left = max(0, left - len(block))
        return plain, False

    def _without_trailing(self, tables: Iterator[pl.DataFrame], layout: Layout) -> Iterator[pl.DataFrame]:
        extra = layout.places[len(layout.names) :]
        for table in tables:
            for place, name in enumerate(extra, start=len(layout.names) + 1):
                if table[name].null_count() < table.height:
                    value = table[name].drop_nulls()[0]
                    raise nameless(place, self._shown, f" and holds {value!r}")
            yield table.drop(extra)
        if extra:
            self.notes = (f"{len(extra)} empty columns without a name, at the end of each row, were dropped",)

    def _undeclared(self) -> SourceError:
        return self._not_text() or SourceError(f"{self._shown}: this is not UTF-8 text; declare its encoding")


def read_delimited(path: Path, encoding: str = "") -> pl.DataFrame:
    """Return a CSV file, packed or not, as one typed table.

    The delimiter is the one of comma, semicolon, tab and bar that splits the first lines into equal rows. The first line names the
    columns. Empty fields are missing values. Types are those that all values of a column agree on (`parsing.agreed`).

    Args:
        path: An existing file.
        encoding: As a person declares it; empty for UTF-8, or what a byte order mark says.

    Raises:
        SourceError: the file is empty, has no rows, is not text of that encoding, or a row has too few or too many fields.
        SchemaError: a column has no name, two have the same, or there is no header.
        ParameterError: there is no such encoding.
    """
    source = DelimitedSource(path, encoding=encoding)
    while True:
        try:
            return pl.concat(source.batches())
        except ReadAgain:
            continue


def layout_of(text: str, shown: str) -> Layout:
    r"""Return how a delimited text is laid out.

    Args:
        text: Its first lines.
        shown: What to call it in errors.

    Raises:
        SourceError: no line can be read.
        SchemaError: the header cannot name columns.

    >>> layout = layout_of("sep=;\nid;price;\n1;2,5;\n", "a.csv")
    >>> layout.names, layout.delimiter, layout.trailing, layout.lines
    (('id', 'price'), ';', 1, 2)
    """
    given = SEPARATOR.match(text)
    begin = given.end() if given else 0
    best: tuple[float, int, str, list[list[str]]] | None = None
    for delimiter in (given[1],) if given else DELIMITERS:
        rows = _first_rows(text[begin:], shown, delimiter)
        if not rows:
            raise SourceError(f"{shown}: the file holds no line with text; check the export that wrote it")
        width = len(rows[0])
        equal = sum(len(row) == width for row in rows) / len(rows)
        if best is None or (width > 1 and (equal >= 0.5, width) > (best[0] >= 0.5 and best[1] > 1, best[1])):
            best = (equal, width, delimiter, rows)
    assert best is not None
    header = [name.strip() for name in best[3][0]]
    while len(header) > 1 and not header[-1]:
        header.pop()
    _check_header(header, shown)
    before, size = _header_size(text[begin:], best[2])
    lines = text.count("\n")
    simple = not given and before == 1
    average = len(text.encode()) // max(1, lines)
    return Layout(tuple(header), best[2], len(text[:begin].encode()) + size, bool(given) + before, best[1] - len(header), average, simple)


def _head(text: TextStream) -> bytes:
    begin = b""
    while len(begin) < HEAD and (block := text.read(HEAD - len(begin))):
        begin += block
    return begin


def _first_rows(text: str, shown: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) >= SAMPLE_LINES:
                break
    except csv.Error as error:
        if not rows:
            raise SourceError(f"{shown}: the first line cannot be split into fields ({error}); is this a CSV file?") from error
    return rows


def _header_size(text: str, delimiter: str) -> tuple[int, int]:
    """Return the lines and the bytes up to the end of the header."""
    size = 0

    def counted() -> Iterator[str]:
        nonlocal size
        for line in io.StringIO(text, newline=""):
            size += len(line.encode())
            yield line

    reader = csv.reader(counted(), delimiter=delimiter)
    while not next(reader):
        pass
    return reader.line_num, size


def _check_header(header: Sequence[str], shown: str) -> None:
    check_names(header, shown)
    if all(re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", name, re.IGNORECASE) for name in header):
        raise SchemaError(f"{shown}: the first line ({', '.join(header[:4])}) holds numbers, not names; add a header line")
