import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import EmptySampleError, ParameterError
from ratchet.models.threshold import choose_threshold

rows = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 0.99, 1.0])), min_size=1, max_size=30)
costs = st.sampled_from([0.1, 1.0, 5.0, 100.0])


def cost_at(threshold: float, labels: np.ndarray, scores: np.ndarray, missed: float, alarm: float) -> float:
    called = scores >= threshold
    return float(missed * (labels * ~called).sum() + alarm * ((1 - labels) * called).sum())


@given(rows=rows, missed=costs, alarm=costs)
def test_no_other_threshold_costs_less(rows, missed, alarm):
    labels, scores = np.array([label for label, _ in rows]), np.array([score for _, score in rows])
    chosen = cost_at(choose_threshold(labels, scores, missed, alarm), labels, scores, missed, alarm)
    tried = [*np.linspace(0, 1, 201), 1.1]
    assert chosen <= min(cost_at(threshold, labels, scores, missed, alarm) for threshold in tried) + 1e-9


@given(rows=rows, seed=st.integers(0, 99))
def test_the_order_of_the_rows_does_not_matter(rows, seed):
    shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    one, other = (choose_threshold([label for label, _ in some], [score for _, score in some], 3.0, 1.0) for some in (rows, shuffled))
    assert one == other


def test_a_dearer_miss_lowers_the_threshold():
    rng = np.random.default_rng(1)
    labels = rng.random(5000) < 0.1
    scores = np.clip(0.1 + 0.3 * labels + rng.normal(0, 0.15, 5000), 0, 1)
    chosen = [choose_threshold(labels, scores, missed, 1.0) for missed in (1.0, 5.0, 25.0)]
    assert chosen[0] > chosen[1] > chosen[2]


def test_where_nothing_is_worth_calling_nothing_is_called():
    assert choose_threshold([0, 0, 0], [0.2, 0.4, 1.0]) > 1.0
    assert choose_threshold([1, 1], [0.0, 0.4]) == 0.0


def test_no_rows_and_no_cost_are_refused():
    with pytest.raises(EmptySampleError, match="threshold needs rows"):
        choose_threshold([], [])
    with pytest.raises(ParameterError, match="cost_false_negative is 0"):
        choose_threshold([1], [0.5], cost_false_negative=0.0)
