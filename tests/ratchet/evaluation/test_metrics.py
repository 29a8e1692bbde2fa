"""Each task gets its own metrics, the mean loss first."""

import numpy as np
import pytest
import sklearn.metrics as sk

from ratchet.evaluation.losses import Loss
from ratchet.evaluation.metrics import metrics_of

RNG = np.random.default_rng(0)


def test_two_classes_are_measured_at_the_models_threshold() -> None:
    labels, scores = RNG.integers(0, 2, 300), RNG.random(300)
    found = metrics_of("binary", labels, scores, 0.3, Loss("cost", cost_false_negative=4.0, cost_false_positive=1.0))
    assert next(iter(found)) == "loss"
    assert found["recall"] == pytest.approx(sk.recall_score(labels, scores >= 0.3))
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, scores))


def test_several_classes_are_measured_by_their_probabilities() -> None:
    labels = RNG.integers(0, 3, 300)
    scores = RNG.dirichlet(np.ones(3), 300)
    found = metrics_of("multiclass", labels, scores, 0.5, Loss("log"))
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(labels, scores.argmax(axis=1)))


def test_numbers_are_measured_in_their_unit() -> None:
    labels, values = RNG.normal(size=100), RNG.normal(size=100)
    found = metrics_of("regression", labels, values, 0.5, Loss("absolute", scale=2.0))
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(labels, values))
