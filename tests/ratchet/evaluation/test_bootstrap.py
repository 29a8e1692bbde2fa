import numpy as np
import polars as pl
import pytest

from ratchet.evaluation.bootstrap import MOST_BLOCKS, Blocks, effective_size, interval


def test_the_interval_of_a_mean_has_the_width_that_theory_says() -> None:
    values = np.random.default_rng(0).normal(size=2_000)
    blocks = Blocks.of(2_000)
    span = interval(float(values.mean()), blocks.means(blocks.draw(2_000, seed=1), values), 0.95)
    assert span.high - span.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(2_000), rel=0.08)


def test_rows_of_a_group_are_drawn_together_and_the_interval_knows_it() -> None:
    """Every value ten times over: ten times the rows, not a bit more knowledge."""
    values = np.random.default_rng(0).normal(size=200)
    group = pl.Series("customer", np.repeat(np.arange(200), 10))
    widths = []
    for blocks, rows in ((Blocks.of(200), values), (Blocks.of(2_000, group=group), np.repeat(values, 10))):
        span = interval(0.0, blocks.means(blocks.draw(1_000, seed=3), rows), 0.95)
        widths.append(span.high - span.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.05)


def test_a_holdout_of_any_size_becomes_a_bounded_number_of_blocks() -> None:
    blocks = Blocks.of(1_000_000)
    assert blocks.count == MOST_BLOCKS
    assert np.bincount(blocks.index).min() >= 244


def test_rows_that_follow_one_another_in_time_are_drawn_together_whatever_their_order_in_the_table() -> None:
    order = np.random.default_rng(0).permutation(1_000)
    blocks = Blocks.of(1_000, time=pl.Series("at", order))
    assert blocks.told == "10 rows that follow one another"
    assert (blocks.index[np.argsort(order)] == np.arange(1_000) // 10).all()


def test_the_same_seed_draws_the_same() -> None:
    blocks = Blocks.of(50)
    assert np.array_equal(blocks.draw(20, seed=5), blocks.draw(20, seed=5))
    assert not np.array_equal(blocks.draw(20, seed=5), blocks.draw(20, seed=6))
    assert (blocks.draw(20, seed=5).sum(axis=1) == 50).all()


def test_a_difference_that_rests_on_three_rows_has_the_effective_size_three() -> None:
    assert effective_size(np.array([0.0] * 997 + [1.0, 1.0, -1.0])) == pytest.approx(3)
