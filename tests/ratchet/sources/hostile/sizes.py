"""Files that are well-formed and far too large in one way: each must be taken, or refused, in bounded memory."""

import os
from pathlib import Path
from typing import Any

from tests.ratchet.sources.hostile.case import Maker, kept, refused
from tests.ratchet.sources.hostile.packed import bomb

GIGABYTE = 1 << 30
ROWS = b"".join(b"%d,%d,name %d\n" % (number, number * 7 % 1_000, number % 977) for number in range(50_000))  # about 1 MB


def many_categories(folder: Path) -> Path:
    """Make a million rows, each with a text of its own."""
    path = folder / "data.csv"
    with path.open("w") as stream:
        stream.write("id,name\n")
        for start in range(0, 1_000_000, 10_000):
            stream.writelines(f"{number},customer {number * 7919 % 1_000_003}\n" for number in range(start, start + 10_000))
    return path


def many_columns(folder: Path) -> Path:
    """Make 10,000 columns of 60 rows."""
    path = folder / "data.csv"
    with path.open("w") as stream:
        stream.write(",".join(f"column {place}" for place in range(10_000)) + "\n")
        for row in range(60):
            stream.write(",".join(str(row * place % 97) for place in range(10_000)) + "\n")
    return path


def many_columns_of_lines(folder: Path) -> Path:
    """Make JSON lines of which each brings keys of its own: 30,000 in all."""
    path = folder / "data.jsonl"
    with path.open("w") as stream:
        for row in range(3_000):
            stream.write("{" + ", ".join(f'"k{row * 10 + place}": 1' for place in range(10)) + "}\n")
    return path


