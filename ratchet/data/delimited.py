"""Reads delimited text (CSV and its relatives) strictly: every row has as many fields as the header, or the file is refused.

DuckDB parses, because it names the line at fault and refuses short rows, long rows and unclosed quotes, where other readers pad,
cut or swallow. What it would guess (delimiter, header, types, lines to skip) is settled here instead: a guess made on a sample can
differ between two months of the same feed.
"""

import csv
import gzip
import re
import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ratchet.data.parsing import parse_texts
from ratchet.errors import SchemaError, SourceError

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 200
GZIP = b"\x1f\x8b"
OTHER_FORMATS = {
    b"PAR1": "Parquet; name it .parquet",
    b"PK\x03\x04": "a zip archive or a spreadsheet; unpack it, or export it as CSV",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"BZh": "bzip2; unpack it, or compress with gzip",
    b"\x28\xb5\x2f\xfd": "zstd; unpack it, or compress with gzip",
}


def read_delimited(path: Path) -> pl.DataFrame:
    """Return a CSV file, gzipped or not, as a typed table.

    The delimiter is the one of comma, semicolon, tab and bar that splits the first lines into equal rows. The first line names the
    columns. Empty fields are missing values. Types are those that all values of a column agree on (`parsing.parse_texts`).

    Args:
        path: An existing file.

    Raises:
        SourceError: the file is empty, has no rows, is not UTF-8 text, or a row has too few or too many fields.
        SchemaError: a column has no name, two have the same, or there is no header.
    """
    with tempfile.TemporaryDirectory(prefix="ratchet-csv-") as scratch:
        plain = _unpacked(path, Path(scratch))
        _check_text(plain, path)
        header, delimiter = sniff(plain, path)
        frame = _read_texts(plain, path, header, delimiter)
    if frame.is_empty():
        raise SourceError(f"{path}: there is a header ({', '.join(header[:6])}) but not one row below it; check the export")
    return parse_texts(frame)


def sniff(plain: Path, path: Path) -> tuple[list[str], str]:
    """Return the column names and the delimiter of a text file.

    Args:
        plain: The unpacked file.
        path: What to call it in errors.

    Raises:
        SourceError: no line can be read.
        SchemaError: the header cannot name columns.
    """
    best: tuple[float, int, str, list[str]] | None = None
    for delimiter in DELIMITERS:
        rows = _first_rows(plain, path, delimiter)
        if not rows:
            raise SourceError(f"{path}: the file holds no line with text; check the export that wrote it")
        width = len(rows[0])
        equal = sum(len(row) == width for row in rows) / len(rows)
        if best is None or (width > 1 and (equal >= 0.5, width) > (best[0] >= 0.5 and best[1] > 1, best[1])):
            best = (equal, width, delimiter, rows[0])
    assert best is not None
    header = [name.strip() for name in best[3]]
    _check_header(header, path)
    return header, best[2]


def _first_rows(plain: Path, path: Path, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        with plain.open(encoding="utf-8-sig", newline="") as text:
            for row in csv.reader(text, delimiter=delimiter):
                if row:
                    rows.append(row)
                if len(rows) >= SAMPLE_LINES:
                    break
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: not UTF-8 text (byte {error.object[error.start]:#04x}); save it as UTF-8") from error
    except csv.Error as error:
        if not rows:
            raise SourceError(f"{path}: the first line cannot be split into fields ({error}); is this a CSV file?") from error
    return rows


def _check_header(header: Sequence[str], path: Path) -> None:
    for place, name in enumerate(header, start=1):
        if not name:
            raise SchemaError(f"{path}: column {place} has no name; name it in the first line, or leave it out (pandas: index=False)")
    for name, times in Counter(header).items():
        if times > 1:
            raise SchemaError(f"{path}: column {name!r} is there {times} times; give each column its own name")
    if all(re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", name, re.IGNORECASE) for name in header):
        raise SchemaError(f"{path}: the first line ({', '.join(header[:4])}) holds numbers, not names; add a header line")


def _check_text(plain: Path, path: Path) -> None:
    with plain.open("rb") as stream:
        head = stream.read(65_536)
    if not head.strip():
        raise SourceError(f"{path}: the file is empty ({plain.stat().st_size} bytes); check the export that wrote it")
    for magic, what in OTHER_FORMATS.items():
        if head.startswith(magic):
            raise SourceError(f"{path}: this is not CSV text but {what}")
    if b"\0" in head:
        raise SourceError(f"{path}: byte {head.index(0):,} is a NUL, so this is binary, not CSV text; give a CSV or Parquet file")


def _unpacked(path: Path, scratch: Path) -> Path:
    with path.open("rb") as stream:
        if stream.read(2) != GZIP:
            return path
    plain = scratch / "plain.csv"
    try:
        with gzip.open(path) as packed, plain.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path}: the gzip stream is damaged or cut short ({error}); transfer the file again") from error
    return plain


def _read_texts(plain: Path, path: Path, header: Sequence[str], delimiter: str) -> pl.DataFrame:
    import duckdb

    columns = {f"c{place}": "VARCHAR" for place in range(len(header))}  # by place: names may be anything, even differ by case only
    options = "header=true, skip=0, auto_detect=false, strict_mode=true, null_padding=false, ignore_errors=false"
    query = f"SELECT * FROM read_csv($path, delim=$delimiter, quote='\"', escape='\"', columns=$columns, {options})"  # noqa: S608
    try:
        with duckdb.connect() as connection:
            table = connection.sql(query, params={"path": _literal(plain), "delimiter": delimiter, "columns": columns}).to_arrow_table()
    except duckdb.Error as error:
        raise SourceError(f"{path}: {_explain(str(error), len(header), delimiter)}") from error
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    frame.columns = list(header)
    return frame


def _literal(path: Path) -> str:
    """Return a path in which DuckDB finds no pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _explain(message: str, width: int, delimiter: str) -> str:
    line = re.search(r"CSV Error on Line: (\d+)", message)
    where = f"line {line[1]}" if line else "some line"
    found = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if found:
        text = re.search(r"Original Line: ?(.*)", message)
        shown = f": {text[1][:120]!r}" if text else ""
        return f"{where} has {found[2]} fields where the header has {width} (delimiter {delimiter!r}){shown}; repair or remove the line"
    if "unicode" in message:
        return f"{where} is not UTF-8 text; save the file as UTF-8"
    if "invalid state" in message:
        return "the file mixes kinds of line end (\\n and \\r\\n), or quotes are not closed; write it again with one kind of line end"
    if "unterminated quote" in message:
        return f"{where} has a quote that is not closed, or text after a closing quote; double the quotes inside quoted fields"
    return f"{where} cannot be parsed as CSV: {message.splitlines()[0]}"
