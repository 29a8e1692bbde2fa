"""Rows of a Dataset are read at their places, in slices, and matched by hashes."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.data import matching
from ratchet.data.matching import StoredRows, doubled, match
from ratchet.data.tables import write_dataset
from ratchet.errors import SourceError


def hashes(values: list[int]) -> matching.Hashes:
    return np.array(values, np.uint64), np.array([value * 7 for value in values], np.uint64)


values = st.lists(st.integers(0, 6), max_size=12)


@given(old=values, new=values, share=st.sampled_from([2, 1000]))
def test_every_row_is_matched_removed_or_added_once(old, new, share):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "SHARE", share)
        found = match(hashes(old), hashes(new))
        again = doubled(hashes(old))
    assert sorted([*found.old, *found.removed]) == list(range(len(old)))
    assert sorted([*found.new, *found.added]) == list(range(len(new)))
    assert [old[i] for i in found.old] == [new[i] for i in found.new]
    assert not {old[i] for i in found.removed} & {new[i] for i in found.added}
    assert again == next((i for i, value in enumerate(old) if old.count(value) > 1), None)


def test_one_hash_alone_makes_no_match():
    one = (np.array([1], np.uint64), np.array([1], np.uint64))
    other = (np.array([1], np.uint64), np.array([2], np.uint64))
    assert len(match(one, other).old) == 0


@pytest.fixture
def rows(tmp_path, monkeypatch) -> StoredRows:
    monkeypatch.setattr(matching, "SLICE", 3)
    write_dataset([pl.DataFrame({"a": range(start, start + 5), "b": ["x"] * 5}) for start in (0, 5, 10)], tmp_path / "rows", source="test")
    return StoredRows.of(tmp_path / "rows")


def test_rows_come_in_their_order_in_slices(rows):
    assert rows.rows == 15
    slices = list(rows.slices(["a"]))
    assert max(part.height for part in slices) == 3
    assert pl.concat(slices)["a"].to_list() == list(range(15))
    assert len(rows.hashes(["a"])[0]) == 15


def test_rows_are_taken_at_their_places_over_slices_and_parts(rows):
    places = np.array([0, 2, 3, 7, 14], np.uint32)
    assert rows.take(places, ["a"])["a"].to_list() == [0, 2, 3, 7, 14]
    assert rows.take(np.array([], np.uint32), ["b", "a"]).schema == {"b": pl.String, "a": pl.Int64}


def test_a_damaged_part_and_one_unlike_the_others_are_named(tmp_path):
    write_dataset([pl.DataFrame({"a": [1] * 1000}), pl.DataFrame({"a": [2] * 1000})], tmp_path / "rows", source="test")
    part = sorted((tmp_path / "rows").glob("*.parquet"))[-1]
    pl.DataFrame({"b": [1]}).write_parquet(part)
    with pytest.raises(SourceError, match=rf"{part.name}' cannot be read.*run the step that wrote it again"):
        list(StoredRows.of(tmp_path / "rows").slices(["a"]))
    part.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(SourceError, match="rows' cannot be read"):
        StoredRows.of(tmp_path / "rows")
