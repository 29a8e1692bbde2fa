import numpy as np
import pytest

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
