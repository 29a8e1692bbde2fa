"""Text in any encoding, as a stream of UTF-8.

What an encoding is cannot be known from bytes, only refuted: every byte is valid Latin-1. So nothing is guessed. UTF-8 is taken by
default and checked, a byte order mark is believed, and all else is declared by who knows it; an error says which declarations would fit.
"""

import codecs
import re
from collections.abc import Iterator

from ratchet.errors import ParameterError, SourceError, nearest
from ratchet.sources.packed import Stream

BLOCK = 1 << 20
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"}
MARKS |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
OTHER_FORMATS = {  # first bytes, in small letters
    b"par1": "Parquet; name it .parquet",
    b"pk\x03\x04": "a zip archive or a spreadsheet; unpack it, or export it as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet of old Excel; export it as CSV",
    b"bzh": "bzip2; unpack it, or compress with gzip or zstd",
    b"\xfd7zxz": "xz; unpack it, or compress with gzip or zstd",
    b"7z\xbc\xaf": "a 7z archive; unpack it, or compress with gzip or zstd",
    b"\x1f\x8b": "packed twice, by gzip; unpack it once",
    b"\x28\xb5\x2f\xfd": "packed twice, by zstd; unpack it once",
    b"sqlite format 3\0": "a database of SQLite; give sqlite:///its/path and a query",
    b"%pdf": "a PDF; export the table as CSV",
    b"<?xml": "XML; export the table as CSV or JSON lines",
    b"<!doctype": "a page of HTML, perhaps that of a login; fetch the file itself",
    b"<html": "a page of HTML, perhaps that of a login; fetch the file itself",
}
USUAL = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "latin-1",
    "cp1252",
    "cp1250",
    "cp1251",
    "iso8859-15",
    "shift_jis",
    "gb18030",
    "mac-roman",
)
LIKELY = ("cp1252", "latin-1")
SHOWN = 60


def declared(encoding: str) -> str:
    """Return the encoding's own name, or an empty text where none is declared.

    Raises:
        ParameterError: there is no such encoding of text.

    >>> declared("Latin1"), declared("")
    ('iso8859-1', '')
    """
    if not encoding.strip():
        return ""
    try:
        found = codecs.lookup(encoding.strip())
        "".encode(encoding.strip())  # some codecs, e.g. base64, are no encodings of text
    except (LookupError, ValueError) as error:
        raise ParameterError(f"parameter 'encoding' is {encoding!r}; {nearest(encoding.lower(), USUAL)}") from error
    return found.name


class TextStream:
    """A stream as UTF-8 without a byte order mark.

    Bytes of the default encoding pass through as they are, because every reader checks UTF-8 by itself; `fault` then finds the place.

    Attributes:
        as_it_is: Whether the bytes pass through.
    """

    def __init__(self, stream: Stream, encoding: str, shown: str) -> None:
        """Open a stream.

        Args:
            stream: The bytes, from their start.
            encoding: A name from `declared`; empty goes by the byte order mark, and is UTF-8 without one.
            shown: What to call it in errors.
        """
        self._stream, self._shown = stream, shown
        head = stream.read(BLOCK)
        for magic, what in OTHER_FORMATS.items():
            if head.lstrip()[: len(magic)].lower() == magic:
                raise SourceError(f"{shown}: this is not text of rows but {what}")
        mark = next((mark for mark in MARKS if head.startswith(mark)), b"")
        marked = MARKS.get(mark, "")
        if encoding and mark and encoding.replace("-le", "").replace("-be", "") != marked:
            message = (
                f"{shown}: encoding {encoding!r} was declared, but the file begins with the mark of {marked}; declare that, or nothing"
            )
            raise SourceError(message)
        self._encoding = encoding or marked or "utf-8"
        self.as_it_is = self._encoding == "utf-8"
        self._decoder = None if self.as_it_is else codecs.getincrementaldecoder(self._encoding)()
        self._ahead = head[len(mark) :] if self.as_it_is or self._encoding.endswith(("-le", "-be")) else head
        self._lines = self._passed = 0
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """Return the next bytes of UTF-8, about so many; none at the end.

        Raises:
            SourceError: a byte is none of the encoding's, or a NUL.
        """
        block = self._next(size)
        place = block.find(0)
        if place >= 0:
            hint = "" if self._decoder else "; if it is UTF-16 without a mark, declare encoding utf-16-le or utf-16-be"
            message = f"byte {self._passed + place:,} is a NUL, so this is binary, not CSV text; give a CSV or Parquet file{hint}"
            raise SourceError(f"{self._shown}: {message}")
        self._passed += len(block)
        return block

    def _next(self, size: int) -> bytes:
        while True:
            block = self._ahead or self._stream.read(size)
            self._ahead = b""
            if self._decoder is None or self._ended:
                return b"" if self._ended else block
            self._ended = not block
            text = self._decoded(block)
            if text or self._ended:
                return text.encode()

    def _decoded(self, block: bytes) -> str:
        assert self._decoder is not None
        try:
            text = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            at = error.object[: error.start].decode(self._encoding, "ignore")
            line = self._lines + at.count("\n") + 1
            value = error.object[error.start : error.start + 1].hex() or "end"
            message = (
                f"{self._shown}: line {line:,} is not {self._encoding} text (byte 0x{value}); declare the encoding that it was saved in"
            )
            raise SourceError(message) from error
        self._lines += text.count("\n")
        return text


def fault(blocks: Iterator[bytes], shown: str) -> SourceError | None:
    """Return the error that names the first place at which a text is not UTF-8, or None where it is.

    Args:
        blocks: The bytes of the text, from their start.
        shown: What to call it.

    >>> fault(iter([b"city\\nTroms\\xf8\\n"]), "a.csv").args[0]
    "a.csv: line 2 is not UTF-8 text (byte 0xf8, after 'Troms'); declare its encoding: cp1252 makes it 'Tromsø', latin-1 'Tromsø'"
    """
    decoder, lines, beyond, tail = codecs.getincrementaldecoder("utf-8")(), 1, False, b""
    for block in (*_each(blocks), b""):
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            data, at = error.object, error.start
            beyond = beyond or not data[:at].isascii()
            line = lines + data.count(b"\n", 0, at)
            before = (tail + data[:at]).rpartition(b"\n")[2][-SHOWN:]
            after = re.split(rb"[\r\n]", data[at : at + SHOWN])[0]
            return _refusal(shown, line, data[at], before, after, beyond)
        lines += block.count(b"\n")
        beyond = beyond or not text.isascii()
        tail = (tail + block)[-SHOWN:]
    return None


def _each(blocks: Iterator[bytes]) -> Iterator[bytes]:
    while block := next(blocks, b""):
        yield block


def _refusal(shown: str, line: int, byte: int, before: bytes, after: bytes, beyond: bool) -> SourceError:
    begun = before.decode("utf-8", "ignore")
    where = f"{shown}: line {line:,} is not UTF-8 text (byte {byte:#04x}, after {begun[-20:]!r})"
    if beyond:
        return SourceError(f"{where}, and text before it is: the file mixes encodings; write all of it in one, best in UTF-8")
    word = begun.split()[-1] if begun and not begun[-1].isspace() else ""
    word = re.split(r"[,;\t|\"]", word)[-1]
    rest = re.split(rb"[\s,;|\"]", after)[0]
    made: list[str] = []
    for encoding in LIKELY:
        try:
            made.append(f"{encoding}{' makes it' if not made else ''} {word + rest.decode(encoding)!r}")
        except UnicodeDecodeError:
            continue
    return SourceError(f"{where}; declare its encoding: {', '.join(made) or 'it is none of the usual ones'}")
