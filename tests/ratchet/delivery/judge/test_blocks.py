"""A block is one step: the same whatever order blocks are named in, never worth more than the cap, and fixed once it was seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.judge.blocks import Blocks
from ratchet.errors import JudgeError

ids = st.lists(st.integers(-5, 5), max_size=40)


@given(ids, st.integers(1, 6), st.data())
def test_steps_are_the_weighted_sums_in_order_of_first_appearance(names: list[int], cap: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.floats(-1, 1), min_size=len(names), max_size=len(names)))
    expected: dict[int, list[float]] = {}
    for name, value in zip(names, values, strict=True):
        expected.setdefault(name, []).append(value)
    blocks = Blocks.of(np.array(names, dtype=np.int64), cap)
    np.testing.assert_allclose(blocks.steps(np.array(values)), [sum(own) / max(cap, len(own)) for own in expected.values()], atol=1e-12)
    assert blocks.sizes.tolist() == [len(own) for own in expected.values()]
    assert blocks.counts.tolist() == np.cumsum([len(own) for own in expected.values()], dtype=int).tolist()
    assert (np.abs(blocks.steps(np.array(values))) <= 1 + 1e-12).all()


def test_a_block_of_a_hundred_counts_as_the_cap() -> None:
    blocks = Blocks.of(np.repeat([1, 2, 3], [100, 3, 1]), block_cap=3)
    np.testing.assert_allclose(blocks.steps(np.ones(104)), [1, 1, 1 / 3])


@given(st.lists(st.integers(1, 4), max_size=10), st.integers(1, 4), st.integers(0, 10))
def test_later_blocks_change_nothing_about_earlier_ones(sizes: list[int], cap: int, cut: int) -> None:
    whole = Blocks.of(np.repeat(np.arange(len(sizes)), sizes), cap)
    part = Blocks.of(np.repeat(np.arange(len(sizes[:cut])), sizes[:cut]), cap)
    assert part.weights.tolist() == whole.weights[: len(sizes[:cut])].tolist()
    assert part.index.tolist() == whole.index[: sum(sizes[:cut])].tolist()


def test_names_that_are_no_numbers_and_a_cap_of_nothing_are_refused() -> None:
    with pytest.raises(JudgeError, match="whole numbers"):
        Blocks.of(np.array([0.5]), 3)
    with pytest.raises(JudgeError, match="block_cap 0"):
        Blocks.of(np.array([1]), 0)


def test_nothing_is_no_block() -> None:
    assert Blocks.of(np.array([]), 3).steps(np.array([])).tolist() == []
