"""Details beside predictions: parts and wholes are the same numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.serving.details import DTYPES, finite, joined, part


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.sets(st.sampled_from(sorted(DTYPES))))
def test_the_parts_of_requests_put_together_are_the_batch_s(spans, names):
    whole = {name: np.arange(2.0 * sum(spans)).reshape(-1, 2) for name in sorted(names)}
    ends = np.cumsum(spans).tolist()
    again = joined([part(whole, end - span, end) for span, end in zip(spans, ends, strict=True)])
    assert again.keys() == whole.keys()
    assert all(again[name].tolist() == whole[name].tolist() for name in whole)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_none_is_enough(wrong):
    assert finite({})
    assert finite({"embedding": np.zeros((2, 2))})
    assert not finite({"shares": np.zeros((2, 2)), "embedding": np.array([[0.0, wrong]])})
