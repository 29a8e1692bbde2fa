"""The version of the data depends on the rows, and on nothing else."""

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.data.digests import ContentDigest, content_digest, schema_digest

values = st.fixed_dictionaries(
    {
        "integer": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        "number": st.one_of(st.none(), st.floats()),
        "boolean": st.one_of(st.none(), st.booleans()),
        "string": st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)),
        "time": st.one_of(st.none(), st.datetimes()),
    }
)
DTYPES = {"integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean, "string": pl.String, "time": pl.Datetime("us")}
Rows = list[dict[str, Any]]


def table(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=DTYPES)


@given(rows=st.lists(values, max_size=20), seed=st.randoms(use_true_random=False), cut=st.integers(0, 20))
def test_order_of_rows_and_columns_and_parts_do_not_count(rows: Rows, seed: random.Random, cut: int) -> None:
    shuffled = rows.copy()
    seed.shuffle(shuffled)
    names = list(DTYPES)
    seed.shuffle(names)
    again = table(shuffled).select(names)
    assert content_digest([again[:cut], again[cut:]]) == content_digest(table(rows))


@given(rows=st.lists(values, min_size=1, max_size=10), data=st.data())
def test_a_row_more_a_row_less_or_a_value_changed_is_another_version(rows: Rows, data: st.DataObject) -> None:
    before = content_digest(table(rows))
    place = data.draw(st.integers(0, len(rows) - 1))
    assert content_digest(table([*rows, rows[place]])) != before, "duplicates count"
    assert content_digest(table(rows[:place] + rows[place + 1 :])) != before
    changed = [dict(row) for row in rows]
    changed[place]["integer"] = 7 if changed[place]["integer"] is None else changed[place]["integer"] ^ 1
    assert content_digest(table(changed)) != before


@pytest.mark.slow
@settings(max_examples=40)
@given(rows=st.lists(values, min_size=1, max_size=20))
def test_parquet_holds_the_same_version(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("digest") / "rows.parquet"
    table(rows).write_parquet(path)
    assert content_digest(pl.read_parquet(path)) == content_digest(table(rows))


def test_values_that_swap_columns_or_rows_are_another_version() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert content_digest(frame) != content_digest(pl.DataFrame({"a": [3, 4], "b": [1, 2]}))
    assert content_digest(frame) != content_digest(pl.DataFrame({"a": [1, 2], "b": [4, 3]}))
    assert content_digest(frame) != content_digest(frame.rename({"b": "c"}))


def test_values_that_print_alike_differ() -> None:
    digests = [content_digest(pl.DataFrame({"a": [value]})) for value in (1, "1", True, "true", 1.5, "1.5", None, "None", -1)]
    assert len(set(digests)) == len(digests)


def test_a_whole_number_is_the_same_in_either_type_and_zero_has_no_sign() -> None:
    assert content_digest(pl.DataFrame({"a": [1.0, -0.0, None]})) == content_digest(pl.DataFrame({"a": [1, 0, None]}))


def test_the_digest_stays_what_it_was_in_earlier_releases() -> None:
    """Versions are kept in ledgers for years. If this fails, the digest changed: give it another name (`rows2:`)."""
    frame = pl.DataFrame({"id": [1, 2, None], "x": [0.5, float("nan"), -3.0], "s": ["a", None, "ü"], "b": [True, None, False]})
    assert content_digest(frame) == "rows:1416b4fed8aaba54ce33ec4586e944e1167b7beb"
    assert schema_digest(frame.schema) == "columns:c6e51c51b6a639a07baf3946ed7eed43348bd7e5"


def test_an_empty_table_has_a_version_that_names_its_columns() -> None:
    assert content_digest(pl.DataFrame({"a": []})) != content_digest(pl.DataFrame({"b": []}))
    assert ContentDigest().text().startswith("rows:")


@pytest.mark.realdata
def test_a_million_real_rows_have_one_version_in_any_order(real_data: Any, tmp_path: Path) -> None:
    frame = pl.read_parquet(real_data("fraud_handbook/transactions.parquet"))
    assert content_digest(frame.sample(fraction=1.0, shuffle=True, seed=1)) == content_digest(frame)
    assert content_digest(frame[1:]) != content_digest(frame)
