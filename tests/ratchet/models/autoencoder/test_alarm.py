import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import EmptySampleError, ParameterError
from ratchet.models.autoencoder.alarm import alarm_threshold, threshold_by_cost, threshold_by_f_score, threshold_by_rate
from ratchet.models.autoencoder.parameters import AutoencoderParameters

ERRORS = st.lists(st.one_of(st.integers(0, 5).map(float), st.floats(0, 1e6)), min_size=1, max_size=40).map(np.array)
LABELLED = st.lists(st.tuples(st.integers(0, 1), st.one_of(st.integers(0, 5).map(float), st.floats(0, 1e6))), min_size=1, max_size=30)


def cuts(errors: np.ndarray) -> list[float]:
    """Every threshold that decides in another way."""
    return [*np.unique(errors).tolist(), float(np.nextafter(errors.max(), np.inf))]


@given(ERRORS, st.floats(0.001, 0.999))
def test_no_more_normal_rows_raise_an_alarm_than_asked_and_one_more_value_would_be_too_many(errors, rate):
    threshold = threshold_by_rate(errors, rate)
    alarms = int((errors >= threshold).sum())
    assert alarms <= rate * len(errors) + 1e-9
    quiet = errors[errors < threshold]
    assert quiet.size == 0 or int((errors >= quiet.max()).sum()) > rate * len(errors)


@pytest.mark.parametrize(
    ("rows", "rate", "alarms"), [(100, 0.29, 29), (100, 0.07, 7), (50, 0.01, 0), (1000, 0.01, 10), (1, 0.5, 0), (2, 0.5, 1)]
)
def test_the_wanted_number_of_alarms_is_met_to_the_row(rows, rate, alarms):
    errors = np.arange(rows, dtype=float)
    assert int((errors >= threshold_by_rate(errors, rate)).sum()) == alarms


def test_rows_of_one_error_are_decided_alike():
    errors = np.array([1.0, *[5.0] * 9])
    assert threshold_by_rate(errors, 0.5) == np.nextafter(5.0, 6.0)


def test_two_neighbouring_numbers_have_nothing_between_them_and_are_still_told_apart():
    low, high = 1.0, float(np.nextafter(1.0, 2.0))
    assert threshold_by_rate([low, high], 0.5) == high
    assert threshold_by_f_score([0, 1], [low, high]) == high


def f_score(labels: np.ndarray, flagged: np.ndarray, beta: float) -> float:
    hits = float((labels * flagged).sum())
    return (1 + beta**2) * hits / (flagged.sum() + beta**2 * labels.sum())


@given(LABELLED.filter(lambda rows: any(label for label, _ in rows)), st.sampled_from([0.5, 1.0, 2.0]))
def test_no_threshold_has_a_better_f_score_and_no_higher_one_is_as_good(rows, beta):
    labels, errors = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    chosen = threshold_by_f_score(labels, errors, beta)
    scores = {cut: f_score(labels, errors >= cut, beta) for cut in cuts(errors)}
    reached = f_score(labels, errors >= chosen, beta)
    assert reached == pytest.approx(max(scores.values()))
    assert not [cut for cut, score in scores.items() if (errors >= cut).sum() < (errors >= chosen).sum() and score > reached - 1e-13]


@given(LABELLED, st.floats(0.01, 100), st.floats(0.01, 100))
def test_no_threshold_costs_less(rows, missed, false):
    labels, errors = (np.array(part, dtype=float) for part in zip(*rows, strict=True))

    def cost(threshold: float) -> float:
        flagged = errors >= threshold
        return missed * float(labels[~flagged].sum()) + false * float((1 - labels)[flagged].sum())

    assert cost(threshold_by_cost(labels, errors, missed, false)) == pytest.approx(min(map(cost, cuts(errors))), rel=1e-9, abs=1e-9)


def test_a_threshold_says_what_it_lacks():
    with pytest.raises(EmptySampleError, match="give the validation split a share"):
        threshold_by_rate([], 0.01)
    with pytest.raises(EmptySampleError, match="threshold_by='rate'"):
        threshold_by_f_score([0, 0], [1.0, 2.0])
    with pytest.raises(ParameterError, match="false_alarm_rate is 1"):
        threshold_by_rate([1.0], 1.0)
    with pytest.raises(ParameterError, match="beta is 0"):
        threshold_by_f_score([1], [1.0], 0.0)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_an_error_that_is_no_number_sets_no_threshold(wrong):
    """NaN is at or above no threshold, so it would count as normal."""
    with pytest.raises(ParameterError, match="error of row 1"):
        threshold_by_rate([1.0, wrong], 0.1)
    with pytest.raises(ParameterError, match="error of row 1"):
        threshold_by_f_score([0, 1], [1.0, wrong])


ROWS = np.arange(10.0)
MIXED = np.array([0, 0, -1, 0, 0, 0, 1, 0, -1, 1.0])


def chosen(labels: np.ndarray, **how) -> float:
    return alarm_threshold(labels, ROWS, AutoencoderParameters(**how))


def test_labels_of_both_classes_choose_the_threshold():
    assert chosen(MIXED) == threshold_by_f_score(MIXED[MIXED >= 0], ROWS[MIXED >= 0]) == 5.5


def test_stated_costs_choose_it():
    assert chosen(MIXED, cost_false_positive=50.0) == 8.0, "between the rows 7 and 9; row 8 has no label"
    assert chosen(MIXED, cost_false_negative=50.0) == 5.5


def test_the_rate_is_of_the_rows_labelled_normal():
    labels = np.array([0.0] * 4 + [-1.0] * 6)
    assert chosen(labels, false_alarm_rate=0.25) == 2.5
    assert chosen(MIXED, threshold_by="rate", false_alarm_rate=0.2) == 6.0, "one of seven is allowed: row 7"


def test_without_any_label_it_is_of_all_rows():
    assert chosen(np.full(10, -1.0), false_alarm_rate=0.2) == 7.5


@pytest.mark.parametrize("by", ["f_score", "cost"])
@pytest.mark.parametrize("label", [-1.0, 0.0, 1.0])
def test_what_needs_both_classes_says_so(by, label):
    with pytest.raises(ParameterError, match=f"threshold_by is '{by}'"):
        chosen(np.full(10, label), threshold_by=by)
