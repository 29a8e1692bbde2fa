"""Folders of parts of which one is bad, and paths that are no files."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.ratchet.sources.hostile.case import Maker, file, kept, refused

PART = pl.DataFrame({"id": [1, 2, 3], "x": [0.5, 1.5, 2.5]})


def folder_of(*parts: tuple[str, pl.DataFrame | bytes]) -> Maker:
    """Return a maker of a folder of parts: tables as Parquet, bytes as they are."""

    def make(folder: Path) -> Path:
        for name, content in parts:
            path = folder / "parts" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content) if isinstance(content, bytes) else content.write_parquet(path)
        return folder / "parts"

    return make


def path_of(name: str, make: Callable[[Path], object]) -> Maker:
    """Return a maker of something that is no file."""

    def made(folder: Path) -> Path:
        make(folder / name)
        return folder / name

    return made


def listen(path: Path) -> None:
    """Leave a socket where a file should be; its path may be longer than a socket's may."""
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


def cut(frame: pl.DataFrame) -> bytes:
    """Return a table as Parquet without its last bytes."""
    import io

    with io.BytesIO() as memory:
        frame.write_parquet(memory)
        return memory.getvalue()[:-20]


CASES = (
    kept("a folder of parts", folder_of(("a.parquet", PART), ("b.parquet", PART)), 6),
    refused("a folder with one part cut", folder_of(("a.parquet", PART), ("b.parquet", cut(PART)), ("c.parquet", PART)), r"b\.parquet"),
    refused("a folder with one part of no bytes", folder_of(("a.parquet", PART), ("b.parquet", b"")), r"b\.parquet"),
    refused("a folder with one part of junk", folder_of(("a.parquet", b"junk" * 99), ("b.parquet", PART)), r"a\.parquet"),
    refused(
        "a folder with a part of other columns",
        folder_of(("a.parquet", PART), ("b.parquet", PART.rename({"x": "y"}))),
        r"b\.parquet.*'[xy]'",
    ),
    refused("a folder with a part that lacks a column", folder_of(("a.parquet", PART), ("b.parquet", PART.drop("x"))), r"b\.parquet.*'x'"),
    refused(
        "a folder with a part that has one more", folder_of(("a.parquet", PART), ("b.parquet", PART.with_columns(y=1))), r"b\.parquet.*'y'"
    ),
    refused(
        "a folder with a part of another type",
        folder_of(("a.parquet", PART), ("b.parquet", PART.cast({"x": pl.String}))),
        r"b\.parquet.*'x'",
    ),
    kept(
        "a folder with a part in another order",
        folder_of(("a.parquet", PART), ("b.parquet", PART.select("x", "id"))),
        6,
        values={"id": [1, 2, 3, 1, 2, 3]},
    ),
    kept("a folder with a part of narrower integers", folder_of(("a.parquet", PART), ("b.parquet", PART.cast({"id": pl.Int32}))), 6),
    kept("a folder with a part without rows", folder_of(("a.parquet", PART.clear()), ("b.parquet", PART)), 3),
    refused("a folder of parts without rows", folder_of(("a.parquet", PART.clear()), ("b.parquet", PART.clear())), "not one row"),
    kept(
        "what Spark leaves beside its parts",
        folder_of(
            ("a.parquet", PART), ("_SUCCESS", b""), (".a.parquet.crc", b"\0\1"), ("_temporary/0/b.parquet", PART), (".hidden.parquet", PART)
        ),
        3,
    ),
    refused("an empty folder", path_of("parts", Path.mkdir), "holds no"),
    refused("a folder of something else", folder_of(("a.txt", b"x"), ("b.json", b"{}")), "holds no"),
    refused("a folder named as a file", path_of("data.csv", Path.mkdir), "holds no"),
    refused("nothing there", lambda folder: folder / "data.csv", "does not exist"),
    refused("a link to nothing", path_of("data.csv", lambda path: path.symlink_to("gone.csv")), "does not exist|link"),
    refused("a link to itself", path_of("data.csv", lambda path: path.symlink_to("data.csv")), "data.csv"),
    refused("a pipe that nobody writes", path_of("data.csv", os.mkfifo), "data.csv", seconds=20),
    refused("a socket", path_of("data.csv", listen), "data.csv"),
    refused(
        "a device that never ends", path_of("data.csv", lambda path: path.symlink_to("/dev/zero")), "zero|file", seconds=20, megabytes=200
    ),
    kept("a name with blanks and a line end", file("my data\n2.csv", b"id,x\n1,2\n"), 1),
    kept("a name that is a pattern", file("data[1]*{a,b}?.csv", b"id,x\n1,2\n"), 1),
    kept("a name that is a pattern, of Parquet", lambda folder: folder_of(("part[1]*?.parquet", PART))(folder), 3),
    kept(
        "a folder whose name says a column",
        lambda folder: folder_of(("year=2024/a.parquet", PART), ("year=2025/b.parquet", PART))(folder),
        6,
        values={"year": [2024, 2024, 2024, 2025]},
    ),
)
