import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(st.lists(st.booleans(), min_size=2).filter(lambda labels: 0 < sum(labels) < len(labels)))
def test_where_nobody_stated_costs_never_flagging_and_always_flagging_anomalies_lose_alike(labels: list[bool]) -> None:
    truth = np.array(labels, dtype=float)
    loss = choose_loss("anomaly", truth)
    never, always = (loss.per_row(truth, np.full(len(truth), error), 1.0).mean() for error in (0.0, 2.0))
    assert loss.kind == "cost"
    assert never == pytest.approx(always)
    assert loss.per_row(truth, truth * 2, 1.0).max() == 0.0


def test_stated_costs_of_anomalies_stand_whatever_their_share() -> None:
    loss = choose_loss("anomaly", np.zeros(5), cost_false_negative=20.0)
    assert (loss.kind, loss.cost_false_negative, loss.cost_false_positive) == ("cost", 20.0, 1.0)


@pytest.mark.parametrize("labels", [[], [0.0, 0.0], [1.0, 1.0]], ids=["no rows", "no anomaly", "nothing else"])
def test_costs_that_no_share_gives_are_asked_for(labels: list[float]) -> None:
    with pytest.raises(TargetError, match="state cost_false_negative"):
        choose_loss("anomaly", np.array(labels))


def test_an_alarm_is_a_loss_whatever_the_label_and_no_number_has_none() -> None:
    loss = choose_loss("anomaly", np.array([]), kind="alarm")
    found = loss.per_row(np.array([1.0, 0.0, 0.0, 1.0]), np.array([3.0, 2.0, 1.9, np.nan]), 2.0)
    assert found[:3].tolist() == [1.0, 1.0, 0.0]
    assert np.isnan(found[3])
    assert not loss.needs_labels
    assert choose_loss("anomaly", np.array([0.0, 1.0])).needs_labels
    with pytest.raises(ParameterError, match="does not fit the task"):
        choose_loss("binary", np.array([0.0, 1.0]), kind="alarm")
