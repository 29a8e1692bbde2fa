"""A file or folder on this machine, in whichever of the formats it is."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ratchet.data.kinds import canonical
from ratchet.errors import DataError, ParameterError, SourceError, nearest
from ratchet.sources.delimited import DelimitedSource
from ratchet.sources.encodings import declared
from ratchet.sources.json_lines import JsonLinesSource
from ratchet.sources.packed import PACKINGS, is_packed
from ratchet.sources.parquet_files import SUFFIXES, parquet_batches

FORMATS = ("csv", "jsonl", "parquet", "delta")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
PARQUET = b"PAR1"


class LocalSource:
    """A local file or folder that can be read from its start several times, and must not change meanwhile."""

    def __init__(self, path: Path, shown: str, format: str = "", encoding: str = "") -> None:
        """Look at what is there; its rows are not read yet.

        Args:
            path: A file, or a folder of Parquet parts.
            shown: What to call it in errors.
            format: One of `FORMATS`; empty goes by the name and the first bytes.
            encoding: Of the text; empty for UTF-8, or what a byte order mark says.

        Raises:
            SourceError: it is not there, or may not be read.
            ParameterError: an encoding is declared for what is no text.
        """
        self._path, self._shown = path, shown
        try:
            _check_there(path, shown)
            self._format = format or format_of(path)
        except OSError as error:
            raise self._unreadable(error) from error
        self._text: DelimitedSource | JsonLinesSource | None = None
        if self._format == "parquet":
            if declared(encoding):
                raise ParameterError(f"parameter 'encoding' is {encoding!r}, but source {shown!r} is Parquet; leave 'encoding' empty")
        elif path.is_dir():
            raise SourceError(f"source {shown!r} is a folder; name one {self._format} file in it, or give a folder of Parquet parts")
        else:
            self._text = (JsonLinesSource if self._format == "jsonl" else DelimitedSource)(path, shown, encoding)

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield the rows as canonical tables, in order.

        Raises:
            ReadAgain: what came is void; ask for the batches again.
            SourceError: it cannot be read, has no rows, or changed while it was read.
            SchemaError: its columns cannot be used.
        """
        try:
            before = self._state()
            try:
                for batch in self._text.batches() if self._text else parquet_batches(self._path, self._shown):
                    yield canonical(batch, self._shown)
            except DataError as error:  # what looks damaged may be half written
                if self._state() != before:
                    raise self._changed() from error
                raise
            if self._state() != before:
                raise self._changed()
        except OSError as error:
            raise self._unreadable(error) from error

    def notes(self) -> tuple[str, ...]:
        """Return what was decided while it was read, for a person."""
        return self._text.notes if self._text else ()

    def _state(self) -> list[tuple[str, int, int, int]]:
        files = sorted(self._path.rglob("*")) if self._path.is_dir() else [self._path]
        looks = [(str(file), file.stat()) for file in files if file.is_file()]
        return [(name, look.st_ino, look.st_size, look.st_mtime_ns) for name, look in looks]

    def _changed(self) -> SourceError:
        return SourceError(f"source {self._shown!r} changed while it was read; wait until whoever writes it is done, then run again")

    def _unreadable(self, error: OSError) -> SourceError:
        return SourceError(f"source {self._shown!r} cannot be read: {error.strerror or error}; check its permissions")


def _check_there(path: Path, shown: str) -> None:
    if path.is_symlink() and not path.exists():
        raise SourceError(f"source {shown!r} is a link to {str(path.readlink())!r}, which does not exist; correct the link")
    if not path.exists():
        there = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise SourceError(f"source {shown!r} does not exist; {nearest(path.name, there)} (in {path.parent})")
    if not path.is_file() and not path.is_dir():  # to open a pipe may wait for ever, and a device may never end
        raise SourceError(f"source {shown!r} is a pipe, a socket or a device; write its content to a file, and give that")


def format_of(path: Path) -> str:
    """Return the format of an existing file or folder, by its name and, where that does not say, its first bytes.

    >>> format_of(Path("data.jsonl.gz"))
    'jsonl'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = next((suffix for suffix in reversed(suffixes) if suffix not in PACKINGS), "")
    if path.is_dir() or suffix in SUFFIXES:
        return "parquet"
    if suffix in JSON_SUFFIXES:
        return "jsonl"
    if path.is_file() and not is_packed(path):
        with path.open("rb") as file:
            return "parquet" if file.read(4) == PARQUET else "csv"
    return "csv"
