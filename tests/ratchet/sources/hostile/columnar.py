"""Parquet that is cut, damaged, nested, or of types that lose something on their way to ours."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tests.ratchet.sources.hostile.case import Case, Maker, file, kept, refused

Column = Callable[[Any], Any]  # from pyarrow to an array
NAN, INF = float("nan"), float("inf")
NUMBER = {"schema_text": "columns: {x: {type: number, max_missing: 0.9}}"}


@cache
def good() -> bytes:
    """Return a Parquet file of 20,000 rows, as bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    table = pa.table(
        {
            "id": list(range(20_000)),
            "x": [number * 1.37 for number in range(20_000)],
            "s": [f"name {number % 977}" for number in range(20_000)],
        }
    )
    pq.write_table(table, sink, row_group_size=5_000)
    return sink.getvalue().to_pybytes()


def parquet(column: Column, name: str = "data.parquet", **options: Any) -> Maker:
    """Return a maker of a Parquet file with one column `x` beside a counter."""

    def make(folder: Path) -> Path:
        import pyarrow as pa
        import pyarrow.parquet as pq

        values = column(pa)
        pq.write_table(pa.table({"n": pa.array(range(len(values)), pa.int32()), "x": values}), folder / name, **options)
        return folder / name

    return make


def table(columns: Callable[[Any], Any], **options: Any) -> Maker:
    """Return a maker of a Parquet file of a whole table."""

    def make(folder: Path) -> Path:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(columns(pa), folder / "data.parquet", **options)
        return folder / "data.parquet"

    return make


def spoilt(change: Callable[[bytes], bytes]) -> Maker:
    """Return a maker of the good file after a change of its bytes."""
    return lambda folder: file("data.parquet", change(good()))(folder)


def changed(content: bytes, place: float, length: int = 8) -> bytes:
    """Return content with some bytes turned round, at a share of its length (from the end where negative)."""
    at = int(len(content) * place) if abs(place) < 1 else int(place) % len(content)
    return content[:at] + bytes(byte ^ 0xFF for byte in content[at : at + length]) + content[at + length :]


def column(name: str, values: Column, want: list[object] | None = None, rows: int = 2, **more: Any) -> Case:
    """Return a case of one column that must come in."""
    return kept(name, parquet(values, **more.pop("writer", {})), rows, values={} if want is None else {"x": want}, **more)


