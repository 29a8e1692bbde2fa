import numpy as np
import pytest
import sklearn.metrics as sk

from ratchet.errors import ParameterError
from ratchet.evaluation.bootstrap import Blocks
from ratchet.evaluation.primary import BY_TASK, choose_primary


@pytest.mark.parametrize(("task", "name"), [(task, name) for task, names in BY_TASK.items() for name in names])
def test_a_resample_that_draws_every_row_once_gives_the_metric_itself(task: str, name: str) -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=200) if task == "regression" else rng.integers(0, 2, 200)
    predictions = rng.dirichlet(np.ones(2), 200) if task == "multiclass" else rng.random(200)
    metric, blocks = choose_primary(task, name), Blocks.of(200)
    once = np.ones((1, 200), dtype=np.float32)
    assert metric.resampled(labels, predictions, blocks, once)[0] == pytest.approx(metric.value(labels, predictions), rel=1e-6)


def test_better_is_higher_for_accuracy_and_lower_for_an_error() -> None:
    assert choose_primary("multiclass").higher_is_better
    assert not choose_primary("regression").higher_is_better


def test_a_metric_of_another_task_is_refused_with_those_of_this_one() -> None:
    with pytest.raises(ParameterError, match="'rmse' does not fit the task 'binary'; known: average_precision, brier, log_loss, roc_auc"):
        choose_primary("binary", "rmse")


def test_f1_of_anomalies_is_that_of_the_decisions_and_every_resample_is_a_weighted_one() -> None:
    rng = np.random.default_rng(5)
    labels, errors = (rng.random(300) < 0.2).astype(np.int64), rng.gamma(2, 1, 300)
    metric, blocks = choose_primary("anomaly", "f1"), Blocks.of(300)
    assert metric.value(labels, errors, 3.0) == pytest.approx(sk.f1_score(labels, errors >= 3.0))
    weights = blocks.draw(200, seed=1)
    found = metric.resampled(labels, errors, blocks, weights, 3.0)
    for place in (0, 7, 199):
        assert found[place] == pytest.approx(sk.f1_score(labels, errors >= 3.0, sample_weight=weights[place]), rel=1e-6)
    assert metric.higher_is_better
    assert choose_primary("anomaly").name == "average_precision"
    assert np.isnan(metric.value(np.zeros(3), np.zeros(3), 1.0))
