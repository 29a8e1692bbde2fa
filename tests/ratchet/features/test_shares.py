from datetime import date

import numpy as np
import polars as pl
import pytest

from ratchet.errors import SchemaError
from ratchet.features.shares import stable_shares


def test_the_numbers_are_the_same_in_ten_years():
    rows = pl.DataFrame({"id": [1, 2, None], "name": ["é", None, "x"], "day": [date(2024, 5, 1)] * 3, "x": [0.1, -0.0, None]})
    assert stable_shares(rows, ["id", "name", "day", "x"], "holdout").round(12).tolist() == [0.189861904648, 0.955972531363, 0.423247840606]


def test_a_row_keeps_its_number_when_rows_come_go_or_change_place():
    table = pl.DataFrame({"id": range(1000)})
    whole = dict(zip(table["id"], stable_shares(table, ["id"], "s"), strict=True))
    some = table.sample(300, seed=1, shuffle=True)
    assert [whole[id_] for id_ in some["id"]] == stable_shares(some, ["id"], "s").tolist()


def test_the_type_in_which_a_key_was_stored_does_not_matter():
    shares = [
        stable_shares(pl.DataFrame({"id": pl.Series([7, 8], dtype=dtype)}), ["id"], "s").tolist()
        for dtype in (pl.Int8, pl.UInt64, pl.Float64)
    ]
    assert shares[0] == shares[1] == shares[2]


def test_the_numbers_are_uniform_and_other_salts_give_others():
    table = pl.DataFrame({"id": range(20_000)})
    one, other = stable_shares(table, ["id"], "one"), stable_shares(table, ["id"], "other")
    assert np.abs(np.histogram(one, bins=10, range=(0, 1))[0] / 2000 - 1).max() < 0.1
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


def test_a_missing_key_is_no_text():
    shares = stable_shares(pl.DataFrame({"a": ["x", None], "b": [None, "x"]}), ["a", "b"], "s")
    assert shares[0] != shares[1]


def test_an_unknown_key_is_named():
    with pytest.raises(SchemaError, match="did you mean 'customer'"):
        stable_shares(pl.DataFrame({"customer": [1]}), ["custmer"], "s")
