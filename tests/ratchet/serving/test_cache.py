"""The cache: a row that was asked before is not computed again, another model's answer is never given, and it stays small."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.serving.cache import PredictionCache


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), max_size=20), st.integers(0, 5))
def test_it_answers_what_the_model_would(asked, entries):
    cache = PredictionCache(entries)
    for values in asked:
        made = cache.predict("m", [{"x": value} for value in values], lambda rows: np.array([float(row["x"]) for row in rows]))
        assert made.tolist() == values
        assert len(cache) <= entries


def test_a_known_row_is_not_computed_again_and_another_model_is_another_answer():
    cache = PredictionCache(10)
    assert cache.predict("1", [{"x": 1}], lambda rows: np.ones((1, 3))).shape == (1, 3)
    assert cache.predict("1", [{"x": 1}], lambda rows: pytest.fail("asked again")).tolist() == [[1.0, 1.0, 1.0]]
    assert cache.predict("2", [{"x": 1}], lambda rows: np.zeros(1)).tolist() == [0.0]
    assert (cache.hits, cache.misses) == (1, 2)
