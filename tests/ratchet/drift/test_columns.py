from collections import Counter
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.drift.columns import ColumnDrift, compare_column

VALUES: dict[pl.DataType, st.SearchStrategy[object]] = {
    pl.Float64(): st.floats(),
    pl.Int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
    pl.Date(): st.dates(date(1, 1, 1), date(9999, 1, 1)),
    pl.Datetime("us"): st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1)),
    pl.Boolean(): st.booleans(),
    pl.String(): st.text(max_size=3) | st.sampled_from("ab"),
}
columns = st.sampled_from(list(VALUES)).flatmap(
    lambda dtype: st.tuples(
        *[st.lists(st.none() | VALUES[dtype], min_size=1, max_size=40).map(lambda side: pl.Series("x", side, dtype=dtype))] * 2
    )
)


def by_definition(reference: pl.Series, current: pl.Series) -> float:
    """D by scipy, or total variation by counting."""
    if reference.dtype.is_numeric() or reference.dtype.is_temporal():
        first, second = (np.array(side.to_physical().to_list()) for side in (reference, current))
        return float(np.max([abs(np.mean(first <= value) - np.mean(second <= value)) for value in [*first, *second]]))
    shares = [Counter({value: count / len(side) for value, count in Counter(side.to_list()).items()}) for side in (reference, current)]
    return sum(abs(shares[0][value] - shares[1][value]) for value in {*shares[0], *shares[1]}) / 2


@pytest.mark.slow
@given(columns)
@settings(max_examples=300)
def test_any_two_columns_are_at_the_distance_that_the_definition_says(sides: tuple[pl.Series, pl.Series]) -> None:
    """Ties, infinities, constants, all missing, one row, dates, booleans, unicode, integers that no float holds."""
    result = compare_column(*sides)
    present = [(side.fill_nan(None) if side.dtype == pl.Float64 else side).drop_nulls() for side in sides]
    missing = [1 - len(held) / len(side) for held, side in zip(present, sides, strict=True)]
    assert (result.missing_reference, result.missing_current) == tuple(missing)
    assert bool(result.statistics) == all(map(len, present))
    if result.statistics:
        told = result.statistics["ks" if result.kind == "number" else "total_variation"]
        assert told == pytest.approx(by_definition(*present), abs=1e-12)
        assert not any(value != value for value in result.statistics.values())
    distances = [result.statistics.get("ks", result.statistics.get("total_variation", 0.0)), abs(missing[0] - missing[1])]
    assert result.distance in map(pytest.approx, distances)
    assert 0 <= result.distance <= 1
    assert not compare_column(sides[0], sides[0]).drifted


def test_d_of_long_columns_is_scipys() -> None:
    rng = np.random.default_rng(1)
    reference, current = rng.normal(size=30_000), rng.normal(0.05, 1.1, 20_000)
    result: ColumnDrift = compare_column(pl.Series("x", reference), pl.Series("x", current))
    expected = scipy.stats.ks_2samp(reference, current, method="asymp")
    assert result.statistics["ks"] == pytest.approx(expected.statistic, abs=1e-12)
    assert result.statistics["wasserstein"] == pytest.approx(scipy.stats.wasserstein_distance(reference, current), rel=1e-9)


def test_a_date_that_moved_is_told_as_a_date() -> None:
    days = pl.Series("day", pl.date_range(date(2024, 1, 1), date(2024, 12, 31), eager=True).to_list() * 10)
    assert "at or below 2024-03-31: 25% → 0%" in compare_column(days, days.dt.offset_by("91d")).moved


def test_a_column_without_a_value_has_no_type_that_could_change() -> None:
    """Ingest makes a column of nothing but empty cells a string."""
    result = compare_column(pl.Series("x", [1.5] * 500), pl.Series("x", [None] * 500, dtype=pl.String))
    assert (result.kind, result.moved) == ("number", "missing: 0% → 100%")


def test_a_column_that_lost_its_values_has_drifted_though_the_rest_did_not_move() -> None:
    whole = pl.Series("income", list(range(1_000)))
    result = compare_column(whole, pl.Series("income", [None if value % 2 else value for value in range(1_000)]))
    assert (result.drifted, result.moved, result.distance) == (True, "missing: 0% → 50%", 0.5)


def test_a_column_all_missing_on_both_sides_is_stable() -> None:
    empty = pl.Series("note", [None] * 50, dtype=pl.Null)
    assert not compare_column(empty, empty).drifted


def test_a_column_all_missing_on_one_side_has_drifted_by_one() -> None:
    result = compare_column(pl.Series("note", ["a"] * 500), pl.Series("note", [None] * 500, dtype=pl.Null))
    assert (result.drifted, result.distance) == (True, 1.0)


def test_a_number_that_became_text_has_drifted_and_says_so() -> None:
    result = compare_column(pl.Series("age", [1, 2]), pl.Series("age", ["1", "2"]))
    assert (result.drifted, result.moved) == (True, "type changed from Int64 to String")
    assert compare_column(pl.Series("age", [1, 2]), pl.Series("age", ["1", "2"]), threshold=0.0).drifted


def test_identifiers_that_never_repeat_are_chance_not_drift() -> None:
    result = compare_column(pl.Series("id", [f"a{i}" for i in range(800)]), pl.Series("id", [f"b{i}" for i in range(800)]))
    assert result.statistics["total_variation"] == pytest.approx(1.0)
    assert not result.drifted


def test_one_row_a_side_never_drifts() -> None:
    assert not compare_column(pl.Series("x", [1.0]), pl.Series("x", [2.0])).drifted


def test_infinities_and_nan_in_a_column_of_numbers_break_nothing() -> None:
    inf, nan = float("inf"), float("nan")
    result = compare_column(pl.Series("x", [inf, -inf, nan, 1.0] * 300), pl.Series("x", [inf, inf, nan, 1.0] * 300))
    assert (result.drifted, round(result.distance, 9)) == (True, round(1 / 3, 9))
    assert result.missing_reference == 0.25


def test_the_place_of_the_largest_difference_is_told() -> None:
    result = compare_column(pl.Series("country", ["de"] * 900 + ["fr"] * 100), pl.Series("country", ["de"] * 500 + ["xx"] * 500))
    assert result.moved == "'xx': 0% → 50%"


def test_shares_that_differ_little_are_told_with_the_decimal_that_tells_them_apart() -> None:
    result = compare_column(pl.Series("sex", ["f"] * 49_120 + ["m"] * 50_880), pl.Series("sex", ["f"] * 49_149 + ["m"] * 50_851))
    assert result.moved == "'f': 49.12% → 49.15%"
