"""CSV is read strictly: what is wrong in a file is named by line or column, and what is right comes out typed."""

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from ratchet.errors import DataError, SchemaError, SourceError
from ratchet.sources.delimited import DelimitedSource, read_delimited

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
    assert read_delimited(path)["price"].to_list() == [2.5, 3.5]


def of_excel(folder: Path, text: str, encoding: str = "utf-8") -> pl.DataFrame:
    (folder / "excel.csv").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return read_delimited(folder / "excel.csv")


def test_excel_names_its_delimiter_in_a_line_of_its_own(tmp_path: Path) -> None:
    frame = of_excel(tmp_path, 'sep=;\nid;note\n1;"a;b"\n2;"c\nd"\n', "utf-8-sig")
    assert frame.rows() == [(1, "a;b"), (2, "c\r\nd")]
    with pytest.raises(SourceError, match="line 4 has 1 fields where the header has 2"):
        of_excel(tmp_path, "sep=;\nid;note\n1;a\n2\n")


def test_excel_s_unicode_text_is_tabs_in_utf_16(tmp_path: Path) -> None:
    assert of_excel(tmp_path, "id\tby\tpris\n1\tTromsø\t1.234,50\n2\tKraków\t0,5\n", "utf-16").rows() == [
        (1, "Tromsø", 1234.5),
        (2, "Kraków", 0.5),
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1.234,56", "-7,5", "12"], [1234.56, -7.5, 12.0]),
        (["1.234", "5.678"], [1.234, 5.678]),  # points alone are read as everywhere else
        (["1.234.567", "1"], [1234567.0, 1.0]),
        (["1.234,56", "x"], ["1.234,56", "x"]),
        (["1,234.56", "1"], ["1,234.56", "1"]),
        (["007,5", "1,5"], ["007,5", "1,5"]),
        (["12,5", "1.5"], ["12,5", "1.5"]),
    ],
)
def test_a_decimal_comma_is_one_where_every_value_agrees(values: list[str], expected: list[object], tmp_path: Path) -> None:
    assert of_excel(tmp_path, "id;price\n" + "".join(f"7;{value}\n" for value in values))["price"].to_list() == expected
    quoted = of_excel(tmp_path, "id,price\n" + "".join(f'7,"{value}"\n' for value in values))["price"]
    assert quoted.dtype != pl.Float64 or all("," not in value for value in values), "where the comma divides fields, it is no decimal sign"


def test_formula_cells_that_hold_a_text_are_that_text_and_all_others_stay_what_they_are(tmp_path: Path) -> None:
    frame = of_excel(tmp_path, 'code;sum\n="00123";=1+2\n"=""0""""7""";=cmd|x\n00124;-1\n')
    assert frame.rows() == [("00123", "=1+2"), ('0"7', "=cmd|x"), ("00124", "-1")]
    assert of_excel(tmp_path, 'id;n\n1;5\n2;="6"\n')["n"].to_list() == ["5", "6"], "a formula cell says that the column is text"


def test_empty_columns_without_a_name_at_the_end_are_dropped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_text("id;price;;\n1;2,5;;\n2;3,5;;\n")
    source = DelimitedSource(path)
    assert pl.concat(source.batches()).to_dict(as_series=False) == {"id": [1, 2], "price": [2.5, 3.5]}
    assert source.notes == ("2 empty columns without a name, at the end of each row, were dropped",)
    path.write_text("id;price;;\n1;2,5;;\n2;3,5;;oops\n")
    with pytest.raises(SchemaError, match="column 4 has no name and holds 'oops'; name it in the first line"):
        read_delimited(path)


def test_blank_lines_around_the_rows_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("\nid,price\n1,2\n\n3,4\n\n\n")
    assert read_delimited(path).rows() == [(1, 2), (3, 4)]


def test_a_header_may_be_quoted_and_have_line_ends_in_it(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('"id","net\nprice"\n1,2\n3\n')
    with pytest.raises(SourceError, match="line 4 has 1 fields"):
        read_delimited(path)
    path.write_text('"id","net\nprice"\n1,2\n3,4\n')
    assert read_delimited(path).to_dict(as_series=False) == {"id": [1, 3], "net\nprice": [2, 4]}


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le", "shift_jis"])
def test_a_declared_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    text = 'id,"by, navn"\n1,"x y"\n' if encoding == "shift_jis" else 'id,"by, navn"\n1,"Tromsø"\n'
    path.write_bytes(text.encode(encoding))
    assert read_delimited(path, encoding).rows()[0][1] == ("x y" if encoding == "shift_jis" else "Tromsø")


def test_packed_text_is_read_both_ways(tmp_path: Path) -> None:
    for name, text in {"quick": "id,x\n1,2\n", "strict": 'id,x\n1,"2"\n'}.items():
        for pack in (gzip.compress, lambda data: pa.compress(data, codec="zstd", asbytes=True)):
            (tmp_path / name).write_bytes(pack(text.encode()))
            assert read_delimited(tmp_path / name).rows() == [(1, 2)]


@pytest.mark.slow
def test_ten_thousand_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    row = ",".join(str(place) for place in range(10_000))
    path.write_text(",".join(f"column_{place}" for place in range(10_000)) + f"\n{row}\n{row}\n")
    assert read_delimited(path).shape == (2, 10_000)


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
    "old spreadsheet": (b"\xd0\xcf\x11\xe0....", SourceError, "spreadsheet of old Excel; export it as CSV"),
    "mixed encodings": (
        "id,city\n1,Tromsø\n".encode() + b"2,Troms\xf8\n",
        SourceError,
        "line 3 is not UTF-8 text .byte 0xf8.*the file mixes encodings",
    ),
    "nul far down": (b"id,price\n" + b"1,2\n" * 600_000 + b"3,\0\n", SourceError, "byte 2,400,011 is a NUL"),
    "endless line": (b"id,price\n1,2\n" + b"x" * (34 << 20), SourceError, "line 3 is longer than 8,388,608 bytes"),
    "parquet": (b"PAR1....", SourceError, r"Parquet; name it \.parquet"),
    "spreadsheet": (b"PK\x03\x04....", SourceError, "spreadsheet.*export it as CSV"),
    "latin-1": (
        b"id,city\n1,Troms\xf8\n",
        SourceError,
        "line 2 is not UTF-8 text .byte 0xf8.*declare its encoding: cp1252 makes it 'Tromsø'",
    ),
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
