import pytest

from ratchet.errors import ParameterError
from ratchet.features.split_plan import SplitPlan


@pytest.mark.parametrize("name", ["validation_share", "holdout_share"])
@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 20.0, float("nan")])
def test_a_share_is_between_0_and_1(name, share):
    with pytest.raises(ParameterError, match=f"{name} is {share}"):
        SplitPlan(**{name: share})


@pytest.mark.parametrize("name", ["train_from", "holdout_until", "label_delay", "known_by"])
def test_what_only_a_time_column_can_give_is_refused_without_one(name):
    with pytest.raises(ParameterError, match=f"{name}='7d' means nothing without a time column"):
        SplitPlan(**{name: "7d"})


def test_rows_are_placed_by_group_else_key_else_all_columns():
    plan = SplitPlan().identified_by(["b", "a"])
    assert plan.record_columns == ("a", "b")
    assert SplitPlan(key=("id",)).identified_by(["b"]).record_columns == ("id",)
    assert SplitPlan(key=("id",), group="customer").record_columns == ("customer",)
