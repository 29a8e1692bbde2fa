"""A part is whole or is named as damaged; what is in it has the same columns whatever was recorded."""

import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import StoreError
from ratchet.traffic.parts import (
    LABELS,
    PREDICTIONS,
    collected,
    day_of,
    folder_name,
    is_whole,
    place_of,
    rollout_of,
    scan,
    table,
    write_part,
)
from tests.ratchet.traffic.examples import NOON, label, prediction


def test_records_become_rows_and_nothing_is_lost_on_the_way(tmp_path):
    records = [
        prediction("a", inputs={"b": 1, "a": "\u2028 \0"}, prediction=(0.1, 0.2, 0.7)),
        prediction("b", inputs=None, prediction=(), error="timeout", served=False),
        prediction("c", inputs={}, prediction=(math.nan,), time=math.nan),
    ]
    part = write_part(table(records), tmp_path / "x.r5")
    rows = scan([part], PREDICTIONS).collect()
    assert rows.schema == PREDICTIONS
    assert rows["inputs"].to_list() == ['{"a":"\u2028 \\u0000","b":1}', None, "{}"]
    assert rows["prediction"].to_list()[:2] == [[0.1, 0.2, 0.7], []]
    assert math.isnan(rows["prediction"][2][0])
    assert rows.drop("inputs", "prediction", "time").rows()[1] == tuple(
        getattr(records[1], name) for name in PREDICTIONS if name not in ("inputs", "prediction", "time")
    )


def test_labels_become_class_names_and_no_number_is_no_label():
    rows = table([label("a", 1.0), label("b", True), label("c", "1.0"), label("d", math.nan)])
    assert rows.schema == LABELS
    assert rows["label"].to_list() == ["1", "true", "1.0", None]


def test_a_part_lies_under_its_day_and_says_its_rollout():
    assert place_of(prediction(time=NOON), "w") == "fraud/predictions/date=2025-11-21/w.r5"
    assert place_of(label(received=NOON + 86_400, time=0), "w") == "fraud/labels/date=2025-11-22/w"
    assert rollout_of(Path("w.r7.r5.0123abcd.parquet")) == 5
    assert rollout_of(Path("other.parquet")) is None


@given(st.floats())
def test_any_time_has_a_day(seconds):
    assert "1970-01-01" <= day_of(seconds) <= "9999-12-31"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_deployment_has_one_folder_within_the_store(name):
    folder = folder_name(name)
    assert folder not in ("", ".", "..")
    assert "/" not in folder
    assert "\0" not in folder
    assert len(folder) <= 200


def test_a_damaged_part_is_named_wherever_a_byte_was_flipped_or_cut_off(tmp_path):
    part = write_part(table([prediction("a"), prediction("b")]), tmp_path / "x.r5")
    whole = part.read_bytes()
    damages = [whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :] for at in range(0, len(whole), 29)]
    for damage in [*damages, whole[:-1], b""]:
        part.write_bytes(damage)
        with pytest.raises(StoreError, match=r"x\.r5\.\w+\.parquet' of recorded traffic is damaged; restore it"):
            scan([part], PREDICTIONS)
    part.write_bytes(whole)
    assert scan([part], PREDICTIONS).collect().height == 2


def test_a_part_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "x.r5.00000000.parquet").mkdir()
    with pytest.raises(StoreError, match=r"x\.r5\.00000000\.parquet' of recorded traffic cannot be read"):
        scan([tmp_path / "x.r5.00000000.parquet"], PREDICTIONS)


def test_a_part_written_again_is_the_one_that_is_there(tmp_path):
    first = write_part(table([prediction("a")]), tmp_path / "x[1].r5")
    again = write_part(table([prediction("a", version="another library's bytes")]), tmp_path / "x[1].r5")
    assert first == again
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_a_damaged_part_is_written_anew_as_long_as_its_journal_is_there(tmp_path):
    part = write_part(table([prediction("a")]), tmp_path / "x.r5")
    part.write_bytes(part.read_bytes()[:-1])
    assert is_whole(write_part(table([prediction("a")]), tmp_path / "x.r5"))
    assert len(list(tmp_path.iterdir())) == 1


def test_no_parts_are_an_empty_table_with_the_same_columns():
    assert scan([], PREDICTIONS).collect().schema == PREDICTIONS
    assert scan([], LABELS).collect().schema == LABELS


def test_a_part_whose_time_is_over_while_it_is_read_is_left_out(tmp_path):
    parts = [write_part(table([prediction(name)]), tmp_path / f"{name}.r5") for name in "ab"]

    def build() -> pl.LazyFrame:
        lazy = scan([part for part in parts if part.exists()], PREDICTIONS)
        parts[0].unlink(missing_ok=True)
        return lazy

    assert collected(build)["request_id"].to_list() == ["b"]
