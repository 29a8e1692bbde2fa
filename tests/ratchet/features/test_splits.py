import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.errors import SplitError
from ratchet.features.split_plan import SplitPlan
from ratchet.features.splits import may_have_trained, split_rows


def table(rows: int, first: int = 0) -> pl.DataFrame:
    ids = range(first, first + rows)
    return pl.DataFrame({"id": ids, "customer": [i // 5 for i in ids], "y": ["yes" if i % 10 == 0 else "no" for i in ids]})


def parts_of(frame: pl.DataFrame, plan: SplitPlan, **more: object) -> dict[str, set[int]]:
    found = split_rows(frame, plan, classes=frame["y"], **more)
    return {name: set(frame["id"].gather(getattr(found, name))) for name in ("train", "validation", "holdout")}


def test_shares_are_met_and_each_class_has_its_share_of_the_validation_rows():
    frame = table(5000)
    parts = split_rows(frame, SplitPlan(key=("id",)), classes=frame["y"])
    sizes = [len(part) for part in (parts.train, parts.validation, parts.holdout)]
    assert sum(sizes) == 5000
    assert sizes[2] == pytest.approx(1000, rel=0.1)
    assert sizes[1] == pytest.approx(0.2 * (5000 - sizes[2]), abs=1)
    yes = frame["y"] == "yes"
    assert yes.gather(parts.validation).mean() == pytest.approx(yes.gather(parts.train).mean(), rel=0.02)


@settings(max_examples=30, deadline=None)
@given(first=st.integers(0, 10**6), rows=st.integers(300, 600), more=st.integers(1, 400))
def test_no_row_that_was_trained_on_is_ever_held_out_later_whatever_is_added(first, rows, more):
    plan = SplitPlan(key=("id",))
    before, after = parts_of(table(rows, first), plan), parts_of(table(rows + more, first), plan)
    assert not (before["train"] | before["validation"]) & after["holdout"]
    assert before["holdout"] <= after["holdout"]


def test_rows_of_one_group_never_straddle():
    frame = table(2000)
    found = split_rows(frame, SplitPlan(group="customer"), classes=frame["y"])
    groups = [set(frame["customer"].gather(part)) for part in (found.train, found.validation, found.holdout)]
    assert not groups[0] & groups[1]
    assert not (groups[0] | groups[1]) & groups[2]


def test_equal_rows_without_a_key_share_a_split():
    frame = pl.DataFrame({"x": [i % 50 for i in range(1000)], "y": ["a", "b"] * 500})
    parts = split_rows(frame, SplitPlan().identified_by(["x"]))
    assert set(frame["x"].gather(parts.holdout)).isdisjoint(frame["x"].gather(parts.train))


def test_a_larger_holdout_leaves_out_what_the_live_model_has_seen():
    frame = table(2000)
    live = split_rows(frame, SplitPlan(key=("id",)), classes=frame["y"])
    again = split_rows(frame, SplitPlan(key=("id",), holdout_share=0.4), classes=frame["y"], seen=live.record)
    assert set(again.holdout) == set(live.holdout)
    assert again.left_out["the live model may have trained on them"] == pytest.approx(400, rel=0.15)
    assert not may_have_trained(frame[again.holdout], live.record).any()


def test_a_holdout_by_time_leaves_out_what_a_live_model_split_by_hash_has_seen():
    frame = table(2000).with_columns(at=pl.int_range(2000))
    live = split_rows(frame, SplitPlan(key=("id",)), classes=frame["y"])
    again = split_rows(frame, SplitPlan(time="at"), classes=frame["y"], seen=live.record)
    assert set(again.holdout) <= set(live.holdout)


def test_a_live_model_whose_split_cannot_be_told_is_an_error_and_not_a_guess():
    frame = table(500)
    live = split_rows(frame, SplitPlan(key=("id",)), classes=frame["y"])
    with pytest.raises(SplitError, match="no column 'id' to tell which rows it has seen"):
        split_rows(frame.drop("id"), SplitPlan(key=("customer",)), classes=frame["y"], seen=live.record)


def test_too_few_rows_are_refused_with_the_numbers():
    with pytest.raises(SplitError, match=r"split.*ingest more rows"):
        split_rows(table(3), SplitPlan(key=("id",)), classes=table(3)["y"])
