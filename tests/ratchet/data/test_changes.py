"""Exactly the edits that were made are found, whatever the order of rows and columns and whatever the file."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.data import changes
from ratchet.data.changes import compare_versions
from ratchet.data.difference import Difference
from ratchet.data.digests import content_digest
from ratchet.data.tables import write_dataset
from ratchet.errors import SchemaError, SourceError
from ratchet.sources.ingestion import ingest

SCHEMA = {"id": pl.Int64, "side": pl.String, "x": pl.Float64, "n": pl.Int64, "at": pl.Datetime("us"), "ok": pl.Boolean}
VALUES = {
    "x": st.one_of(st.none(), st.floats()),
    "n": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    "at": st.one_of(st.none(), st.datetimes()),
    "ok": st.one_of(st.none(), st.booleans()),
}
keys = st.tuples(st.one_of(st.none(), st.integers(-5, 5)), st.one_of(st.none(), st.sampled_from(["a", "b", "é"])))
tables = st.dictionaries(keys, st.fixed_dictionaries(VALUES), max_size=12)
Table = dict[tuple[Any, Any], dict[str, Any]]


def frame(rows: Table) -> pl.DataFrame:
    return pl.DataFrame([{"id": key[0], "side": key[1], **values} for key, values in rows.items()], schema=SCHEMA)


def stored(folder: Path, name: str, table: pl.DataFrame, parts: int = 1) -> Path:
    height = max(-(-table.height // parts), 1)
    write_dataset([table[i : i + height] for i in range(0, max(table.height, 1), height)], folder / name, source="test")
    return folder / name


def same(left: Any, right: Any) -> bool:
    return bool(left == right or (left != left and right != right))


def edited(old: Table, data: st.DataObject) -> tuple[Table, dict[tuple[Any, Any], set[str]]]:
    """A table with some rows gone, some changed in some columns, some new; and what was changed."""
    new: Table = {}
    changed: dict[tuple[Any, Any], set[str]] = {}
    for key, values in old.items():
        fate = data.draw(st.sampled_from(["keep", "keep", "drop", "change"]))
        if fate == "drop":
            continue
        new[key] = dict(values)
        if fate == "change":
            name = data.draw(st.sampled_from(list(VALUES)))
            new[key][name] = data.draw(VALUES[name])
            if not same(new[key][name], values[name]):
                changed[key] = {name}
    new |= {key: values for key, values in data.draw(tables).items() if key not in old}
    return new, changed


@pytest.mark.slow
@settings(max_examples=40)
@given(old=tables, data=st.data(), order=st.randoms(use_true_random=False), parts=st.integers(1, 3), small=st.booleans())
def test_exactly_the_edits_are_found_by_key(tmp_path_factory, monkeypatch_module, old, data, order, parts, small):
    new, changed = edited(old, data)
    monkeypatch_module.setattr(changes, "HELD", 3 if small else 1 << 23)
    monkeypatch_module.setattr("ratchet.data.matching.SHARE", 2 if small else 500_000)
    monkeypatch_module.setattr("ratchet.data.matching.SLICE", 2 if small else 1 << 17)
    folder = tmp_path_factory.mktemp("changes")
    shuffled = list(new.items())
    order.shuffle(shuffled)
    names = list(SCHEMA)
    order.shuffle(names)
    paths = stored(folder, "old", frame(old), parts), stored(folder, "new", frame(dict(shuffled)).select(names), 2)
    found = compare_versions(*paths, key=["id", "side"])
    assert (found.added, found.removed, found.changed) == (len(new.keys() - old.keys()), len(old.keys() - new.keys()), len(changed))
    by_column = {name: [key for key, names in changed.items() if name in names] for name in VALUES}
    assert {one.column: one.rows for one in found.columns} == {name: len(keys) for name, keys in by_column.items() if keys}
    for one in found.columns:
        assert len(one.examples) == min(one.rows, changes.EXAMPLES)
        for example in one.examples:
            key = (example.key["id"], example.key["side"])
            assert example.old == changes.cell(old[key][one.column])
            assert example.new == changes.cell(new[key][one.column])
    assert {(row["id"], row["side"]) for row in found.added_rows} <= new.keys() - old.keys()
    assert {(row["id"], row["side"]) for row in found.removed_rows} <= old.keys() - new.keys()
    assert found.verdict == ("same" if content_digest(frame(old)) == content_digest(frame(new)) else "different")


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


rows = st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, "a", "b"])), max_size=15)


@pytest.mark.slow
@settings(max_examples=40)
@given(kept=rows, gone=rows, came=rows, order=st.randoms(use_true_random=False), small=st.booleans())
def test_without_a_key_rows_are_counted_as_often_as_they_occur(tmp_path_factory, monkeypatch_module, kept, gone, came, order, small):
    monkeypatch_module.setattr("ratchet.data.matching.SHARE", 2 if small else 500_000)
    folder = tmp_path_factory.mktemp("multisets")
    before, now = kept + gone, kept + came
    order.shuffle(now)
    expected = list(now)
    removed = [row for row in before if not (row in expected and (expected.remove(row) or True))]
    schema = {"a": pl.Int64, "b": pl.String}
    found = compare_versions(*(stored(folder, n, pl.DataFrame(r, schema=schema, orient="row")) for n, r in (("old", before), ("new", now))))
    assert (found.added, found.removed, found.changed) == (len(expected), len(removed), 0)


def test_the_format_and_the_order_of_a_file_say_nothing(tmp_path):
    table = pl.DataFrame(
        {"id": [1, 2, 3], "amount": [1.5, None, 3.0], "city": ["a", "é", None], "at": [datetime(2024, 5, day) for day in (1, 2, 3)]}
    )
    table.write_csv(tmp_path / "rows.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    table[::-1].select("city", "at", "id", "amount").write_parquet(tmp_path / "rows.parquet")
    infos = [ingest(tmp_path / name, tmp_path / f"{name}.set", time_column="at") for name in ("rows.csv", "rows.parquet")]
    found = compare_versions(tmp_path / "rows.csv.set", tmp_path / "rows.parquet.set", key=["id"])
    assert found.verdict == "same"
    assert infos[0].content_digest == infos[1].content_digest


def test_equal_digests_are_the_answer_and_nothing_is_read(tmp_path):
    old, new = (stored(tmp_path, name, pl.DataFrame({"id": [1], "x": [value]})) for name, value in (("old", 1), ("new", 2)))
    assert compare_versions(old, new, key=["id"], digests=("rows:1", "rows:1")).verdict == "same"
    assert compare_versions(old, new, key=["id"], digests=("rows:1", "rows:2")).verdict == "different"


def test_columns_that_came_went_or_are_of_another_kind_are_named_and_the_others_compared(tmp_path):
    old = stored(tmp_path, "old", pl.DataFrame({"id": [1, 2], "x": [1, 2], "code": ["7", "8"], "gone": [1, 2]}))
    new = stored(tmp_path, "new", pl.DataFrame({"id": [1, 2], "x": [1.0, 2.0], "code": [7, 8], "new": [1, 2]}))
    found = compare_versions(old, new, key=["id"])
    assert (found.only_old, found.only_new) == (("gone",), ("new",))
    assert found.kinds == {"x": ("integer", "number"), "code": ("string", "integer")}
    assert [(one.column, one.rows) for one in found.columns] == [("code", 2)]
    assert compare_versions(old, old, key=["id"]) == Difference(rows=(2, 2), key=("id",))


def test_a_doubled_key_is_named_with_its_table(tmp_path):
    once = stored(tmp_path, "once", pl.DataFrame({"id": [1, 2], "x": [1, 2]}))
    twice = stored(tmp_path, "twice", pl.DataFrame({"id": [3, 2, 2], "x": [1, 2, 2]}))
    with pytest.raises(SchemaError, match="twice: more than one row has the key id=2; name more key columns, or none"):
        compare_versions(once, twice, key=["id"])
    assert compare_versions(once, twice).added == 2


def test_what_cannot_be_compared_is_refused(tmp_path):
    old = stored(tmp_path, "old", pl.DataFrame({"id": [1], "x": [1]}))
    with pytest.raises(SchemaError, match=r"no key column 'idd'; did you mean 'id'\?"):
        compare_versions(old, old, key=["idd"])
    with pytest.raises(SchemaError, match=r"key 'id' is integer in .*old and string in .*text, so no row would match"):
        compare_versions(old, stored(tmp_path, "text", pl.DataFrame({"id": ["1"], "x": [1]})), key=["id"])
    with pytest.raises(SchemaError, match="no column in common"):
        compare_versions(old, stored(tmp_path, "other", pl.DataFrame({"y": [1]})))
    with pytest.raises(SourceError, match=r"not a folder of \.parquet parts"):
        compare_versions(old, tmp_path / "nothing")


def test_examples_are_few_and_their_values_short(tmp_path):
    count = 50
    wide = {f"c{i}": [i] * count for i in range(60)}
    old = stored(tmp_path, "old", pl.DataFrame({"id": range(count), "text": ["a" * 500] * count, **wide}))
    new = stored(
        tmp_path, "new", pl.DataFrame({"id": range(count), "text": ["b" * 500] * count, **{n: [-v for v in vs] for n, vs in wide.items()}})
    )
    found = compare_versions(old, new, key=["id"])
    assert (found.changed, len(found.columns)) == (count, 60)
    assert sum(len(one.examples) for one in found.columns) == changes.SHOWN * changes.EXAMPLES
    assert len(str(found.columns[0].examples[0].old)) <= changes.LONGEST
