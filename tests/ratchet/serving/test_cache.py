"""The cache: a row that was asked before is not computed again, another model's answer is never given, and it stays small."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.serving.cache import PredictionCache

DETAILS = ("embedding", "shares")


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), max_size=20), st.integers(0, 5))
def test_it_answers_what_the_model_would(asked, entries):
    cache = PredictionCache(entries)
    for values in asked:
        made, _ = cache.answer("m", [{"x": value} for value in values], lambda rows: (np.array([float(row["x"]) for row in rows]), {}))
        assert made.tolist() == values
        assert len(cache) <= entries


def test_a_known_row_is_not_computed_again_and_another_model_is_another_answer():
    cache = PredictionCache(10)
    assert cache.answer("1", [{"x": 1}], lambda rows: (np.ones((1, 3)), {}))[0].shape == (1, 3)
    assert cache.answer("1", [{"x": 1}], lambda rows: pytest.fail("asked again"))[0].tolist() == [[1.0, 1.0, 1.0]]
    assert cache.answer("2", [{"x": 1}], lambda rows: (np.zeros(1), {}))[0].tolist() == [0.0]
    assert (cache.hits, cache.misses) == (1, 2)


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.sets(st.sampled_from(DETAILS))), max_size=20),
    st.integers(0, 4),
)
def test_details_are_kept_with_the_row_and_are_as_many_as_were_asked_for(asked, entries):
    cache = PredictionCache(entries)
    for values, wants in asked:

        def compute(rows, wants=wants):
            known = np.array([float(row["x"]) for row in rows])
            return known, {name: np.stack([known, known + len(name)], axis=1) for name in wants}

        made, details = cache.answer("m", [{"x": value} for value in values], compute, frozenset(wants))
        assert made.tolist() == values
        assert set(details) == wants
        for name in wants:
            assert details[name].tolist() == [[value, value + len(name)] for value in values]
        assert len(cache) <= entries


def test_an_embedding_that_was_asked_before_is_not_computed_again_and_a_prediction_comes_with_it():
    cache, wants = PredictionCache(10), frozenset(("embedding",))

    def never(rows):
        pytest.fail("asked again")

    cache.answer("1", [{"x": 1}], lambda rows: (np.ones(1), {"embedding": np.float32([[2, 3]])}), wants)
    assert cache.answer("1", [{"x": 1}], never, wants)[1]["embedding"].tolist() == [[2, 3]]
    assert cache.answer("1", [{"x": 1}], never)[0].tolist() == [1.0]
    cache.answer("1", [{"x": 1}], lambda rows: (np.ones(1), {"shares": np.ones((1, 4))}), frozenset(("shares",)))
    both, details = cache.answer("1", [{"x": 1}], never, frozenset(("embedding", "shares")))
    assert (both.tolist(), details["embedding"].tolist()) == ([1.0], [[2, 3]])


def test_what_is_kept_of_a_row_does_not_keep_its_batch_in_memory():
    cache = PredictionCache(1)
    cache.answer("1", [{"x": i} for i in range(9)], lambda rows: (np.ones(9), {"embedding": np.ones((9, 2))}), frozenset(("embedding",)))
    (entry,) = cache._kept.values()
    assert all(value.base is None for value in entry.values())
