import math
from datetime import datetime

import polars as pl
import pytest

from ratchet.errors import ParameterError, TargetError
from ratchet.features.target import Target, class_names, encode, is_labelled, no_target, read_target

FOUND = [
    (["UP", "DOWN", "DOWN"], "binary", ("DOWN", "UP")),
    (["no", "no", "yes", "yes", "yes"], "binary", ("no", "yes")),
    ([0, 1, 1, 1], "binary", ("0", "1")),
    ([0.0, 1.0], "binary", ("0", "1")),
    ([True, True, False], "binary", ("false", "true")),
    (["b", "a"], "binary", ("a", "b")),
    (["a", "b", "c"], "multiclass", ("a", "b", "c")),
    ([10, 9, 2], "multiclass", ("2", "9", "10")),
    (list(range(11)), "regression", ()),
    ([1.5, 2.5, 3.5], "regression", ()),
]


@pytest.mark.parametrize(("values", "task", "classes"), FOUND)
def test_the_task_and_the_positive_class_are_found(values, task, classes):
    assert read_target(pl.Series("y", values)) == Target("y", task, classes)


def test_what_was_asked_for_wins_and_then_what_the_live_model_predicts():
    values = pl.Series("class", ["UP", "DOWN", "DOWN"])
    live = Target("class", "binary", ("UP", "DOWN"))
    assert read_target(values, live=live).positive == "DOWN"
    assert read_target(values, positive="UP", live=live).positive == "UP"
    assert read_target(values, live=Target("another", "binary", ("UP", "DOWN"))).positive == "UP"
    assert read_target(pl.Series("y", [1, 2, 3]), task="regression") == Target("y", "regression")
    assert read_target(pl.Series("y", [1, 2]), live=Target("y", "multiclass", ("1", "2", "3"))).task == "multiclass"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 1, 1], "'y' is 1 in all 3 rows, so there is nothing to learn"),
        ([None, None], "missing in 2 of 2 rows"),
        ([0, 1, None], "missing in 1 of 3 rows, the first of them row 2.*not known yet"),
        ([0.5, math.nan, 1.0], "missing in 1 of 3 rows, the first of them row 1"),
        ([0.5, math.inf, 1.0], "infinite in row 1"),
        ([], "has no rows"),
        ([datetime(2024, 5, 1), datetime(2024, 5, 2)], "which nothing here predicts"),
        ([[1], [2]], "which nothing here predicts"),
        ([f"customer {i}" for i in range(101)], "101 different values.*identifier"),
    ],
    ids=["constant", "empty column", "missing", "nan", "infinite", "no rows", "times", "lists", "identifier"],
)
def test_a_target_that_cannot_be_learnt_is_refused(values, message):
    with pytest.raises(TargetError, match=message):
        read_target(pl.Series("y", values))


@pytest.mark.parametrize(
    ("values", "asked", "error", "message"),
    [
        ([0, 1], {"task": "classification"}, ParameterError, "task 'classification' is unknown"),
        ([0, 1], {"positive": "yes"}, TargetError, "no value 'yes' to be the positive class; known: 0, 1"),
        (["a", "b", "c"], {"task": "binary"}, TargetError, "3 different values .*task=multiclass"),
        (["a", "b", "c"], {"positive": "a"}, ParameterError, "no meaning for 3 classes"),
        ([1.5, 2.5, 3.5], {"positive": "a"}, ParameterError, "no meaning in regression"),
        (["a", "b"], {"task": "regression"}, TargetError, "regression needs numbers"),
    ],
)
def test_what_does_not_go_together_is_refused(values, asked, error, message):
    with pytest.raises(error, match=message):
        read_target(pl.Series("y", values), **asked)


def test_labels_are_numbers_whatever_the_target_was_stored_as():
    target = Target("y", "binary", ("0", "1"))
    for values in ([0, 1], [0.0, 1.0], ["0", "1"]):
        assert encode(pl.Series("y", values), target).tolist() == [0.0, 1.0]
    assert encode(pl.Series("y", ["c", "a"]), Target("y", "multiclass", ("a", "b", "c"))).tolist() == [2, 0]
    assert encode(pl.Series("y", [1, 2]), Target("y", "regression")).tolist() == [1.0, 2.0]


