"""Every metric equals scikit-learn's."""

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.evaluation.classification import binary_metrics, confusion, multiclass_metrics
from ratchet.evaluation.ranking import average_precision, roc_auc

ROWS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1)), min_size=2, max_size=60)


@pytest.mark.slow
@given(ROWS.filter(lambda rows: len({label for label, _ in rows}) == 2), st.sampled_from([0.1, 0.5, 0.9]))
@settings(max_examples=200, deadline=None)
def test_binary_metrics_are_scikit_learns(rows: list[tuple[int, float]], threshold: float) -> None:
    labels, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    decided = (scores >= threshold).astype(int)
    got = binary_metrics(labels, scores, threshold)
    expected = {
        "roc_auc": sk.roc_auc_score(labels, scores),
        "average_precision": sk.average_precision_score(labels, scores),
        "accuracy": sk.accuracy_score(labels, decided),
        "precision": sk.precision_score(labels, decided, zero_division=np.nan),
        "recall": sk.recall_score(labels, decided),
        "f1": sk.f1_score(labels, decided, zero_division=np.nan),
        "log_loss": sk.log_loss(labels, scores),
        "brier": sk.brier_score_loss(labels, scores),
    }
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True), name


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_multiclass_metrics_are_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, probabilities = rng.integers(0, 4, 80), rng.dirichlet(np.ones(4), 80)
    decided = probabilities.argmax(axis=1)
    got = multiclass_metrics(labels, probabilities)
    assert got["accuracy"] == pytest.approx(sk.accuracy_score(labels, decided))
    assert got["macro_f1"] == pytest.approx(sk.f1_score(labels, decided, average="macro", zero_division=0))
    assert got["log_loss"] == pytest.approx(sk.log_loss(labels, probabilities, labels=[0, 1, 2, 3]))
    assert np.array_equal(confusion(labels, decided, 4), sk.confusion_matrix(labels, decided, labels=[0, 1, 2, 3]))


def test_a_class_that_the_model_does_not_know_is_always_wrong() -> None:
    got = multiclass_metrics(np.array([0, -1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert got["accuracy"] == 0.5
    assert got["log_loss"] > 10
    assert got["brier"] == 0.5


def test_the_expected_cost_counts_each_kind_of_error_at_its_price() -> None:
    labels, scores = np.array([1, 1, 0, 0]), np.array([0.9, 0.1, 0.8, 0.2])
    got = binary_metrics(labels, scores, 0.5, cost_false_negative=100.0, cost_false_positive=4.0)
    assert got["expected_cost"] == (100 + 4) / 4


def test_with_one_class_a_ranking_is_not_a_number_rather_than_a_convenient_value() -> None:
    assert np.isnan(roc_auc(np.zeros(3, dtype=int), np.array([0.1, 0.2, 0.3])))
    assert np.isnan(average_precision(np.zeros(3, dtype=int), np.array([0.1, 0.2, 0.3])))
