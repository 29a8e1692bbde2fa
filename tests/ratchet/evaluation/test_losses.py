import numpy as np
import pytest

from ratchet.errors import ParameterError, TargetError
from ratchet.evaluation.losses import Loss, choose_loss


def test_a_model_that_never_flags_fraud_loses_by_cost_and_by_brier_though_its_accuracy_is_high() -> None:
    labels = np.array([1.0] * 8 + [0.0] * 992)
    silent, useful = np.full(1_000, 0.008), np.where(labels == 1, 0.6, 0.004)
    for loss in (Loss("cost", 20, 1), Loss("log"), Loss("brier")):
        assert loss.per_row(labels, useful, 0.5).mean() < loss.per_row(labels, silent, 0.5).mean()


def test_every_loss_lies_between_0_and_1() -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 500).astype(float), rng.random(500)
    target = rng.standard_cauchy(500)
    several = rng.dirichlet(np.ones(3), 500)
    found = [
        Loss("cost", 7, 3).per_row(labels, scores, 0.3),
        Loss("brier").per_row(labels, scores),
        Loss("log").per_row(labels, scores.round()),
        Loss("log").per_row(rng.integers(-1, 3, 500), several),
        Loss("brier").per_row(rng.integers(-1, 3, 500), several),
        choose_loss("regression", target).per_row(target, target[::-1]),
    ]
    for losses in found:
        assert losses.min() >= 0
        assert losses.max() <= 1 + 1e-12


def test_a_prediction_that_is_not_a_number_has_no_loss() -> None:
    predictions = np.array([np.nan, 0.2])
    for loss in (Loss("cost", 2, 1), Loss("log"), Loss("brier"), Loss("absolute", scale=1.0)):
        assert np.isnan(loss.per_row(np.array([1.0, 0.0]), predictions)).tolist() == [True, False]


def test_the_scale_of_a_regression_is_not_moved_by_a_few_wild_labels() -> None:
    labels = np.arange(1_000.0)
    wild = labels.copy()
    wild[:3] = 1e9
    assert choose_loss("regression", wild).scale == pytest.approx(choose_loss("regression", labels).scale, rel=0.02)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "costs"}, "did you mean 'cost'"),
        ({"kind": "absolute"}, "does not fit the task 'binary'"),
        ({"cost_false_negative": -1.0}, "must be above 0"),
    ],
)
def test_a_loss_that_cannot_be_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        choose_loss("binary", np.array([0.0, 1.0]), **options)  # type: ignore[arg-type]


def test_a_regression_whose_target_does_not_vary_is_refused() -> None:
    with pytest.raises(TargetError, match="use a longer holdout"):
        choose_loss("regression", np.ones(100))
