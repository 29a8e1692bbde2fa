"""A row takes at most one row of the second source, never one that it could not know, and keeps its place."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.data.digests import content_digest
from ratchet.data.tables import read_dataset
from ratchet.errors import ParameterError, SchemaError, SourceError
from ratchet.sources.ingestion import ingest
from ratchet.sources.joins import Join, Joined

SHOPS = pl.DataFrame({"id": [1, 2, 3], "city": ["Nice", None, "Oslo"], "size": [10, 20, 30]})
PAYMENTS = pl.DataFrame({"n": [0, 1, 2, 3, 4], "shop": [3, 9, 1, None, 3]})


def reading(table: pl.DataFrame) -> Any:
    """A reader of one table that was read already."""
    return lambda source, **how: table


def joined(there: pl.DataFrame, *, time_column: str = "", **declared: Any) -> Joined:
    return Join.parse({"source": "there", **declared}).open(reading(there), time_column=time_column)


def test_columns_come_behind_the_rows_own_in_their_places():
    made = joined(SHOPS, on={"shop": "id"})
    assert made.apply(PAYMENTS).to_dicts() == [
        {"n": 0, "shop": 3, "city": "Oslo", "size": 30},
        {"n": 1, "shop": 9, "city": None, "size": None},
        {"n": 2, "shop": 1, "city": "Nice", "size": 10},
        {"n": 3, "shop": None, "city": None, "size": None},
        {"n": 4, "shop": 3, "city": "Oslo", "size": 30},
    ]
    version = f"3 rows, content digest {content_digest(SHOPS)}"
    assert made.notes() == (f"joined 'there' ({version}) on shop = id: 3 rows matched, 2 unmatched",)


def test_a_match_whose_values_are_missing_is_a_match():
    made = joined(SHOPS, on={"shop": "id"}, how="require")
    assert made.apply(pl.DataFrame({"shop": [2]}))["city"].to_list() == [None]


def test_columns_are_chosen_and_renamed():
    assert joined(SHOPS, on={"shop": "id"}, columns=["size"]).apply(PAYMENTS).columns == ["n", "shop", "size"]
    assert joined(SHOPS, on={"shop": "id"}, columns={"city": "shop_city"}).apply(PAYMENTS).columns == ["n", "shop", "shop_city"]
    assert joined(SHOPS, on={"shop": "id"}, columns={"id": "again"}).apply(PAYMENTS)["again"].to_list() == [3, None, 1, None, 3]


HISTORY = pl.DataFrame(
    {
        "shop": [1, 1, 2, 1],
        "since": [datetime(2024, 1, 10), datetime(2024, 1, 1), datetime(2024, 1, 5), None],
        "level": ["gold", "new", "new", "never"],
    }
)


def test_a_row_takes_the_newest_entry_before_its_own_time_and_none_of_the_same_instant():
    rows = pl.DataFrame({"shop": [1, 1, 1, 2, 1], "at": [datetime(2024, 1, day) for day in (10, 1, 2, 9)] + [None]})
    made = joined(HISTORY, on=["shop"], at="since", time_column="at")
    assert made.apply(rows)["level"].to_list() == ["new", None, "new", "new", None]
    assert (made.matched, made.unmatched) == (3, 2)
    seen = joined(HISTORY, on=["shop"], at="since", columns={"since": "level_since"}, time_column="at")
    assert seen.apply(rows)["level_since"].to_list() == [datetime(2024, 1, 1), None, datetime(2024, 1, 1), datetime(2024, 1, 5), None]


moments = st.integers(0, 12).map(lambda hours: datetime(2024, 1, 1) + timedelta(hours=hours))
here_rows = st.lists(
    st.tuples(st.sampled_from([None, 1, 2]), st.sampled_from([None, "a", "b"]), st.one_of(st.none(), moments)), max_size=12
)
there_rows = st.dictionaries(
    st.tuples(st.sampled_from([None, 1, 2]), st.sampled_from([None, "a", "b"]), st.one_of(st.none(), moments)),
    st.integers(-99, 99),
    max_size=12,
)


@given(here=here_rows, there=there_rows, order=st.randoms(use_true_random=False), cut=st.integers(0, 12), as_numbers=st.booleans())
def test_a_history_is_read_as_its_definition_says(here, there, order: random.Random, cut, as_numbers):
    entries = [(*key, value) for key, value in there.items()]
    order.shuffle(entries)
    dtypes = {"k": pl.Int64, "s": pl.String, "at": pl.Datetime("us")}
    history = pl.DataFrame(entries, schema={"k": pl.Int64, "s": pl.String, "since": pl.Datetime("us"), "value": pl.Int64}, orient="row")
    rows = pl.DataFrame(here, schema=dtypes, orient="row")
    if as_numbers:
        history = history.with_columns(pl.col("since").to_physical().cast(pl.Float64), pl.col("k").cast(pl.Float64))
        rows = rows.with_columns(pl.col("at").to_physical())
    expected = []
    for key, side, at in here:
        known = [(when, v) for k, s, when, v in entries if None not in (k, s, when, key, side, at) and (k, s) == (key, side) and when < at]
        expected.append(max(known)[1] if known else None)
    made = joined(history, on=["k", "s"], at="since", time_column="at")
    found = pl.concat(list(made.applied([rows[:cut], rows[cut:]])))
    assert found.drop("value").equals(rows)
    assert found["value"].to_list() == expected
    assert made.matched == sum(value is not None for value in expected)


@given(keys=st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=20), there=st.sets(st.integers(0, 5)), as_number=st.booleans())
def test_rows_in_are_rows_out_in_their_order(keys, there, as_number):
    table = pl.DataFrame({"k": pl.Series(sorted(there), dtype=pl.Float64 if as_number else pl.Int64), "v": [10 * k for k in sorted(there)]})
    rows = pl.DataFrame({"k": pl.Series(keys, dtype=pl.Int64)})
    made = joined(table, on=["k"])
    assert made.apply(rows)["v"].to_list() == [10 * k if k in there else None for k in keys]
    assert made.matched + made.unmatched == len(keys)


def test_a_number_meets_the_integer_that_it_equals_and_no_other():
    floats = pl.DataFrame({"k": [1.0, 1.5, float("nan"), None, 2.0**70], "v": [1, 2, 3, 4, 5]})
    assert joined(floats, on=["k"]).apply(pl.DataFrame({"k": [1, 2, None]}))["v"].to_list() == [1, None, None]
    integers = pl.DataFrame({"k": [1, 2], "v": [1, 2]})
    rows = pl.DataFrame({"k": [2.0, 1.5, float("nan"), None, 1e300]})
    assert joined(integers, on=["k"]).apply(rows)["v"].to_list() == [2, None, None, None, None]
    assert joined(floats, on=["k"]).apply(rows)["v"].to_list() == [None, 2, None, None, None]


def test_an_integer_and_a_text_that_looks_like_it_are_refused_by_name():
    with pytest.raises(SchemaError, match=r"on: 'shop' here and 'id' in 'there' are integer and string, so nothing would match"):
        joined(pl.DataFrame({"id": ["007"], "v": [1]}), on={"shop": "id"}).apply(PAYMENTS)
    with pytest.raises(SchemaError, match="the time 'shop' here and 'since' in 'there' are integer and datetime"):
        joined(HISTORY.rename({"shop": "k"}), on={"n": "k"}, at="since", time_column="shop").apply(PAYMENTS)


def test_a_doubled_key_is_named():
    doubled = pl.DataFrame({"id": [1, 2, 2], "v": [1, 2, 3]})
    with pytest.raises(SchemaError, match="join source 'there' has id=2 more than once; make it unique, or name its time with at"):
        joined(doubled, on={"shop": "id"})
    at_once = HISTORY.with_columns(since=pl.lit(datetime(2024, 1, 1)))
    with pytest.raises(
        SchemaError, match=r"shop=1, since=datetime.datetime\(2024, 1, 1, 0, 0\) more than once; keep one entry of each instant"
    ):
        joined(at_once, on=["shop"], at="since", time_column="at")
    missing = pl.DataFrame({"id": [None, None, 1], "v": [1, 2, 3]})
    assert joined(missing, on={"shop": "id"}).apply(PAYMENTS)["v"].to_list() == [None, None, 3, None, None]


def test_a_required_match_that_is_not_there_is_named_with_its_row():
    made = joined(SHOPS, on={"shop": "id"}, how="require")
    made.apply(PAYMENTS[:1])
    with pytest.raises(SchemaError, match=r"row 2 \(shop=9\) has no match in 'there' \(nor have 1 more of these rows\)"):
        made.apply(PAYMENTS[1:])
    with pytest.raises(SchemaError, match=r"row 1 \(shop=1, at=datetime.datetime\(2024, 1, 1, 0, 0\)\) has no match"):
        joined(HISTORY, on=["shop"], at="since", how="require", time_column="at").apply(
            pl.DataFrame({"shop": [1], "at": [datetime(2024, 1, 1)]})
        )


def test_a_column_that_is_there_already_is_refused_with_how_to_rename_it():
    with pytest.raises(SchemaError, match=r"brings a column 'n', which is here already; .* columns: \{'n': 'another name'\}"):
        joined(SHOPS.rename({"size": "n"}), on={"shop": "id"}).apply(PAYMENTS)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"sauce": "x"}, r"unknown part 'sauce'; did you mean 'source'\?"),
        ({"on": ["a"]}, "join has no source"),
        ({"source": "x"}, "join with 'x' has no key"),
        ({"source": "x", "on": []}, "join with 'x' has no key"),
        ({"source": "x", "on": [1]}, r"on is \[1\]; write column names"),
        ({"source": "x", "on": {"a": ""}}, "on is {'a': ''}"),
        ({"source": "x", "on": {"a": "k", "b": "k"}}, "means 'k' twice"),
        ({"source": "x", "on": 3}, "on is 3"),
        ({"source": "x", "on": ["a"], "columns": {"a": "c", "b": "c"}}, "means 'c' twice"),
        ({"source": "x", "on": ["a"], "how": "inner"}, "how is 'inner'; known: left, require"),
        ({"source": "x", "on": ["a"], "at": 3}, "at is 3; write a text"),
    ],
)
def test_a_declaration_that_is_none_is_refused(declared, message):
    with pytest.raises(ParameterError, match=message):
        Join.parse(declared)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"on": ["idd"]}, r"join source 'there' has no column 'idd'; did you mean 'id'\?"),
        ({"on": ["id"], "columns": ["ctiy"]}, r"no column 'ctiy'; did you mean 'city'\?"),
        ({"on": ["id"], "at": "szie"}, r"no column 'szie'; did you mean 'size'\?"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_the_nearest(declared, message):
    with pytest.raises(SchemaError, match=message):
        joined(SHOPS, **declared, time_column="t")
    with pytest.raises(SchemaError, match=r"no column 'shpo' here; did you mean 'shop'\?"):
        joined(SHOPS, on={"shpo": "id"}).apply(PAYMENTS)


def test_a_join_by_time_needs_each_rows_time():
    with pytest.raises(ParameterError, match="needs the time of each row; set time_column"):
        joined(HISTORY, on=["shop"], at="since")
    with pytest.raises(SchemaError, match="'since' is 'soon' in row 2, no date"):
        joined(pl.DataFrame({"k": [1, 2], "since": ["2024-01-01", "soon"]}), on=["k"], at="since", time_column="at")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "payments.csv").write_text(
        "id,shop,at,amount\n1,1,2024-01-02T00:00:00,5.0\n2,2,2024-01-09T00:00:00,6.0\n3,1,2024-01-10T00:00:00,7.5\n4,9,2024-01-11T00:00:00,8.0\n"
    )
    SHOPS.write_parquet(tmp_path / "shops.parquet")
    HISTORY.drop_nulls().write_csv(tmp_path / "history.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    return tmp_path


def test_ingest_joins_another_file_before_anything_is_written(files: Path):
    join = {"source": str(files / "shops.parquet"), "on": {"shop": "id"}, "columns": ["city"]}
    info = ingest(files / "payments.csv", files / "out", join=join)
    assert read_dataset(files / "out")["city"].to_list() == ["Nice", None, "Nice", None]
    assert info.columns == ("id", "shop", "at", "amount", "city")
    assert "3 rows matched, 1 unmatched" in info.metadata()["notes"]
    assert info.content_digest != ingest(files / "payments.csv", files / "plain").content_digest
    with pytest.raises(SchemaError, match=r"row 4 \(shop=9\) has no match"):
        ingest(files / "payments.csv", files / "required", join={**join, "how": "require"})
    with pytest.raises(SourceError, match="gone"):
        ingest(files / "payments.csv", files / "required", join={**join, "source": str(files / "gone.csv")})
    assert not (files / "required").exists()


def test_ingest_joins_a_history_as_it_was_and_takes_the_window_first(files: Path):
    join = {"source": str(files / "history.csv"), "on": ["shop"], "at": "since"}
    info = ingest(files / "payments.csv", files / "out", join=join, time_column="at", since="2024-01-09")
    assert read_dataset(files / "out").select("id", "level").rows() == [(2, "new"), (3, "new"), (4, None)]
    assert "the newest by since before each row's time: 2 rows matched, 1 unmatched" in info.metadata()["notes"]
    with pytest.raises(ParameterError, match="set time_column"):
        ingest(files / "payments.csv", files / "other", join=join)


def test_a_second_source_that_is_too_large_is_refused(files: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ratchet.sources.joins.MAX_BYTES", 10)
    with pytest.raises(SourceError, match=r"shops\.parquet' takes more than 10 bytes of memory"):
        ingest(files / "payments.csv", files / "out", join={"source": str(files / "shops.parquet"), "on": {"shop": "id"}})


def test_a_key_that_turns_out_to_be_text_far_down_is_joined_as_text(files: Path):
    rows = [f"{i},{i}" for i in range(60_000)] + ["60000,x7"]
    (files / "late.csv").write_text("\n".join(["n,code", *rows]) + "\n")
    pl.DataFrame({"code": ["5", "x7"], "v": [1, 2]}).write_parquet(files / "codes.parquet")
    info = ingest(files / "late.csv", files / "out", join={"source": str(files / "codes.parquet"), "on": ["code"]})
    assert "2 rows matched, 59,999 unmatched" in info.metadata()["notes"]
    assert read_dataset(files / "out").filter(pl.col("v").is_not_null()).rows() == [(5, "5", 1), (60_000, "x7", 2)]


def test_batches_may_be_begun_again_with_other_types():
    made = joined(pl.DataFrame({"k": [1, 2], "v": [1, 2]}), on=["k"])
    assert [batch["v"].to_list() for batch in made.applied([pl.DataFrame({"k": [1]})])] == [[1]]
    assert [batch["v"].to_list() for batch in made.applied([pl.DataFrame({"k": [2.0, 0.5]})])] == [[2, None]]
    assert (made.matched, made.unmatched) == (1, 1)
