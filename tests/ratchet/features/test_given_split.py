import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.data.tables import write_dataset
from ratchet.errors import ParameterError, SchemaError, SplitError
from ratchet.features.build import build_features
from ratchet.features.spec import FeatureSpec, SplitRecord
from ratchet.features.split_plan import SplitPlan
from ratchet.features.splits import may_have_trained, split_rows

WORDS = ("train", "validation", "holdout")


def table(words: list[str | None]) -> pl.DataFrame:
    ids = range(len(words))
    return pl.DataFrame({"id": ids, "customer": [i // 2 for i in ids], "y": ["yes" if i % 3 else "no" for i in ids], "part": words})


def ids(frame: pl.DataFrame, plan: SplitPlan, **more: object) -> dict[str, set[int]]:
    found = split_rows(frame, plan, **more)
    return {name: set(frame["id"].gather(getattr(found, name))) for name in WORDS}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([*WORDS, None]), max_size=60).map(lambda some: [*WORDS, *some]))
def test_every_row_is_where_its_word_says_and_a_row_without_one_is_nowhere(words):
    found = split_rows(table(words), SplitPlan(given="part"))
    for name in WORDS:
        assert getattr(found, name).tolist() == [place for place, word in enumerate(words) if word == name]
    assert found.left_out["part is empty"] == words.count(None)


def test_where_no_row_is_said_to_choose_a_share_of_the_training_rows_does_of_each_class_alike():
    frame = table(["train"] * 800 + ["holdout"] * 200)
    found = split_rows(frame, SplitPlan(key=("id",), given="part"), classes=frame["y"])
    assert found.holdout.tolist() == list(range(800, 1000))
    assert len(found.validation) == pytest.approx(160, abs=1)
    assert set(found.train) | set(found.validation) == set(range(800))
    yes = frame["y"] == "yes"
    assert yes.gather(found.validation).mean() == pytest.approx(yes.gather(found.train).mean(), abs=0.01)


def test_with_a_time_the_latest_training_rows_choose_and_each_split_is_in_order_of_time():
    frame = table(["train"] * 10 + ["holdout"] * 5).with_columns(at=pl.Series([*range(20, 10, -1), 1, 30, 2, 40, 3]))
    found = split_rows(frame, SplitPlan(time="at", given="part"))
    assert frame["at"].gather(found.validation).to_list() == [19, 20]
    assert frame["at"].gather(found.train).to_list() == list(range(11, 19))
    assert frame["at"].gather(found.holdout).to_list() == [1, 2, 3, 30, 40]


def test_what_a_live_model_may_have_trained_on_is_all_that_was_not_held_out():
    frame = table(["train", "validation", "holdout", None, "train", "holdout", "validation"])
    record = split_rows(frame, SplitPlan(given="part")).record
    assert may_have_trained(frame, record).tolist() == [True, True, False, True, True, False, True]
    later = table(["train", "validation", "holdout", "holdout"]).with_columns(was=pl.Series(["holdout", "train", "train", "holdout"]))
    found = ids(later.rename({"part": "now", "was": "part"}), SplitPlan(given="now"), seen=record)
    assert found["holdout"] == {3}, "row 2 trained the live model"


def test_a_live_model_split_by_time_has_seen_what_lay_before():
    frame = table(["holdout", "train", "train", "validation", "holdout", "holdout"]).with_columns(at=pl.int_range(6))
    live = split_rows(frame, SplitPlan(time="at", holdout_share=0.3))
    assert ids(frame, SplitPlan(given="part"), seen=live.record)["holdout"] == {4, 5}


def test_the_column_is_no_feature_and_the_model_says_which_rows_it_has_seen(tmp_path):
    frame = table(["train"] * 80 + ["holdout"] * 20).with_columns(x=pl.int_range(100))
    write_dataset(frame, tmp_path / "data", source="test")
    paths = {f"{name}_path": tmp_path / name for name in ("train", "validation", "holdout", "table", "specification")}
    build_features(tmp_path / "data", champion_path=None, **paths, target="y", plan=SplitPlan(given="part"))
    spec = FeatureSpec.read(tmp_path / "specification")
    assert spec.features == ("id", "customer", "x")
    assert spec.split == SplitRecord("given", ("part",))
    with pytest.raises(SchemaError, match="split_column: no column 'prt'; did you mean 'part'"):
        build_features(tmp_path / "data", champion_path=None, **paths, target="y", plan=SplitPlan(given="prt"))


def test_the_column_is_no_part_of_what_identifies_a_row():
    assert SplitPlan(given="part").identified_by(["b", "part", "a"]).identity == ("a", "b")


@pytest.mark.parametrize("bound", ["train_from", "holdout_from", "holdout_until", "known_by"])
def test_a_boundary_beside_a_given_split_is_refused(bound):
    with pytest.raises(ParameterError, match=f"{bound}='2018'.*split_column='part'"):
        SplitPlan(time="at", given="part", **{bound: "2018"})


def test_another_word_is_refused_with_its_row():
    with pytest.raises(SplitError, match="row 1 of column 'part' says 'test'; write train, validation, holdout"):
        split_rows(table(["train", "test", "holdout"]), SplitPlan(given="part"))


def test_a_column_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(SplitError, match="no column 'prt'; did you mean 'part'"):
        split_rows(table(["train", "holdout"]), SplitPlan(given="prt"))


def test_a_group_that_is_torn_apart_is_refused_with_its_name():
    with pytest.raises(SplitError, match=r"1 groups of 'customer', e\.g\. 0, have rows in more than one split"):
        split_rows(table(["train", "holdout", "validation", "validation", "holdout", "holdout"]), SplitPlan(given="part", group="customer"))


def test_rows_of_a_group_choose_together():
    frame = table(["train"] * 400 + ["holdout"] * 100)
    found = split_rows(frame, SplitPlan(group="customer", given="part"), classes=frame["y"])
    groups = frame["customer"]
    assert set(groups.gather(found.train)).isdisjoint(groups.gather(found.validation))


def test_a_split_without_a_class_names_the_column():
    frame = table(["train"] * 4 + ["validation"] * 3 + ["holdout"]).with_columns(y=pl.Series(["a", "b", "a", "b", "a", "b", "a", "a"]))
    with pytest.raises(SplitError, match="the holdout split, made by column 'part', has the class 'a' only"):
        split_rows(frame, SplitPlan(given="part"), classes=frame["y"])
