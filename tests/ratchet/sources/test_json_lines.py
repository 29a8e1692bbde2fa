"""JSON lines become the table that they say, and what is no flat object is named by line and key."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.data.agreement import ReadAgain
from ratchet.errors import DataError, SchemaError, SourceError
from ratchet.sources.json_lines import JsonLinesSource


def table(path: Path, chunk: int = 1 << 20) -> pl.DataFrame:
    source = JsonLinesSource(path, "rows.jsonl", chunk=chunk)
    for _ in range(6):
        try:
            return pl.concat(source.batches())
        except ReadAgain:
            continue
    raise AssertionError("it never settles")


def read(tmp_path: Path, *rows: Any, chunk: int = 1 << 20) -> pl.DataFrame:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return table(path, chunk)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 3], [1, None, 3]),
        ([1, 2.5], [1.0, 2.5]),
        ([True, False], [True, False]),
        (["7", "8"], ["7", "8"]),
        (["7", 8, 2.5, True, None], ["7", "8", "2.5", "true", None]),
        (["2024-03-01", "2024-03-01T12:30:00+02:00"], [datetime(2024, 3, 1), datetime(2024, 3, 1, 10, 30)]),
        (["2024-03-01", "soon"], ["2024-03-01", "soon"]),
        ([2**63, 1], ["9223372036854775808", "1"]),
        ([10**30, 1], ["1" + "0" * 30, "1"]),
        ([1e30, 1], [1e30, 1.0]),
        ([-(2**63), 2**63 - 1], [-(2**63), 2**63 - 1]),
        ([True, 1], ["true", "1"]),
    ],
)
@pytest.mark.parametrize("chunk", [64, 1 << 20])
def test_a_column_is_of_the_type_that_json_gives_all_its_values(values: list[Any], expected: list[Any], chunk: int, tmp_path: Path) -> None:
    assert read(tmp_path, *({"a": value, "place": 1} for value in values), chunk=chunk)["a"].to_list() == expected


def test_keys_come_in_any_order_and_absent_ones_are_missing(tmp_path: Path) -> None:
    frame = read(tmp_path, {"a": 1, "b": "x"}, {"b": "y", "a": 2}, {"c": True}, "", {})
    assert frame.columns == ["a", "b", "c"]
    assert frame.rows() == [(1, "x", None), (2, "y", None), (None, None, True), (None, None, None)]


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["a", "7", "2024-03-01"]),
)
objects = st.dictionaries(st.sampled_from(["a", "b", 'say "x": y', "ø"]), cells, max_size=4)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.lists(objects, min_size=1, max_size=15).filter(lambda rows: any(rows)), st.integers(1, 300))
def test_tiny_pieces_make_the_table_that_the_whole_makes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("json")
    whole = read(folder, *rows)
    assert whole.height == len(rows)
    assert read(folder, *rows, chunk=chunk + max(len(json.dumps(row)) for row in rows)).equals(whole, null_equal=True)


BAD: dict[str, tuple[str, type[DataError], str]] = {
    "nested object": ('{"a": 1}\n{"a": {"b": 1}}', SchemaError, "line 2: key 'a' holds an object; flatten it"),
    "nested array": ('{"a": [1]}', SchemaError, "line 1: key 'a' holds an array; flatten it"),
    "key twice": ('{"a": 1}\n\n{"a": 1, "b": 2, "a": 3}', SchemaError, "line 3: key 'a' is there twice"),
    "key twice with spaces": ('{"a" : 1, "a" : "\\":"}', SchemaError, "line 1: key 'a' is there twice"),
    "nan": ('{"a": NaN}', SourceError, "line 1 is no JSON .*JSON has no NaN or Infinity: write null"),
    "infinity": ('{"a": -Infinity}', SourceError, "write null"),
    "array a line": ("[1, 2]", SchemaError, "line 1 is an array, not an object; write one object a line"),
    "array over lines": ('[\n{"a": 1},\n{"a": 2}\n]', SourceError, "line 1 is no JSON .*write one object a line"),
    "scalar": ("5", SchemaError, "line 1 is '5', not an object"),
    "cut": ('{"a": 1}\n{"a": ', SourceError, "line 2 is no JSON"),
    "empty": ("", SourceError, "holds no line with an object"),
    "no keys": ("{}\n{}", SourceError, "holds no line with an object that has a key"),
    "nameless": ('{"": 1}', SchemaError, "a key is empty"),
    "deep": ('{"a": ' + "[" * 5_000 + "]" * 5_000 + "}", SourceError, "line 1 is no JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named_by_line(name: str, tmp_path: Path) -> None:
    text, error, message = BAD[name]
    with pytest.raises(error, match=message):
        read(tmp_path, text)


def test_a_line_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'{"a": "x"}\n{"a": "Troms\xf8"}\n')
    with pytest.raises(SourceError, match=r"line 2 is not UTF-8 text .*declare its encoding"):
        table(tmp_path / "rows.jsonl")
    assert JsonLinesSource(tmp_path / "rows.jsonl", encoding="latin-1").batches().__next__()["a"][1] == "Tromsø"


def test_keys_that_hold_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"more than 20,000 keys; keys that hold data .*must become values"):
        read(tmp_path, *({f"id-{number * 100 + key}": 1 for key in range(100)} for number in range(201)))
