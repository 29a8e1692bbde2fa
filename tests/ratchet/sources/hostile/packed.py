"""Packed files: cut, damaged, packed twice, packed by something else, or grown beyond measure."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.ratchet.sources.hostile.case import Maker, csv, file, kept, refused

TEXT = b"id,price\n" + b"".join(b"%d,%d\n" % (number, number * 7 % 1_000) for number in range(5_000))
GZIP = gzip.compress(TEXT, mtime=0)
ROWS = 5_000


def zstd(content: bytes) -> bytes:
    """Return a zstd frame; pyarrow carries the codec that the standard library lacks."""
    import pyarrow

    return pyarrow.compress(content, codec="zstd", asbytes=True)


def zipped(name: str, content: bytes) -> bytes:
    """Return a zip archive of one file."""
    with io.BytesIO() as memory:
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return memory.getvalue()


def tarred(content: bytes) -> bytes:
    """Return a packed tape archive of one file."""
    with io.BytesIO() as memory:
        with tarfile.open(fileobj=memory, mode="w:gz") as archive:
            entry = tarfile.TarInfo("data.csv")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        return memory.getvalue()


def bomb(name: str, head: bytes, block: bytes, blocks: int) -> Maker:
    """Return a maker of a packed file that grows to blocks of one content; gzip or zstd by its name."""

    def make(folder: Path) -> Path:
        import pyarrow

        path = folder / name
        opened = gzip.open(path, "wb", compresslevel=6) if name.endswith("gz") else pyarrow.CompressedOutputStream(str(path), "zstd")  # noqa: SIM115
        with opened as stream:
            for part in _blocks(head, block, blocks):
                stream.write(part)
        return path

    return make


def _blocks(head: bytes, block: bytes, blocks: int) -> Iterator[bytes]:
    yield head
    for _ in range(blocks):
        yield block


def broken(content: bytes, at: int) -> bytes:
    """Return content with one byte changed."""
    return content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


CASES = (
    kept("gzip", csv(GZIP, "data.csv.gz"), ROWS, values={"price": [0, 7, 14]}),
    kept("gzip that does not say so", csv(GZIP), ROWS),
    kept("gzip in two members", csv(GZIP + gzip.compress(b"7,8\n"), "data.csv.gz"), ROWS + 1),
    refused("gzip cut in the middle", csv(GZIP[: len(GZIP) // 2], "data.csv.gz"), "gzip.*(cut|damaged)"),
    refused("gzip cut in its last bytes", csv(GZIP[:-3], "data.csv.gz"), "gzip.*(cut|damaged)"),
    refused("gzip cut in its head", csv(GZIP[:6], "data.csv.gz"), "gzip.*(cut|damaged)"),
    refused("gzip with a byte changed", csv(broken(GZIP, len(GZIP) // 2), "data.csv.gz"), "gzip.*(cut|damaged)"),
    refused("gzip with a wrong checksum", csv(broken(GZIP, len(GZIP) - 6), "data.csv.gz"), "gzip.*(cut|damaged)"),
    refused("gzip with something after it", csv(GZIP + b"junk", "data.csv.gz"), "gzip.*(cut|damaged)"),
    refused("gzip of nothing", csv(gzip.compress(b""), "data.csv.gz"), "empty"),
    refused("gzip of a header", csv(gzip.compress(b"id,price\n"), "data.csv.gz"), "not one row"),
    refused("gzip in gzip", csv(gzip.compress(GZIP), "data.csv.gz.gz"), "gzip|packed"),
    refused("gzip of Parquet", csv(gzip.compress(b"PAR1" + b"\0" * 50), "data.parquet.gz"), "Parquet"),
    refused("gzip of a short row", csv(gzip.compress(b"id,price\n1,2\n3\n"), "data.csv.gz"), "line 3 has 1 field"),
    refused("gzip of NULs", csv(gzip.compress(bytes(1 << 20)), "data.csv.gz"), "NUL"),
    refused("gzip of a tape archive", csv(tarred(TEXT), "data.csv.gz"), "NUL|tar"),
    kept("text that says it is gzip", csv(TEXT, "data.csv.gz"), ROWS),
    kept("gzip of UTF-16", csv(gzip.compress("id,city\n1,Tromsø\n".encode("utf-16")), "data.csv.gz"), 1, values={"city": ["Tromsø"]}),
    kept(
        "gzip of latin-1 declared",
        csv(gzip.compress("id,city\n1,Tromsø\n".encode("latin-1"))),
        1,
        values={"city": ["Tromsø"]},
        options={"encoding": "latin-1"},
    ),
    kept("zstd", lambda folder: csv(zstd(TEXT), "data.csv.zst")(folder), ROWS, values={"price": [0, 7, 14]}),
    kept("zstd in two frames", lambda folder: csv(zstd(TEXT) + zstd(b"7,8\n"), "data.csv.zst")(folder), ROWS + 1),
    refused("zstd cut", lambda folder: csv(zstd(TEXT)[:-40], "data.csv.zst")(folder), "zstd.*(cut|damaged)"),
    refused(
        "zstd with a byte changed",
        lambda folder: csv(broken(zstd(TEXT), 900), "data.csv.zst")(folder),
        "zstd.*(cut|damaged)|line|UTF-8|NUL",
    ),
    refused("zstd of nothing", lambda folder: csv(zstd(b""), "data.csv.zst")(folder), "empty"),
    refused("zstd with something after it", lambda folder: csv(zstd(TEXT) + b"junk", "data.csv.zst")(folder), "zstd.*(cut|damaged)"),
    refused("zip", csv(zipped("data.csv", TEXT), "data.zip"), "zip"),
    refused("a spreadsheet", csv(zipped("xl/workbook.xml", b"<x/>"), "data.xlsx"), "spreadsheet"),
    refused("an old spreadsheet", file("data.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)), "NUL|spreadsheet|UTF-8"),
    refused("bzip2", csv(bz2.compress(TEXT), "data.csv.bz2"), "bzip2"),
    refused("xz", csv(lzma.compress(TEXT), "data.csv.xz"), "xz|NUL|UTF-8"),
    refused("7z", file("data.7z", b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(64)), "7z|NUL|UTF-8"),
    refused("a pickle", file("data.csv", b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x04name\x94."), "NUL|UTF-8"),
    refused("SQLite's file", file("data.csv", b"SQLite format 3\0" + bytes(84)), "NUL|SQLite"),
)
