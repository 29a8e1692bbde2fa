import dataclasses
import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import DataError, EmptySampleError, PackageError, ParameterError
from ratchet.models.autoencoder.preparation import LIMIT, Category, Number, Preparation

NUMBERS = st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1, max_size=40)
TABLE = pl.DataFrame({"amount": [1.0, None, 3.0, 5.0], "city": ["Ulm", "Bern", None, "Ulm"], "rate": [0.5, 0.5, 0.5, 0.5]})


def learnt(table: pl.DataFrame = TABLE, **how: int) -> Preparation:
    return Preparation.learn([table], table.columns, **how)


def test_numbers_are_standardised_and_categories_get_codes_by_frequency() -> None:
    preparation = learnt()
    assert preparation.columns == ("amount", "rate", "city")
    assert preparation.scales == (1.0, 1.0, 1.0)
    assert preparation.categories == (Category("city", ("Ulm", "Bern")),)
    rows = preparation.prepare(
        pl.DataFrame({"city": ["Bern", "Ulm", "Bonn", None], "rate": [0.5, 2.5, 0.5, None], "amount": [3.0, None, 5.0, 1.0]})
    )
    spread = math.sqrt(8 / 3)
    assert rows.numbers == pytest.approx(np.array([[0, 0], [0, 2], [2 / spread, 0], [-2 / spread, 0]]), rel=1e-6)
    assert rows.missing.tolist() == [[0, 0], [1, 0], [0, 0], [0, 1]]
    assert rows.categories.tolist() == [[3], [2], [0], [1]]
    assert (rows.numbers.dtype, rows.missing.dtype, rows.categories.dtype) == (np.float32, np.float32, np.int32)


@given(NUMBERS, st.integers(1, 40))
def test_learning_in_batches_prepares_as_numpy_would(values: list[float | None], size: int) -> None:
    table = pl.DataFrame({"a": pl.Series(values, dtype=pl.Float64)})
    preparation = Preparation.learn(table.iter_slices(size), ["a"])
    present = np.array([value for value in values if value is not None])
    rows = preparation.prepare(table)
    assert rows.missing[:, 0].tolist() == [float(value is None) for value in values]
    assert not rows.numbers[rows.missing == 1].any()
    if len(present) > 1 and present.std() > 1e-6 * np.abs(present).max():
        expected = (present - present.mean()) / present.std()
        assert rows.numbers[rows.missing == 0] == pytest.approx(expected, rel=1e-4, abs=1e-4)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_any_number_stays_finite_and_in_order_and_keeps_its_distance_below_the_limit(values: list[float]) -> None:
    preparation = Preparation((Number("a", 1.0, 2.0),), (), (1.0,))
    ordered = sorted(values)
    found = preparation.prepare(pl.DataFrame({"a": ordered})).numbers[:, 0]
    assert np.isfinite(np.square(found)).all()
    assert (np.diff(found) >= 0).all()
    near = np.abs((np.array(ordered) - 1) / 2) <= LIMIT
    assert found[near] == pytest.approx((np.array(ordered)[near] - 1) / 2, rel=1e-6, abs=1e-6)


def test_beyond_the_limit_a_distance_grows_as_its_logarithm_and_is_told_from_one_further_out() -> None:
    preparation = Preparation((Number("a", 0.0, 1.0),), (), (1.0,))
    found = preparation.prepare(pl.DataFrame({"a": [10.0, 10.0 * math.e, -1000.0, 1e300]})).numbers[:, 0]
    assert found == pytest.approx([10.0, 20.0, -10 * (1 + math.log(100)), 10 * (1 + math.log(1e299))])


