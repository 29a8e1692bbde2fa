"""What a hostile case is: a way to make a file, and what must come of it.

A file is either refused, with a message that a person can act on, or its rows are all there: some may be set aside by validation. There is
no third outcome.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Maker = Callable[[Path], Path]


@dataclass(frozen=True)
class Case:
    """One hostile source.

    Attributes:
        name: What is hostile in it.
        make: Makes it in an empty folder and returns the path to ingest.
        rows: Rows that must come in; None where the source must be refused.
        says: Pattern in the error, or in the reasons of the rows that were set aside.
        aside: Rows that validation sets aside.
        values: By column, the first values that must have come in.
        options: Of `ingest`.
        judge: Of `validate`.
        seconds: After which it hangs.
        megabytes: Memory it may take, over what the process takes before it.
        once: It is too large to be read a second time for its digest.
        late: `ingest` takes it and `validate` refuses it.
    """

    name: str
    make: Maker
    rows: int | None
    says: str = ""
    aside: int = 0
    values: Mapping[str, list[Any]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    judge: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 60.0
    megabytes: int = 0
    once: bool = False
    late: bool = False

    def __str__(self) -> str:
        return self.name


def kept(name: str, make: Maker, rows: int, **more: Any) -> Case:
    """Return a case whose rows must all come in; keywords as the attributes of `Case`."""
    return Case(name, make, rows, **more)


def refused(name: str, make: Maker, says: str, **more: Any) -> Case:
    """Return a case that must be refused, with a message that holds a pattern."""
    return Case(name, make, None, says, **more)


def file(name: str, content: bytes) -> Maker:
    """Return a maker of one file."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def csv(content: str | bytes, name: str = "data.csv") -> Maker:
    """Return a maker of a CSV file; a text is written as UTF-8."""
    return file(name, content.encode() if isinstance(content, str) else content)
