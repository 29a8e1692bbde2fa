"""CSV is read strictly: what is wrong in a file is named by line or column, and what is right comes out typed."""

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ratchet.data.delimited import read_delimited
from ratchet.errors import DataError, SchemaError, SourceError

Finder = Callable[[str], Path]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_delimiter_and_line_ends_are_found(delimiter: str, line_end: str, tmp_path: Path) -> None:
    rows = [["id", "note", "price"], ["1", "a b", "2.5"], ["2", '"x""y"', ""]]
    path = tmp_path / "data.csv"
    path.write_bytes(line_end.join(delimiter.join(row) for row in rows).encode())
    assert read_delimited(path).rows() == [(1, "a b", 2.5), (2, 'x"y', None)]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"\xef\xbb\xbfid,price\n1,2\n")
    assert read_delimited(path).columns == ["id", "price"]


def test_a_quoted_field_may_hold_the_delimiter_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('id,note\n1,"a,b\nc"\n2,d\n')
    assert read_delimited(path)["note"].to_list() == ["a,b\nc", "d"]


def test_a_decimal_comma_in_a_semicolon_file_does_not_mislead(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("id;price\n1;2,5\n2;3,5\n")
    assert read_delimited(path)["price"].to_list() == ["2,5", "3,5"]


def test_names_that_differ_in_case_only_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "data[1]*.csv"
    path.write_text("a, A\n1,2\n")
    assert read_delimited(path).to_dicts() == [{"a": 1, "A": 2}]


def test_gzip_is_read_and_a_cut_stream_is_not(tmp_path: Path) -> None:
    text = "id,x\n" + "\n".join(f"{number},{number * 3}" for number in range(5_000))
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert read_delimited(path).height == 5_000
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SourceError, match=r"gzip stream is damaged or cut short.*transfer the file again"):
        read_delimited(path)


BAD: dict[str, tuple[bytes, type[DataError], str]] = {
    "empty": (b"", SourceError, "file is empty.*check the export"),
    "blank": (b"\n \n", SourceError, "file is empty"),
    "header only": (b"id,price\n", SourceError, r"header \(id, price\) but not one row"),
    "nul bytes": (b"id,price\n1,\x00\x01\n", SourceError, "byte 11 is a NUL.*give a CSV or Parquet file"),
    "parquet": (b"PAR1....", SourceError, r"Parquet; name it \.parquet"),
    "spreadsheet": (b"PK\x03\x04....", SourceError, "spreadsheet.*export it as CSV"),
    "utf-16": ("id,price\n1,2".encode("utf-16"), SourceError, "UTF-16 text; save it as UTF-8"),
    "latin-1": (b"id,city\n1,Troms\xf8\n", SourceError, "not UTF-8 text.*save it as UTF-8"),
    "short row": (b"id,price\n1,2\n3\n", SourceError, r"line 3 has 1 fields where the header has 2.*'3'; repair or remove"),
    "long row": (b"id,price\n1,2\n3,4,5\n", SourceError, r"line 3 has 3 fields where the header has 2.*'3,4,5'"),
    "open quote": (b'id,price\n1,2\n3,"4\n', SourceError, "line 3 has a quote that is not closed"),
    "doubled name": (b"id,price,id\n1,2,3\n", SchemaError, "column 'id' is there 2 times; give each column its own name"),
    "no name": (b",price\n0,2\n", SchemaError, r"column 1 has no name.*index=False"),
    "no header": (b"0.1,-0.2\n0.3,0.4\n", SchemaError, r"holds numbers, not names; add a header line"),
    "mixed line ends": (b"id,price\n1,2\r\n3,4\n", SourceError, "mixes kinds of line end"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_the_place_and_the_remedy(name: str, tmp_path: Path) -> None:
    content, error, message = BAD[name]
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(error, match=message) as caught:
        read_delimited(path)
    assert str(path) in str(caught.value), "the file is named"


def test_a_ragged_row_far_down_is_found_by_line(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("id,price\n" + "".join(f"{number},2\n" for number in range(200_000)) + "x\n")
    with pytest.raises(SourceError, match="line 200002 has 1 fields"):
        read_delimited(path)


@pytest.mark.realdata
def test_real_files_come_out_typed(real_data: Finder) -> None:
    elec2 = read_delimited(real_data("elec2/electricity-normalized.csv"))
    assert elec2.shape == (45_312, 9)
    assert elec2.dtypes == [pl.Float64, pl.Int64, *[pl.Float64] * 6, pl.String]
    bank = read_delimited(real_data("bank_marketing/bank-additional-full.csv"))
    assert bank.shape == (41_188, 21)
    assert (bank["y"] == "yes").mean() == pytest.approx(0.1127, abs=1e-4)
    assert bank.schema["euribor3m"] == pl.Float64


@pytest.mark.realdata
def test_a_real_file_without_header_is_refused(real_data: Finder) -> None:
    with pytest.raises(SchemaError, match="header"):
        read_delimited(real_data("ecg5000/ecg.csv"))