@pytest.mark.parametrize("rows", [3, 1000])
def test_few_rows_and_many_get_the_same_codes(rows: int) -> None:
    preparation = Preparation((), (Category("city", ("Ulm", "Bern", "\x00")),), (1.0,))
    table = pl.DataFrame({"city": ["Bern", None, "Bonn", "Ulm", "\x00", ""] * rows})
    assert preparation.prepare(table).categories[:, 0].tolist() == [3, 1, 0, 2, 4, 0] * rows
    assert preparation.prepare(table[:0]).categories.shape == (0, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused_by_column_row_and_value(value: float) -> None:
    odd = TABLE.with_columns(amount=pl.Series([1.0, None, value, 2.0]))
    with pytest.raises(DataError, match=f"column 'amount' is {value} in row 2"):
        learnt().prepare(odd)
    with pytest.raises(DataError, match=f"column 'amount' is {value} in row 6"):
        Preparation.learn([TABLE, odd], TABLE.columns)


def test_the_columns_of_a_channel_share_one_centre_and_one_spread() -> None:
    rng = np.random.default_rng(0)
    table = pl.DataFrame({f"step_{step}_{name}": rng.normal(step, size, 50) for step in range(4) for name, size in (("x", 1), ("y", 9))})
    whole = table.to_numpy()
    one = Preparation.learn(table.iter_slices(7), table.columns, channels=1).numbers
    assert len({(number.centre, number.spread) for number in one}) == 1
    assert (one[0].centre, one[0].spread) == pytest.approx((whole.mean(), whole.std()))
    two = Preparation.learn(table.iter_slices(7), table.columns, channels=2).numbers
    assert [number.spread for number in two] == pytest.approx([whole[:, 0::2].std(), whole[:, 1::2].std()] * 4)


def test_only_so_many_values_get_a_code() -> None:
    assert learnt(most=1).categories == (Category("city", ("Ulm",)),)
    assert learnt(most=1).prepare(TABLE).categories[:, 0].tolist() == [2, 0, 1, 2]
    with pytest.raises(ParameterError, match="categories is 0"):
        learnt(most=0)
    with pytest.raises(EmptySampleError, match="there are none"):
        learnt(TABLE[:0])


def test_a_column_that_is_always_missing_is_masked() -> None:
    table = pl.DataFrame({"a": pl.Series([None, None], dtype=pl.Float64), "b": pl.Series([None, None], dtype=pl.String)})
    rows = learnt(table).prepare(table)
    assert (rows.numbers.tolist(), rows.missing.tolist(), rows.categories.tolist()) == ([[0], [0]], [[1], [1]], [[1], [1]])


def test_the_graph_gets_no_input_without_columns() -> None:
    both = {"numbers", "missing", "categories"}
    assert set(learnt().prepare(TABLE).inputs()) == both
    assert set(learnt(TABLE.select("city")).prepare(TABLE).inputs()) == {"categories"}
    assert set(learnt(TABLE.drop("city")).prepare(TABLE).inputs()) == both - {"categories"}


def test_it_comes_back_from_its_file_as_it_went_in(tmp_path) -> None:
    preparation = dataclasses.replace(learnt(), scales=(0.1, 1 / 3, 7.0))
    preparation.write(tmp_path)
    assert Preparation.read(tmp_path) == preparation
    assert Preparation.read(tmp_path).to_json() == preparation.to_json()


FINITE = st.floats(allow_nan=False, allow_infinity=False)
SPREAD = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
COLUMNS = st.lists(st.text(), unique=True, max_size=6)


@given(COLUMNS, st.integers(0, 6), FINITE, SPREAD, st.lists(st.text(), unique=True, max_size=4))
def test_whatever_names_and_numbers_it_holds_there_is_one_way_to_write_it(
    names: list[str], numeric: int, centre: float, spread: float, values: list[str]
) -> None:
    numbers = tuple(Number(name, centre, spread) for name in names[:numeric])
    categories = tuple(Category(name, tuple(values)) for name in names[numeric:])
    preparation = Preparation(numbers, categories, (spread,) * len(names))
    assert Preparation.from_json(preparation.to_json(), "a file") == preparation
    assert Preparation.from_json(preparation.to_json(), "a file").to_json() == preparation.to_json()


@given(st.integers(0, len(learnt().to_json()) - 3))
def test_a_file_that_was_cut_anywhere_is_refused(place: int) -> None:
    with pytest.raises(PackageError, match="not readable"):
        Preparation.from_json(learnt().to_json()[:place], "a file")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "is of format 2; .* upgrade"),
        ({"numbers": None}, "not readable"),
        ({"numbers": [{"name": "a", "centre": 0.0, "spread": 0.0}]}, "not above 0"),
        ({"scales": [1.0]}, "1 scales for the columns"),
        ({"scales": [1.0, 1.0, -1.0]}, "not above 0"),
        ({"limit": math.inf}, "not above 0 and finite"),
    ],
)
def test_a_file_that_prepares_nothing_is_refused(change, message, tmp_path) -> None:
    values = json.loads(learnt().to_json()) | change
    (tmp_path / "preparation.json").write_text(json.dumps(values))
    with pytest.raises(PackageError, match=message):
        Preparation.read(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"[]", b"3"])
def test_a_file_that_is_missing_or_damaged_is_refused(content, tmp_path) -> None:
    if content is not None:
        (tmp_path / "preparation.json").write_bytes(content)
    with pytest.raises(PackageError, match="fetch the package again"):
        Preparation.read(tmp_path)
