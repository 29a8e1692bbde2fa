"""What is said of rows that were kept is true, whether all of them were kept or a sample."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ratchet.data import revision as module
from ratchet.data.revision import Revision, revision
from ratchet.data.tables import write_dataset
from ratchet.delivery.registry import REFERENCE_ROWS

BEGIN = datetime(2024, 5, 1)
OLD = pl.DataFrame(
    {
        "id": range(10),
        "at": [BEGIN + timedelta(days=i) for i in range(10)],
        "amount": [float(i) for i in range(10)],
        "fraud": [i % 3 == 0 for i in range(10)],
        "n_7d": range(10),
    }
)
NEW = pl.concat(
    [
        OLD.filter((pl.col("id") >= 3) & (pl.col("id") != 5)).with_columns(
            amount=pl.when(pl.col("id") == 4).then(99.0).otherwise("amount"),
            fraud=pl.when(pl.col("id").is_in([4, 7])).then(~pl.col("fraud")).otherwise("fraud"),
            n_7d=pl.lit(0, pl.Int64),
        ),
        pl.DataFrame(
            {"id": [10, 11], "at": [BEGIN + timedelta(days=10)] * 2, "amount": [1.0, 2.0], "fraud": [True, False], "n_7d": [0, 0]}
        ),
    ]
)[::-1]


def of(folder: Path, kept: pl.DataFrame = OLD, current: pl.DataFrame = NEW, key=("id",), time="at") -> Revision:
    for name, table in (("kept", kept), ("current", current)):
        write_dataset(table, folder / name, source="test")
    return revision(folder / "kept", folder / "current", key=key, columns=["amount", "fraud", "at"], time=time)


def test_each_kept_row_is_as_it_was_changed_gone_or_outside(tmp_path):
    found = of(tmp_path)
    assert (found.kept, found.outside, found.same, found.changed, found.gone, found.new) == (10, 3, 4, 2, 1, 2)
    assert [(one.column, one.rows) for one in found.columns] == [("fraud", 2), ("amount", 1)]
    assert found.sentence == (
        "Of 10 rows kept of the live model's data: 4 as they were, 2 changed (fraud in 2, amount in 1), 1 not here, "
        "3 outside the time of this data; new: 2."
    )
    assert found.table().rows[1] == {"column": "amount", "rows changed": 1, "for example": "4.0 → 99.0"}


def test_nothing_changed_is_said_so(tmp_path):
    found = of(tmp_path, current=OLD)
    assert found.sentence == "Of 10 rows kept of the live model's data: 10 as they were, 0 changed, 0 not here; new: 0."
    assert found.table().note == found.sentence


def test_without_a_time_no_row_is_outside(tmp_path):
    assert (found := of(tmp_path, time="")).gone == 4
    assert found.outside == 0


def test_of_a_sample_nobody_can_say_what_is_new(tmp_path, monkeypatch):
    assert module.WHOLE_BELOW == REFERENCE_ROWS
    monkeypatch.setattr(module, "WHOLE_BELOW", 10)
    found = of(tmp_path)
    assert found.new is None
    assert found.sentence.endswith("outside the time of this data.")


@pytest.mark.parametrize(
    ("kept", "current", "key", "why"),
    [
        (OLD, NEW, (), "no key columns say which row is which"),
        (OLD.drop("id"), NEW, ("id",), "the key column id is not in both"),
        (OLD, NEW.with_columns(pl.col("id").cast(pl.String)), ("id",), "the key column id is of another kind now"),
        (OLD, pl.concat([NEW, NEW]), ("id",), "more than one row has the same id"),
        (pl.concat([OLD, OLD]), NEW, ("id",), "more than one row has the same id"),
    ],
)
def test_where_nothing_can_be_said_that_is_said(tmp_path, kept, current, key, why):
    found = of(tmp_path, kept, current, key)
    assert found.why_not == why
    assert found.sentence.startswith("It cannot be said whether the")
    assert why in found.table().note


def test_a_table_that_is_too_large_is_not_looked_through(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 5)
    assert of(tmp_path).why_not == "8 rows are too many to look through here"
