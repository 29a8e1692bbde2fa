"""Tables that wait on disk until their columns are known: all rows come back, with one type."""

import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import SourceError
from ratchet.sources.spool import Spool, wider

KINDS = ["", "integer", "number", "boolean", "string", "datetime"]


def spooled(folder: Path, *parts: list[object], parse_times: bool = False) -> list[pl.Series]:
    spool = Spool(folder, parse_times=parse_times)
    for part in parts:
        spool.add(pl.DataFrame({"a": pl.Series(part, dtype=None if any(value is not None for value in part) else pl.Null)}))
    return [table["a"] for table in spool.tables()]


@pytest.mark.parametrize(
    ("parts", "dtype", "values"),
    [
        (([None], [1], [None]), pl.Int64, [None, 1, None]),
        (([1], [2.5]), pl.Float64, [1.0, 2.5]),
        (([1], ["x"]), pl.String, ["1", "x"]),
        (([True], [1]), pl.String, ["true", "1"]),
        (([None], [None]), pl.String, [None, None]),
    ],
)
def test_the_type_holds_what_all_parts_have(tmp_path, parts, dtype, values):
    columns = spooled(tmp_path, *parts)
    assert {column.dtype for column in columns} == {dtype}
    assert [value for column in columns for value in column] == values
    assert not os.listdir(tmp_path), "each part is removed as it is read"


def test_texts_become_times_where_all_are_and_it_is_asked_for(tmp_path):
    days = (["2024-03-01"] * 200, [None], ["2024-03-02T10:00:00Z"])
    assert {column.dtype for column in spooled(tmp_path, *days, parse_times=True)} == {pl.Datetime("us")}
    assert {column.dtype for column in spooled(tmp_path, *days)} == {pl.String}
    for late in (["soon"], ["2024-03-01"] * 200 + ["soon"], [1]):
        assert {column.dtype for column in spooled(tmp_path, *days, late, parse_times=True)} == {pl.String}


def test_a_folder_that_takes_no_more_is_named(tmp_path):
    spool = Spool(tmp_path / "gone")
    with pytest.raises(SourceError, match="TMPDIR"):
        spool.add(pl.DataFrame({"a": [1]}))


@given(st.sampled_from(KINDS), st.sampled_from(KINDS), st.sampled_from(KINDS))
def test_the_order_of_parts_does_not_matter(one, two, three):
    assert wider(one, two) == wider(two, one)
    assert wider(wider(one, two), three) == wider(one, wider(two, three))
    assert wider(one, one) == one
