"""The quick way never reads what the strict way would read otherwise."""

import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ratchet.errors import SourceError
from ratchet.sources.records import Layout, Unusual, quick_records, whole_lines
from ratchet.sources.strict_records import NotText, strict_records

LAYOUTS = [Layout(("a",), ",", 0, 0), Layout(("a", "b"), ",", 0, 0), Layout(("a", "b"), ";", 0, 0), Layout(("a",), "\t", 0, 0, trailing=1)]


def quick(text: bytes, layout: Layout) -> pl.DataFrame:
    return pl.concat(quick_records(iter([text]), layout, lambda names: [], {}))


def strict(text: bytes, layout: Layout, folder: Path) -> pl.DataFrame:
    (folder / "rows.csv").write_bytes(text)
    return pl.concat(strict_records(folder / "rows.csv", layout, "rows.csv", header=False))


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.text('1a,;\n\r\t" ø', min_size=1, max_size=14), st.sampled_from(LAYOUTS))
@example("1\n\n2\n", LAYOUTS[0])
@example("1,a\n\n2,b\n", LAYOUTS[1])
@example("1,a\r\n2,b\n", LAYOUTS[1])
@example('1,"a\nb"\n', LAYOUTS[1])
@example("1\n2,3,4\n", LAYOUTS[1])
@example("\n1,2,3\n", LAYOUTS[1])
def test_what_the_quick_way_takes_the_strict_way_reads_alike(tmp_path_factory: pytest.TempPathFactory, text: str, layout: Layout) -> None:
    try:
        table = quick(text.encode(), layout)
    except Unusual:
        return
    assert table.equals(strict(text.encode(), layout, tmp_path_factory.mktemp("both")), null_equal=True)


def test_the_quick_way_takes_what_is_usual() -> None:
    assert quick(b"1,x\n2,\n", LAYOUTS[1]).rows() == [("1", "x"), ("2", None)]
    assert quick("1,ø\r\n2,y\r\n".encode(), LAYOUTS[1]).rows() == [("1", "ø"), ("2", "y")]
    assert quick(b"1,x", LAYOUTS[1]).height == 1, "the last line needs no end"


@pytest.mark.parametrize("text", [b"1\n", b"1,2,3\n", b"1,2,3\n4\n", b'1,"x"\n', b"1,\xf8\n", b"\n", b"1,2\r3,4\n"])
def test_the_quick_way_leaves_alone_what_needs_explaining(text: bytes) -> None:
    with pytest.raises(Unusual):
        quick(text, LAYOUTS[1])


def test_kinds_of_line_end_must_be_one_across_pieces() -> None:
    with pytest.raises(Unusual):
        list(quick_records(iter([b"1,2\n", b"3,4\r\n"]), LAYOUTS[1], lambda names: [], {}))


def test_numbers_that_are_codes_come_as_texts() -> None:
    kinds = {"a": "integer", "b": "number"}
    text = b"1,0.5\n007,12345678901234567890\n"
    table = pl.concat(quick_records(iter([text]), LAYOUTS[1], list, kinds))
    assert table.rows() == [("1", "0.5"), ("007", "12345678901234567890")]
    table = pl.concat(quick_records(iter([b"1,0.5\n0,-0.25\n"]), LAYOUTS[1], list, kinds))
    assert table.rows() == [(1, 0.5), (0, -0.25)]
    table = pl.concat(quick_records(iter([b"1,x\n"]), LAYOUTS[1], list, kinds))
    assert table.rows() == [("1", "x")], "a value of another type leaves the whole piece as texts"


@given(st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"")), max_size=12), st.integers(8, 20))
def test_pieces_end_where_lines_end_and_lose_nothing(lines: list[bytes], size: int) -> None:
    text = b"\n".join(lines)
    pieces = list(whole_lines(text[:3], io.BytesIO(text[3:]), "x", size=size))
    assert b"".join(pieces) == text
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])
    assert all(len(piece) <= size for piece in pieces)


def test_a_line_without_end_is_refused_by_its_number_before_it_is_held() -> None:
    class Endless:
        given = 0

        def read(self, size: int, /) -> bytes:
            self.given += size
            return b"x" * size

    stream = Endless()
    with pytest.raises(SourceError, match=r"line 3 is longer than 1,000 bytes.*is this a table\?"):
        list(whole_lines(b"a\nb\n", stream, "x.csv", size=1_000))
    assert stream.given < 5_000


def test_the_strict_way_names_lines_from_where_the_rows_begin(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"1,2\n3\n")
    with pytest.raises(SourceError, match="line 12 has 1 fields where the header has 2"):
        list(strict_records(tmp_path / "rows.csv", Layout(("a", "b"), ",", 0, lines=10), "rows.csv", header=False))


def test_the_strict_way_leaves_encodings_to_who_knows_the_stream(tmp_path: Path) -> None:
    with pytest.raises(NotText):
        strict(b'1,"\xf8"\n', LAYOUTS[1], tmp_path)