def test_a_class_that_training_has_not_seen_is_named_with_its_row():
    with pytest.raises(TargetError, match="'y' is 'maybe' in row 1; known classes: no, yes"):
        encode(pl.Series("y", ["no", "maybe"]), Target("y", "binary", ("no", "yes")))
    with pytest.raises(TargetError, match="missing in row 1"):
        encode(pl.Series("y", ["no", None]), Target("y", "binary", ("no", "yes")))


def test_fractions_stay_what_they_are_as_class_names():
    assert class_names(pl.Series([0.5, 1.0])).to_list() == ["0.5", "1.0"]


ANOMALIES = [
    ([0, 1, None], {}, ("0", "1")),
    ([0.0, math.nan, 1.0], {}, ("0", "1")),
    (["normal", "anomaly"], {}, ("normal", "anomaly")),
    (["good", "scratched", "scratched"], {"positive": "scratched"}, ("good", "scratched")),
    ([0, 0, None], {}, ("0", "1")),
    ([False, False], {}, ("false", "true")),
    (["ok", "ok"], {"positive": "defect"}, ("ok", "defect")),
    (["ok", "ok"], {"live": Target("y", "anomaly", ("ok", "defect"))}, ("ok", "defect")),
]


@pytest.mark.parametrize(("values", "asked", "classes"), ANOMALIES)
def test_of_anomalies_labels_may_be_missing_or_all_normal(values, asked, classes):
    assert read_target(pl.Series("y", values), task="anomaly", **asked) == Target("y", "anomaly", classes)


def test_the_task_anomaly_is_taken_over_from_the_live_model_and_never_guessed():
    values = pl.Series("y", [0, 0, 1])
    assert read_target(values).task == "binary"
    assert read_target(values, live=Target("y", "anomaly", ("0", "1"))) == Target("y", "anomaly", ("0", "1"))


@pytest.mark.parametrize(
    ("values", "asked", "message"),
    [
        ([1, 1], {}, "is '1', the anomaly, in every labelled row, so there is nothing normal to learn"),
        (["ok", None], {"positive": "ok"}, "is 'ok', the anomaly, in every labelled row"),
        (["ok", None], {}, "is 'ok' in every labelled row; set positive to what an anomaly is called"),
        ([None, None], {}, "missing in all 2 rows; leave target empty where there are no labels"),
        (["a", "b", "c"], {}, r"3 different values \(a, b, c\), and anomaly takes 2"),
        ([0, 1], {"positive": "2"}, "no value '2' to be the positive class"),
        ([0, 1, 1], {}, "'1' is an anomaly by its name, and 67% of the rows; set positive to the value that is the anomaly, '0' or '1'"),
        ([], {}, "has no rows"),
        ([datetime(2024, 5, 1), datetime(2024, 5, 2)], {}, "which nothing here predicts"),
    ],
)
def test_labels_that_say_nothing_of_what_is_normal_are_refused(values, asked, message):
    with pytest.raises(TargetError, match=message):
        read_target(pl.Series("y", values), task="anomaly", **asked)


def test_only_anomalies_need_no_target():
    live = Target("", "anomaly", ("normal", "anomaly"))
    assert no_target(task="anomaly") == no_target(live=live) == live
    assert live.positive == "anomaly"
    for task, message in {"": "a model learns from one", "binary": "task='binary' learns from one"}.items():
        with pytest.raises(ParameterError, match=f"target is empty, and {message}; name the column to predict, or set task=anomaly"):
            no_target(task=task, live=Target("y", "anomaly", ("0", "1")))
    with pytest.raises(ParameterError, match="positive='1' is a value of a target, and target is empty"):
        no_target(task="anomaly", positive="1")


def test_an_anomaly_is_one_as_a_number_and_a_missing_label_is_no_label():
    assert encode(pl.Series("y", ["ok", "defect"]), Target("y", "anomaly", ("ok", "defect"))).tolist() == [0.0, 1.0]
    with pytest.raises(TargetError, match="missing in row 1"):
        encode(pl.Series("y", ["ok", None]), Target("y", "anomaly", ("ok", "defect")))
    assert is_labelled(pl.Series(["ok", None])).to_list() == [True, False]