def one_line(folder: Path) -> Path:
    """Make a file of 1 GB without a line end after its header."""
    path = folder / "data.csv"
    block = b"x" * (16 << 20)
    with path.open("wb") as stream:
        stream.write(b"id,note\n1,")
        for _ in range(GIGABYTE // len(block)):
            stream.write(block)
    return path


def one_line_of_fields(folder: Path) -> Path:
    """Make a file whose header alone is 200 MB of names."""
    path = folder / "data.csv"
    with path.open("wb") as stream:
        for start in range(0, 20_000_000, 100_000):
            stream.write(b"".join(b"c%07d," % number for number in range(start, start + 100_000)))
        stream.write(b"end\n1\n")
    return path


def one_line_of_zeros(folder: Path) -> Path:
    """Make 1 GB of NULs, which takes no room on the disk."""
    path = folder / "data.csv"
    path.touch()
    os.truncate(path, GIGABYTE)
    return path


def one_text_of_json(folder: Path) -> Path:
    """Make JSON lines with one text of 300 MB."""
    path = folder / "data.jsonl"
    block = b"x" * (1 << 20)
    with path.open("wb") as stream:
        stream.write(b'{"id": 1, "note": "')
        for _ in range(300):
            stream.write(block)
        stream.write(b'"}\n')
    return path


def open_quote(folder: Path) -> Path:
    """Make 200 MB of which all but the first row is swallowed by a quote that is never closed."""
    path = folder / "data.csv"
    with path.open("wb") as stream:
        stream.write(b'id,price,note\n1,2,"a\n')
        for _ in range(200):
            stream.write(ROWS)
    return path


def tall_parquet(folder: Path) -> Path:
    """Make Parquet of a few kB that holds 30 million rows, all alike."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = pa.table({"id": pa.array([7] * 1_000_000, pa.int64()), "s": pa.array(["same"] * 1_000_000)})
    with pq.ParquetWriter(folder / "data.parquet", part.schema, compression="zstd") as writer:
        for _ in range(30):
            writer.write_table(part)
    return folder / "data.parquet"


def fat_text_of_parquet(folder: Path) -> Path:
    """Make Parquet of a few kB that unpacks to 1,200 texts of 1 MB."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = pa.table({"id": list(range(1_200)), "s": ["x" * (1 << 20)] * 1_200})
    pq.write_table(part, folder / "data.parquet", compression="zstd", row_group_size=1_200)
    return folder / "data.parquet"


def late(row: bytes, *, head: bytes = b"id,price,name\n", name: str = "data.csv") -> Maker:
    """Return a maker of 45 MB of ordinary rows with one other row near their end."""

    def make(folder: Path) -> Path:
        path = folder / name
        with path.open("wb") as stream:
            stream.write(head)
            for _ in range(40):
                stream.write(ROWS)
            stream.write(row)
            stream.write(ROWS[:100_000].rpartition(b"\n")[0] + b"\n")
        return path

    return make


LATE_ROWS = 40 * 50_000 + 1 + ROWS[:100_000].count(b"\n")
TYPES = {"judge": {"schema_text": "columns: {id: {type: integer}, price: {type: integer}, name: {type: string}}"}}
LATE: dict[str, Any] = {"seconds": 60, "megabytes": 600, "once": True}


CASES = (
    kept("a text late among integers", late(b"x1,2,late\n"), LATE_ROWS, aside=1, says="id x1 is not of type", **LATE, **TYPES),
    kept(
        "a code with a leading zero late among integers",
        late(b"007,2,late\n"),
        LATE_ROWS,
        aside=1,
        says="id 007 is not of",
        **LATE,
        **TYPES,
    ),
    kept(
        "an integer beyond 64 bits late among integers",
        late(b"99999999999999999999,2,l\n"),
        LATE_ROWS,
        aside=1,
        says="id 9{20} is",
        **LATE,
        **TYPES,
    ),
    kept("a fraction late among integers", late(b"1.5,2,late\n"), LATE_ROWS, aside=1, says="id 1.5 is not of type", **LATE, **TYPES),
    kept("a quoted line end late in a file", late(b'1,2,"two\nlines"\n'), LATE_ROWS, **LATE, **TYPES),
    kept("NA late among integers", late(b"1,NA,late\n"), LATE_ROWS, aside=1, says="price is missing", **LATE, **TYPES),
    refused("a short row late in a file", late(b"1,2\n"), r"line 2,?000,?002 has 2 fields", **LATE),
    refused("a long row late in a file", late(b"1,2,3,4\n"), r"line 2,?000,?002 has 4 fields", **LATE),
    refused("a short row and a long one late in a file", late(b"1,2\n1,2,3,4\n"), r"line 2,?000,?002 has 2 fields", **LATE),
    refused("an open quote late in a file", late(b'1,2,"open\n'), r"quote", **LATE),
    refused("a latin-1 byte late in a file", late(b"1,2,Troms\xf8\n"), r"line 2,?000,?002 .*UTF-8", **LATE),
    refused("a NUL late in a file", late(b"1,2,a\0b\n"), r"NUL", **LATE),
    refused("a line end of Windows late in a file", late(b"1,2,a\r\n"), r"line end", **LATE),
    kept("a million categories", many_categories, 1_000_000, seconds=60, megabytes=600, once=True),
    kept("10,000 columns", many_columns, 60, seconds=120, megabytes=600, once=True),
    refused("30,000 keys in JSON lines", many_columns_of_lines, "columns|keys", seconds=120, megabytes=600),
    refused("a line of 1 GB", one_line, "line", seconds=60, megabytes=600),
    refused("a header of 200 MB", one_line_of_fields, "line|header|columns", seconds=60, megabytes=600),
    refused("1 GB of NULs", one_line_of_zeros, "NUL", seconds=60, megabytes=200),
    refused("a JSON text of 300 MB", one_text_of_json, "line", seconds=60, megabytes=600),
    refused("a quote open over 200 MB", open_quote, "quote", seconds=60, megabytes=600),
    refused("a gzip bomb of NULs", bomb("data.csv.gz", b"", bytes(1 << 20), 2_048), "NUL", seconds=60, megabytes=200),
    refused("a gzip bomb of one line", bomb("data.csv.gz", b"id,x\n1,", b"x" * (1 << 20), 1_024), "line|unpack", seconds=60, megabytes=600),
    refused(
        "a zstd bomb of one line", bomb("data.csv.zst", b"id,x\n1,", b"x" * (1 << 20), 1_024), "line|unpack", seconds=60, megabytes=600
    ),
    refused(
        "a zstd bomb of rows",
        bomb("data.csv.zst", b"id,price,name\n", b"1,1,%s\n" % (b"a" * 90) * 20_000, 600),
        "unpack",
        seconds=120,
        megabytes=600,
    ),
    kept("30 million rows in a few kB of Parquet", tall_parquet, 30_000_000, seconds=240, megabytes=1_000, once=True),
    kept("texts of 1 MB in a few kB of Parquet", fat_text_of_parquet, 1_200, seconds=120, megabytes=1_000, once=True),
)
