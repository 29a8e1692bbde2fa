import numpy as np
import polars as pl
import pytest

from ratchet.errors import SplitError
from ratchet.features.spec import SplitRecord
from ratchet.features.split_checks import check_splits
from ratchet.features.split_plan import SplitPlan, Splits

RECORD = SplitRecord("time", ("at",), trained_until="1.0")


def splits(train: list[int], validation: list[int], holdout: list[int], **left_out: int) -> Splits:
    return Splits(np.array(train, np.int64), np.array(validation, np.int64), np.array(holdout, np.int64), RECORD, left_out)


@pytest.mark.parametrize(("parts", "name"), [(([], [1], [2]), "train"), (([0], [], [2]), "validation"), (([0], [1], []), "holdout")])
def test_an_empty_split_is_refused_with_the_numbers_and_the_remedy(parts, name):
    with pytest.raises(SplitError, match=rf"the {name} split is empty \(train .*left out: 4 because late\); ingest more rows"):
        check_splits(splits(*parts, late=4), SplitPlan(time="at"), None)


def test_one_class_in_a_split_is_refused():
    with pytest.raises(SplitError, match="the holdout split, made by time column 'at', has the class 'no' only"):
        check_splits(splits([0, 1], [2, 3], [4, 5]), SplitPlan(time="at"), pl.Series(["no", "yes", "no", "yes", "no", "no"]))


def test_a_class_that_training_does_not_see_is_refused():
    with pytest.raises(SplitError, match="validation split has the class 'c', which the train split has not"):
        check_splits(splits([0, 1], [2, 3], [4, 5]), SplitPlan(), pl.Series(["a", "b", "a", "c", "a", "b"]))


def test_anomalies_may_be_missing_anywhere_and_normal_rows_may_not():
    parts, classes = splits([0, 1], [2, 3], [4, 5]), pl.Series(["no", None, "no", "no", "yes", "yes"])
    check_splits(parts, SplitPlan(), classes, np.array([False] * 5 + [True]))
    with pytest.raises(SplitError, match="the holdout split, made by a stable hash, has anomalies only"):
        check_splits(parts, SplitPlan(), classes, np.array([False] * 4 + [True] * 2))
