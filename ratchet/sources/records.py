"""The quick way to read delimited text: whole lines at a time, by polars, where nothing about them is unusual.

Polars reads three times as fast as what vouches for every row (`ratchet.sources.strict_records`), but it fills up rows that are too short
and is lenient with quotes. So it is given only what cannot be misread: lines without a quote, with one kind of line end, whose
delimiters are counted. A row that is too long it refuses by itself; then, if all delimiters together are those of so many full rows, none
is too short. Whatever is unusual raises `Unusual`, and the file is read the strict way, which knows how to say what is wrong.

A column whose kind is known is read as numbers at once. Only two spellings of a number would be something else as text: with a leading
zero, which is looked for in the bytes, and as a whole number too long for 64 bits, which is seen from its size.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.data.parsing import LONG
from ratchet.errors import SourceError
from ratchet.sources.packed import Stream

CHUNK = 8 << 20  # bytes that are read at once, and no line is longer; larger ones cost more in page faults than they save in calls
BLOCK = 1 << 18  # bytes that the processor's cache holds while they are counted
ZERO, NINE, POINT, NEWLINE = ord("0"), ord("9"), ord("."), ord("\n")
SIGNS = (ord("+"), ord("-"))
SPACES = (ord(" "), ord("\t"))

Bytes = npt.NDArray[np.uint8]


class Unusual(Exception):
    """The quick way will not vouch for this text."""


@dataclass(frozen=True)
class Layout:
    """How a delimited text is laid out.

    Attributes:
        names: Of the columns, in order.
        delimiter: One character.
        begin: Bytes before the first row.
        lines: Lines before the first row.
        trailing: Columns without a name at the end of every row.
        line: Bytes of a line, on average.
        simple: Whether the header is the first line, and one line.
    """

    names: tuple[str, ...]
    delimiter: str
    begin: int
    lines: int
    trailing: int = 0
    line: int = 100
    simple: bool = True

    @property
    def width(self) -> int:
        """Fields of a row."""
        return len(self.names) + self.trailing

    @property
    def places(self) -> list[str]:
        """Names for all fields, with a name by place for those that have none."""
        return [*self.names, *(f"\0{place}" for place in range(self.trailing))]


def whole_lines(begin: bytes, stream: Stream, shown: str, *, lines: int = 0, size: int = CHUNK) -> Iterator[bytes]:
    r"""Yield a text in pieces that end where a line ends.

    Args:
        begin: What of the text was read already.
        stream: The rest.
        shown: What to call it in errors.
        lines: Lines that came before.
        size: Bytes of a piece, about; a line may not be longer.

    Raises:
        SourceError: a line is longer than a piece.

    >>> import io
    >>> list(whole_lines(b"a", io.BytesIO(b"b\nc\nd"), "x", size=4))
    [b'ab\n', b'c\nd']
    """
    rest, ended = begin, False
    while not ended:
        parts, have = [rest], len(rest)
        while have < size and not ended:
            parts.append(stream.read(size - have))
            have += len(parts[-1])
            ended = not parts[-1]
        data = b"".join(parts) if len(rest) or len(parts) > 2 else parts[-1]
        cut = len(data) if ended else data.rfind(b"\n", 0, size) + 1
        if not cut and not ended:
            raise SourceError(
                f"{shown}: line {lines + 1:,} is longer than {size:,} bytes; is this a table? write it with a line end after each row"
            )
        if cut:
            yield data[:cut]
        rest = data[cut:]
        lines += 0 if ended else _count(np.frombuffer(data, np.uint8, cut), NEWLINE)


def quick_records(
    chunks: Iterator[bytes], layout: Layout, direct: Callable[[Sequence[str]], Sequence[str]], kinds: dict[str, str]
) -> Iterator[pl.DataFrame]:
    """Yield rows chunk by chunk: texts, and numbers where the kind of a column is known.

    Args:
        chunks: Whole lines of the text, without its header.
        layout: How it is laid out.
        direct: Returns the columns that may be read as numbers now.
        kinds: Column to kind, as in `ratchet.data.parsing.KINDS`.

    Raises:
        Unusual: the text is such that only the strict way may read it.
    """
    ends: bytes | None = None
    for chunk in chunks:
        if b'"' in chunk:
            raise Unusual
        found = b"\r\n" if b"\r" in chunk else b"\n"
        ends = ends or found
        if found != ends:
            raise Unusual
        if found == b"\r\n":
            if not chunk.count(b"\r") == chunk.count(b"\r\n") == chunk.count(b"\n"):
                raise Unusual
            chunk = chunk.replace(b"\r\n", b"\n")
        yield _table(chunk, layout, direct(layout.names), kinds)


def _table(chunk: bytes, layout: Layout, direct: Sequence[str], kinds: dict[str, str]) -> pl.DataFrame:
    data = np.frombuffer(chunk, np.uint8)
    lines = _count(data, NEWLINE) + (not chunk.endswith(b"\n"))
    if _count(data, ord(layout.delimiter)) != lines * (layout.width - 1) or (
        layout.width == 1 and (b"\n\n" in chunk or chunk[:1] == b"\n")
    ):
        raise Unusual
    wanted = {name: pl.Int64 if kinds[name] == "integer" else pl.Float64 for name in direct}
    try:
        table = _parsed(chunk, layout, wanted)
    except pl.exceptions.PolarsError:
        if not wanted:
            raise Unusual from None
        wanted = {}
        table = _texts(chunk, layout)
    if table.height != lines:
        raise Unusual
    codes = {layout.places[place] for place in _coded(data, layout)} & set(wanted) if wanted else set()
    codes |= {name for name, dtype in wanted.items() if dtype == pl.Float64 and _is_long(table[name])}
    if codes:
        texts = _texts(chunk, layout)
        table = table.with_columns([texts[name] for name in codes])
    return table


def _texts(chunk: bytes, layout: Layout) -> pl.DataFrame:
    try:
        return _parsed(chunk, layout, {})
    except pl.exceptions.PolarsError:
        raise Unusual from None


def _parsed(chunk: bytes, layout: Layout, wanted: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    schema = {name: wanted.get(name, pl.String) for name in layout.places}
    return pl.read_csv(chunk, has_header=False, schema=schema, separator=layout.delimiter, quote_char=None)


def _count(data: Bytes, byte: int) -> int:
    return sum(int(np.count_nonzero(data[start : start + BLOCK] == byte)) for start in range(0, len(data), BLOCK))


def _is_long(numbers: pl.Series) -> bool:
    low, high = numbers.min(), numbers.max()
    return any(isinstance(end, float) and not abs(end) < LONG for end in (low, high))


def _coded(data: Bytes, layout: Layout) -> list[int]:
    """Return the places of the columns in which a number begins with a zero and another digit."""
    delimiter = ord(layout.delimiter)
    zeros = _zeros_before_digits(data, delimiter)
    before = data[zeros - 1]
    signed = np.isin(before, SIGNS)
    edge = np.where(signed, data[zeros - 2], before)
    begins = np.isin(edge, (delimiter, NEWLINE, *SPACES)) | (zeros == 0) | (signed & (zeros == 1))
    zeros = zeros[begins]
    if not len(zeros):
        return []
    ends = np.flatnonzero((data == delimiter) | (data == NEWLINE))
    return np.unique(np.searchsorted(ends, zeros) % layout.width).tolist()  # type: ignore[no-any-return]  # numpy does not say of what


def _zeros_before_digits(data: Bytes, delimiter: int) -> npt.NDArray[np.int64]:
    """Return where a zero is followed by a digit, and follows what may stand before a number: all of that is less than a point."""
    found = [np.zeros(1, np.int64)] if len(data) > 1 and data[0] == ZERO and ZERO <= data[1] <= NINE else []
    for start in range(0, len(data) - 2, BLOCK):
        block = data[start : start + BLOCK + 2]
        before = block[:-2]
        hits = (block[1:-1] == ZERO) & ((block[2:] - np.uint8(ZERO)) <= NINE - ZERO)
        hits &= (before < POINT) if delimiter < POINT else (before < POINT) | (before == delimiter)
        if hits.any():
            found.append(np.flatnonzero(hits) + start + 1)
    return np.concatenate(found) if found else np.zeros(0, np.int64)
