"""A text of rows, plain or packed: what delimited text and JSON lines have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ratchet.errors import SourceError
from ratchet.sources.encodings import TextStream, declared, fault
from ratchet.sources.packed import unpacked

BLOCK = 1 << 20


class TextSource:
    """A text that can be read from its start several times.

    Attributes:
        notes: What was decided about it, for a person.
    """

    def __init__(self, path: Path, shown: str = "", encoding: str = "") -> None:
        """Name a text; nothing is read yet.

        Args:
            path: An existing file, packed or not.
            shown: What to call it in errors; the path where empty.
            encoding: As a person declares it; empty for UTF-8, or what a byte order mark says.

        Raises:
            ParameterError: there is no such encoding.
        """
        self._path, self._shown, self._encoding = path, shown or str(path), declared(encoding)
        self.notes: tuple[str, ...] = ()

    @contextmanager
    def _text(self) -> Iterator[TextStream]:
        """Open it from its start."""
        with unpacked(self._path, self._shown) as stream:
            yield TextStream(stream, self._encoding, self._shown)

    def _not_text(self) -> SourceError | None:
        """Return the error that names its first place that is not UTF-8, or None where it is."""
        with unpacked(self._path, self._shown) as stream:
            return fault(iter(lambda: stream.read(BLOCK), b""), self._shown)
