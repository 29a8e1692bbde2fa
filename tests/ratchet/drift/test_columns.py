import polars as pl
import pytest

from ratchet.drift.columns import compare_column


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
