import math
from datetime import datetime

import polars as pl
import pytest

from ratchet.errors import ParameterError, TargetError
from ratchet.features.target import Target, class_names, encode, read_target

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
