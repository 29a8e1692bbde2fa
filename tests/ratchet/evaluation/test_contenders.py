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


def test_flagging_none_and_flagging_all_are_as_bad_for_anomalies_whose_costs_nobody_stated() -> None:
    loss = choose_loss("anomaly", RARE)
    naive = baseline("anomaly", RARE, 2, loss)
    lost = loss.per_row(RARE, naive.predictions, naive.threshold).mean()
    for answer in (0.0, 1.0):
        assert loss.per_row(RARE, np.full(1_000, answer), 0.5).mean() == pytest.approx(lost)
    assert lost == pytest.approx(0.03)


def test_an_autoencoder_is_not_compared_with_a_boosting_model_of_the_same_target() -> None:
    boosting = FeatureSpec("binary", "fraud", {}, (), classes=("0", "1"))
    with pytest.raises(
        ParameterError, match=r"'fraud' \(anomaly, anomaly '1'\) and the champion 'fraud' \(binary, positive '1'\), so they"
    ) as told:
        check_comparable(boosting.as_anomaly(), boosting)
    assert "a probability and a reconstruction error" in str(told.value)


def test_of_two_models_that_find_anomalies_one_may_have_no_labels() -> None:
    labelled = FeatureSpec("anomaly", "fraud", {}, (), classes=("0", "1"))
    bare = FeatureSpec("anomaly", "", {}, (), classes=("normal", "anomaly"))
    for sides in ((labelled, bare), (bare, labelled), (bare, bare), (labelled, labelled)):
        check_comparable(*sides)
    with pytest.raises(ParameterError, match=r"predicts 'theft' \(anomaly, anomaly '1'\) and the champion 'fraud'"):
        check_comparable(FeatureSpec("anomaly", "theft", {}, (), classes=("0", "1")), labelled)
    with pytest.raises(ParameterError, match=r"predicts what is unusual \(anomaly, no labels\) and the champion 'fraud' \(binary"):
        check_comparable(bare, FeatureSpec("binary", "fraud", {}, (), classes=("0", "1")))
