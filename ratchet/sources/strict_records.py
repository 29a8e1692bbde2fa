"""The strict way to read delimited text: every row has as many fields as the header, or the line at fault is named.

DuckDB parses, because it names the line and refuses short rows, long rows and unclosed quotes, where other readers pad, cut or swallow.
What it would guess (delimiter, header, types, lines to skip) is settled before: a guess made on a sample can differ between two months
of the same feed. All fields come out as texts, batch by batch.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ratchet.errors import SourceError
from ratchet.sources.records import CHUNK, Layout

LONGEST_LINE = CHUNK
BUFFER = LONGEST_LINE  # its own default is sixteen lines of the greatest length
MEMORY = "256MB"
OPTIONS = "skip=0, auto_detect=false, strict_mode=true, null_padding=false, ignore_errors=false"


class NotText(Exception):
    """A line is not UTF-8; whoever knows the stream says which."""


def strict_records(plain: Path, layout: Layout, shown: str, *, header: bool, size: int = CHUNK) -> Iterator[pl.DataFrame]:
    """Yield the rows of a plain UTF-8 file as texts.

    Args:
        plain: The file.
        layout: How it is laid out.
        shown: What to call it in errors.
        size: Bytes of text in a batch, about.
        header: Whether its first line is the header; else it begins with the first row, and lines are counted from where that was.

    Raises:
        SourceError: a row cannot be read.
        NotText: a byte is not UTF-8.
    """
    import duckdb

    columns = {f"c{place}": "VARCHAR" for place in range(layout.width)}  # by place: names may be anything, even differ by case only
    query = (
        "SELECT * FROM read_csv($path, delim=$delimiter, quote='\"', escape='\"', columns=$columns, header=$header, "  # noqa: S608
        f"max_line_size={LONGEST_LINE}, buffer_size={BUFFER}, {OPTIONS})"
    )
    parameters = {"path": _literal(plain), "delimiter": layout.delimiter, "columns": columns, "header": header}
    rows = max(1, size // max(1, layout.line))
    try:
        with duckdb.connect(config={"memory_limit": MEMORY, "threads": 2}) as connection:
            connection.execute("SET produce_arrow_string_view = true")
            for batch in connection.sql(query, params=parameters).to_arrow_reader(rows):
                table = pl.from_arrow(batch)
                assert isinstance(table, pl.DataFrame)
                table.columns = layout.places
                yield table
    except (duckdb.Error, OSError, ValueError) as error:
        message = str(error)
        if "unicode" in message.lower() or "utf-8" in message.lower():
            raise NotText from error
        raise SourceError(f"{shown}: {_explain(message, layout, 0 if header else layout.lines)}") from error


def _literal(path: Path) -> str:
    """Return a path in which DuckDB finds no pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _explain(message: str, layout: Layout, before: int) -> str:
    line = re.search(r"CSV Error on Line: (\d+)", message)
    where = f"line {int(line[1]) + before}" if line else "some line"
    found = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if found:
        text = re.search(r"Original Line: ?(.*)", message)
        shown = f": {text[1][:120]!r}" if text else ""
        fields = f"has {found[2]} fields where the header has {layout.width} (delimiter {layout.delimiter!r})"
        return f"{where} {fields}{shown}; repair or remove the line"
    if "aximum line size" in message or "line_size" in message:
        return f"{where} is longer than {LONGEST_LINE:,} bytes; is a quote not closed? repair or remove the line"
    if "invalid state" in message:
        return "the file mixes kinds of line end (\\n and \\r\\n), or quotes are not closed; write it again with one kind of line end"
    if "unterminated quote" in message:
        return f"{where} has a quote that is not closed, or text after a closing quote; double the quotes inside quoted fields"
    return f"{where} cannot be parsed as CSV: {message.splitlines()[0]}"
