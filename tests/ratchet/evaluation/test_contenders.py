import numpy as np
import pytest

from ratchet.errors import ParameterError
from ratchet.evaluation.contenders import Contender, baseline, check_comparable
from ratchet.evaluation.losses import Loss, choose_loss
from ratchet.features.spec import FeatureSpec

RARE = np.array([1.0] * 30 + [0.0] * 970)


@pytest.mark.parametrize("loss", [Loss("log"), Loss("brier"), Loss("cost", 5, 1), Loss("cost", 60, 1)])
def test_no_constant_does_better_than_the_baseline(loss: Loss) -> None:
    naive = baseline("binary", RARE, 2, loss)
    best = loss.per_row(RARE, naive.predictions, naive.threshold).mean()
    for constant in np.linspace(0, 1, 201):
        assert best <= loss.per_row(RARE, np.full(1_000, constant), 0.5).mean() + 1e-12


def test_the_baseline_flags_everything_only_where_that_is_cheaper() -> None:
    flagged = {cost: baseline("binary", RARE, 2, Loss("cost", cost, 1)) for cost in (5, 60)}
    assert [bool((side.predictions >= side.threshold).all()) for side in flagged.values()] == [False, True]


def test_the_baseline_of_a_regression_is_the_median_and_of_classes_their_shares() -> None:
    labels = np.array([1.0, 2.0, 100.0])
    assert baseline("regression", labels, 0, choose_loss("regression", labels)).predictions.tolist() == [2.0] * 3
    assert baseline("multiclass", np.array([0, 0, 1, 2]), 3, Loss("log")).predictions[0].tolist() == [0.5, 0.25, 0.25]


def test_rows_with_any_prediction_that_is_not_finite_are_counted_once() -> None:
    assert Contender("challenger", np.array([[np.nan, np.inf], [0.5, 0.5]])).unfinished == 1


def test_the_positive_class_is_part_of_the_question() -> None:
    specs = [FeatureSpec("binary", "y", {}, (), classes=classes) for classes in (("no", "yes"), ("yes", "no"))]
    with pytest.raises(ParameterError, match=r"positive 'yes'.*positive 'no'"):
        check_comparable(*specs)
