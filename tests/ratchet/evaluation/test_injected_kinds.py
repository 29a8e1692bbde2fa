"""What a column would hold, and what another row has instead."""

import numpy as np
import polars as pl
import pytest

from ratchet.evaluation.injected_kinds import Category, Number, spike


def test_a_moved_value_is_one_that_its_column_could_hold() -> None:
    byte, rows = Number.of(pl.Series("byte", [0, 100, 200], dtype=pl.UInt8)), np.array([0, 2])
    assert byte.spread == pytest.approx(np.std([0, 100, 200]))
    assert byte.moved(rows, np.array([-9.0, 9.0])).to_list() == [0, 255]
    assert byte.written(np.array([1.4, 1.6])).to_list() == [1, 2]
    whole = Number.of(pl.Series("whole", [1.0, None, 3.0, 5.0]))
    assert whole.moved(np.array([0]), np.array([1.0])).to_list() == [3.0], "1 + 1.63 is rounded, for all others are whole"
    assert Number.of(pl.Series("debt", [-1.5, 2.0, 3.0])).moved(np.array([1]), np.array([-2.0]))[0] < 0


def test_the_largest_floats_stay_finite() -> None:
    huge = Number.of(pl.Series("huge", [-1.7e308, 0.0, 1.7e308]))
    assert np.isfinite([huge.mean, huge.spread]).all()
    assert np.isfinite(huge.moved(np.array([2]), np.array([50.0])).to_numpy()).all()
    assert np.isfinite(Number.of(pl.Series("single", [0, 1, 3e38], dtype=pl.Float32)).moved(np.array([2]), np.array([9.0]))[0])


def test_another_category_is_always_found_and_common_ones_more_often() -> None:
    column = pl.Series("place", ["hall"] * 90 + ["roof"] * 9 + ["cellar", None])
    rows, values = Category.of(column).other(np.arange(101), np.random.default_rng(0))
    assert rows.tolist() == list(range(100)), "a missing value stays missing"
    assert (values != column.gather(rows)).all()
    swapped = dict(values.head(90).value_counts().rows())
    assert swapped["roof"] > 5 * swapped["cellar"] > 0


def test_a_row_whose_numbers_are_all_missing_gets_no_spike() -> None:
    numbers = [Number.of(pl.Series(name, [None, 1.0, 2.0, 4.0])) for name in "ab"]
    touched = [rows for _, rows, _ in spike(numbers, (), [np.array([0, 1])], 4.0, np.random.default_rng(0))]
    assert np.concatenate(touched).tolist() == [1]
