from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import ParameterError, SchemaError, SplitError
from ratchet.features.split_plan import SplitPlan
from ratchet.features.splits import split_rows

START = datetime(2018, 7, 25)


def by_day(days: list[float], **columns: list[object]) -> pl.DataFrame:
    return pl.DataFrame({"at": [START + timedelta(days=day) for day in days], **columns}, schema_overrides={"at": pl.Datetime("us")})


@given(st.lists(st.integers(0, 12), min_size=20, max_size=60), st.sampled_from([0.1, 0.2, 0.4]))
def test_train_comes_before_validation_before_holdout_and_an_instant_is_never_split(days, share):
    frame = by_day(days)
    try:
        parts = split_rows(frame, SplitPlan(time="at", holdout_share=share))
    except SplitError:
        assert len(set(days)) < 4 or max(days.count(day) for day in days) > len(days) * 0.2, "only ties can leave a split empty"
        return
    times = [frame["at"].gather(part) for part in (parts.train, parts.validation, parts.holdout)]
    assert times[0].max() < times[1].min()
    assert times[1].max() < times[2].min()
    assert sum(map(len, times)) == len(days)
    assert all(part.is_sorted() for part in times)


def test_a_row_whose_label_is_not_known_when_the_holdout_begins_does_not_train():
    frame = by_day(list(range(30)))
    parts = split_rows(frame, SplitPlan(time="at", holdout_from="2018-08-14", label_delay="7d"))
    assert [len(part) for part in (parts.train, parts.validation, parts.holdout)] == [10, 3, 10]
    assert parts.left_out["label not known when the holdout begins"] == 7
    assert parts.record.trained_until == "2018-08-06T00:00:00"


def test_boundaries_are_kept():
    frame = by_day(list(range(30)))
    plan = SplitPlan("at", train_from="2018-07-27", train_until="2018-08-01", holdout_from="2018-08-08", holdout_until="2018-08-15")
    parts = split_rows(frame, plan)
    days = [[(at - START).days for at in frame["at"].gather(part)] for part in (parts.train, parts.validation, parts.holdout)]
    assert days == [[2, 3, 4, 5], [6], list(range(14, 21))]


def test_a_time_column_of_numbers_splits_too():
    parts = split_rows(pl.DataFrame({"at": np.linspace(0, 1, 100)}), SplitPlan("at", holdout_from="0.75", label_delay="0.25"))
    assert len(parts.holdout) == 25
    assert len(parts.train) + len(parts.validation) == 50


def test_a_card_leaves_the_holdout_on_the_day_after_its_fraud_is_known():
    frame = by_day([0, 0.5, 0.75, 1.5, 8.25, 8.25, 8.75, 9, 9.25], card=list("cacbabbcb"))
    fraud = np.arange(9)[:, None] == [1, 3]
    plan = SplitPlan("at", holdout_from="2018-08-02", label_delay="7d", known_by="card")
    parts = split_rows(frame, plan, positive=fraud.any(axis=1))
    assert parts.holdout.tolist() == [5, 6, 7], "a is known on day 7; b at noon of day 8, which is too late for day 8"
    assert parts.left_out["known positive before the day began"] == 2


def test_by_time_too_a_group_never_straddles():
    frame = by_day(list(range(20)), customer=[*range(10), *range(5, 15)])
    parts = split_rows(frame, SplitPlan("at", group="customer"))
    groups = [set(frame["customer"].gather(part)) for part in (parts.train, parts.validation, parts.holdout)]
    assert not groups[0] & groups[1]
    assert not (groups[0] | groups[1]) & groups[2]
    assert parts.left_out["their group is in a later split"] > 0


def test_the_holdout_begins_after_what_the_live_model_was_trained_on():
    frame = by_day(list(range(100)))
    live = split_rows(frame, SplitPlan("at"))
    again = split_rows(frame, SplitPlan("at", holdout_share=0.5), seen=live.record)
    assert again.holdout.min() == 80
    with pytest.raises(SplitError, match=r"holdout split is empty.*because the live model may have trained"):
        split_rows(frame, SplitPlan("at", holdout_from="2018-08-01", holdout_until="2018-08-08"), seen=live.record)


@pytest.mark.parametrize(
    ("plan", "error", "message"),
    [
        (SplitPlan("when"), SchemaError, "no time column 'when'"),
        (SplitPlan("text"), SchemaError, r"'text' is String \(first value 'soon'\)"),
        (SplitPlan("at", group="custmer"), SchemaError, "did you mean 'customer'"),
        (SplitPlan("at", known_by="custmer"), SchemaError, "did you mean 'customer'"),
        (SplitPlan("at", holdout_from="next week"), ParameterError, "holdout_from is 'next week'"),
        (SplitPlan("at", train_until="2018-08-10", holdout_from="2018-08-01"), ParameterError, "train before it"),
        (SplitPlan("at", train_from="2030-01-01"), SplitError, "its times go from 2018-07-25T00:00:00 to 2018-08-03T00:00:00"),
        (SplitPlan("at", holdout_from="2030-01-01"), SplitError, "holdout split is empty"),
        (SplitPlan("at", label_delay="30d"), SplitError, r"train split is empty.*8 because label not known"),
    ],
)
def test_a_split_that_cannot_be_is_refused(plan, error, message):
    frame = by_day(list(range(10)), customer=list(range(10)), text=["soon"] * 10)
    with pytest.raises(error, match=message):
        split_rows(frame, plan, positive=np.zeros(10, bool))


def test_all_at_one_instant_cannot_be_split_by_time():
    with pytest.raises(SplitError, match="train split is empty"):
        split_rows(by_day([3] * 50), SplitPlan("at"))
