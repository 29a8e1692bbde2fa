"""Writes the parts of a Dataset, so that it appears whole or not at all.

Parts go to a hidden sibling, are flushed to disk and renamed together, because a step can be killed at any moment and the next one must
never read half a table. Each part is counted while it is written, which costs as much: numpy and polars both let go of the interpreter.
"""

import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import polars as pl

from ratchet.data.account import Account, DatasetInfo
from ratchet.data.kinds import canonical
from ratchet.data.staging import UNFINISHED, staged, writing
from ratchet.errors import SourceError

COMPRESSION: Literal["snappy"] = "snappy"  # every reader of Parquet has it, and it costs half of what zstd does


class DatasetWriter:
    """A Dataset in the making. It appears at the end of the ``with`` block, or never where that ends in an error.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with DatasetWriter(Path(folder) / "data", source="a test") as writer:
    ...         writer.add(pl.DataFrame({"a": [1, 2]}))
    ...     writer.info.rows, [part.name for part in (Path(folder) / "data").iterdir()]
    (2, ['part-00000.parquet'])
    """

    info: DatasetInfo

    def __init__(self, path: str | Path, *, source: str, time_column: str = "") -> None:
        """Name a Dataset; nothing is written yet.

        Args:
            path: Folder to appear. A Dataset that is already there is replaced.
            source: Where the rows came from, for the metadata.
            time_column: Column whose range is noted; empty for none.

        Raises:
            SourceError: the path holds something that is not a Dataset.
        """
        self._target, self._source = Path(path), source
        _refuse_foreign(self._target)
        self._account = Account(time_column)
        self._written = 0
        self._empty: pl.DataFrame | None = None

    def __enter__(self) -> Self:
        """Make the temporary sibling."""
        self._stack = ExitStack()
        self._staging = self._stack.enter_context(staged(self._target))
        self._threads = ThreadPoolExecutor(2, "dataset")
        self._counted: Future[None] | None = None
        self._flushed: list[Future[None]] = []
        return self

    def add(self, rows: pl.DataFrame) -> None:
        """Write rows as a part; made canonical (`kinds.canonical`).

        Raises:
            SchemaError: as for `Account.add`.
            SourceError: the disk takes no more.
        """
        frame = canonical(rows)
        self._count(frame)
        if frame.height:
            self._write(frame)
        else:
            self._empty = frame

    def keep(self, part: Path, rows: pl.DataFrame) -> None:
        """Take over a part of another Dataset as it is: linked where the disk allows it, else copied.

        Args:
            part: A file that is never written to again, as is no part of a Dataset.
            rows: What was read from it, canonical, with no row more or less.

        Raises:
            SchemaError: as for `Account.add`.
        """
        self._count(rows)
        try:
            os.link(part, self._next())
        except OSError:
            with writing(self._target):
                shutil.copyfile(part, self._next())
        self._flush()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let the Dataset appear, unless there was an error; clear away what is temporary."""
        try:
            self._finish(whole=error is None)
        except BaseException as failure:
            self._stack.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._stack.__exit__(kind, error, trace)

    def _finish(self, *, whole: bool) -> None:
        try:
            if whole and self._empty is not None and not self._written:
                self._write(self._empty)
        finally:
            self._threads.shutdown()
        if whole:
            if self._counted:
                self._counted.result()
            with writing(self._target):
                for done in self._flushed:
                    done.result()
            self.info = self._account.info(self._source)

    def _count(self, frame: pl.DataFrame) -> None:
        if self._counted:
            self._counted.result()
        self._counted = self._threads.submit(self._account.add, frame)

    def _write(self, frame: pl.DataFrame) -> None:
        with writing(self._target):
            try:
                frame.write_parquet(self._next(), compression=COMPRESSION)
            except pl.exceptions.PolarsError as error:  # it says so of any write that fails, on a full disk first of all
                raise OSError(str(error).rpartition("error: ")[2]) from error
        self._flush()

    def _flush(self) -> None:
        self._flushed.append(self._threads.submit(_sync, self._next()))
        self._written += 1

    def _next(self) -> Path:
        return self._staging / f"part-{self._written:05}.parquet"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_foreign(target: Path) -> None:
    """Refuse to replace what is not a Dataset: a mistyped output must not cost anybody a folder."""
    if target.is_file() or (target.is_dir() and any(entry.suffix != ".parquet" and entry.name != UNFINISHED for entry in target.iterdir())):
        raise SourceError(f"output {str(target)!r} holds something that is not a Dataset; choose another path, or remove it yourself")