FIRST = datetime(2024, 3, 1)
CASES = (
    refused("Parquet of no bytes", file("data.parquet", b""), "Parquet"),
    refused("junk that says it is Parquet", file("data.parquet", b"\x00\x01junk" * 50), "Parquet"),
    refused("CSV that says it is Parquet", file("data.parquet", b"id,price\n1,2\n"), "Parquet"),
    refused("the magic and nothing else", file("data.parquet", b"PAR1PAR1"), "Parquet"),
    refused("Parquet cut in the middle", spoilt(lambda content: content[: len(content) // 2]), "Parquet"),
    refused("Parquet cut by a byte", spoilt(lambda content: content[:-1]), "Parquet"),
    refused("Parquet without its first half", spoilt(lambda content: content[len(content) // 2 :]), "Parquet|not one row"),
    refused("Parquet with a hole in its middle", spoilt(lambda content: content[:30_000] + content[40_000:]), "Parquet"),
    refused("Parquet with damaged pages", spoilt(lambda content: changed(content, 0.4, 3_000)), "Parquet"),
    refused("Parquet with a damaged footer", spoilt(lambda content: changed(content, -40)), "Parquet"),
    refused("Parquet whose footer is said to be huge", spoilt(lambda content: content[:-8] + b"\xff\xff\xff\x7fPAR1"), "Parquet"),
    refused("Parquet that is encrypted", spoilt(lambda content: content[:-4] + b"PARE"), "Parquet"),
    kept("Parquet that does not say so", lambda folder: file("data.bin", good())(folder), 20_000),
    refused("Parquet without rows", table(lambda pa: pa.table({"id": pa.array([], pa.int64())})), "not one row"),
    refused("Parquet without columns", table(lambda pa: pa.table({})), "column|not one row"),
    refused(
        "Parquet with a name twice", table(lambda pa: pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"])), "(?i)'id'"
    ),
    refused(
        "Parquet with a column without a name",
        table(lambda pa: pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", ""])),
        "no name",
    ),
    refused("a list in a column", parquet(lambda pa: pa.array([[1, 2], [3]])), "column 'x'.*(flatten|drop)"),
    refused("a struct in a column", parquet(lambda pa: pa.array([{"a": 1}, {"a": 2}])), "column 'x'.*(flatten|drop)"),
    refused(
        "a map in a column", parquet(lambda pa: pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64()))), "column 'x'.*(flatten|drop)"
    ),
    refused("lists of structs of lists", parquet(lambda pa: pa.array([[{"a": [[1]]}], []])), "column 'x'.*(flatten|drop)"),
    refused("bytes in a column", parquet(lambda pa: pa.array([b"\xff\x00", b"a"])), "column 'x'.*(flatten|drop)"),
    refused("durations", parquet(lambda pa: pa.array([timedelta(1), timedelta(2)])), "column 'x'.*(flatten|drop)"),
    column(
        "infinities in Parquet, set aside",
        lambda pa: pa.array([1.0, INF, -INF]),
        [1.0, INF, -INF],
        3,
        aside=2,
        says="x inf is not a finite",
        judge=NUMBER,
    ),
    column("NaN in Parquet, set aside", lambda pa: pa.array([1.0, NAN]), [1.0, NAN], aside=1, says="x NaN is not a finite", judge=NUMBER),
    column("zeros of both signs", lambda pa: pa.array([0.0, -0.0]), [0.0, -0.0]),
    column("halves of floats", lambda pa: pa.array([1.5, 2.5], pa.float32()), [1.5, 2.5]),
    column("integers without a sign that fit", lambda pa: pa.array([1, 2**63 - 1], pa.uint64()), [1, 2**63 - 1]),
    refused("integers without a sign beyond 64 bits", parquet(lambda pa: pa.array([1, 2**63], pa.uint64())), r"'x'.*9223372036854775808"),
    column(
        "decimals of money", lambda pa: pa.array([Decimal("0.10"), Decimal("12345678901.25")], pa.decimal128(18, 2)), [0.1, 12345678901.25]
    ),
    column("decimals of thirds", lambda pa: pa.array([Decimal("0.333333333333333333"), Decimal(2)], pa.decimal128(38, 18)), [1 / 3, 2.0]),
    refused(
        "decimals whose whole digits no number holds",
        parquet(lambda pa: pa.array([Decimal(1), Decimal("12345678901234567891")], pa.decimal128(38, 0))),
        r"'x'.*12345678901234567891",
    ),
    refused(
        "decimals of 76 digits",
        parquet(lambda pa: pa.array([Decimal(1), Decimal("9" * 70)], pa.decimal256(76, 0))),
        "decimals of more than 38 digits",
    ),
    column(
        "times of nanoseconds in Parquet",
        lambda pa: pa.array([1, 1_500], pa.timestamp("ns")),
        ["1970-01-01 00:00:00", "1970-01-01 00:00:00.000001"],
    ),
    column(
        "times in a zone",
        lambda pa: pa.array([FIRST, FIRST], pa.timestamp("us", "America/New_York")),
        ["2024-03-01 00:00:00"] * 2,
        options={"time_column": "x"},
    ),
    column(
        "times in the way of Hive",
        lambda pa: pa.array([FIRST, FIRST], pa.timestamp("ns")),
        ["2024-03-01 00:00:00"] * 2,
        writer={"use_deprecated_int96_timestamps": True},
    ),
    column(
        "dates at the ends of the calendar",
        lambda pa: pa.array([date(1, 1, 1), date(9999, 12, 31)]),
        ["0001-01-01 00:00:00", "9999-12-31 00:00:00"],
        options={"time_column": "x"},
    ),
    refused("times beyond the calendar", parquet(lambda pa: pa.array([0, 2**62], pa.timestamp("us"))), r"'x'.*(9999|calendar)"),
    refused(
        "times beyond the calendar, as the clock",
        parquet(lambda pa: pa.array([0, -(2**62)], pa.timestamp("us"))),
        r"'x'.*(calendar|year)",
        options={"time_column": "x"},
    ),
    refused("seconds that overflow as microseconds", parquet(lambda pa: pa.array([0, 2**50], pa.timestamp("ms"))), r"'x'.*(calendar|year)"),
    refused("dates beyond the calendar", parquet(lambda pa: pa.array([0, 2**31 - 1], pa.date32())), r"'x'.*(calendar|year)"),
    column("hours of the day become texts", lambda pa: pa.array([0, 3_600_000_000], pa.time64("us")), rows=2),
    column("a column of nothing", lambda pa: pa.nulls(2), [None, None]),
    column("a dictionary of texts", lambda pa: pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
    column("large texts", lambda pa: pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
    column("empty texts are missing", lambda pa: pa.array(["", "b"]), [None, "b"]),
    column("NUL inside a text of Parquet", lambda pa: pa.array(["a\0b", "c"]), ["a\0b", "c"]),
    refused(
        "texts that are not UTF-8",
        parquet(lambda pa: pa.StringArray.from_buffers(2, pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"\xff\xfea"))),
        "'x'|Parquet",
    ),
    kept("an index of pandas", table(lambda pa: pa.table({"id": [1], "__index_level_0__": [0]})), 1, values={"id": [1]}),
    kept("a thousand groups of rows", table(lambda pa: pa.table({"id": list(range(5_000))}), row_group_size=5), 5_000),
)
