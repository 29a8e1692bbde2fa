from datetime import datetime, timedelta

import polars as pl
import pytest

from ratchet.data.absent import write_absent
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import ExpressionError, ParameterError, SchemaError, SplitError, TargetError
from ratchet.features.build import FeaturesResult, build_features
from ratchet.features.spec import FeatureSpec
from ratchet.features.split_plan import SplitPlan

WINDOWS = [{"name": "n_2d", "by": "card", "aggregate": "count", "over": "2d"}]


def payments(rows: int = 400, **columns: object) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": range(rows),
            "card": [i % 7 for i in range(rows)],
            "at": [datetime(2024, 5, 1) + timedelta(hours=i) for i in range(rows)],
            "amount": [float(i % 13) for i in range(rows)],
            "fraud": ["yes" if i % 9 == 0 else "no" for i in range(rows)],
            **columns,
        }
    )


def build(folder, frame: pl.DataFrame, champion=None, **more) -> FeaturesResult:
    write_dataset(frame, folder / "data", source="test")
    paths = {f"{name}_path": folder / name for name in ("train", "validation", "holdout", "table", "specification")}
    asked = {"target": "fraud", "plan": SplitPlan(time="at", key=("id",)), "windows": WINDOWS, **more}
    return build_features(folder / "data", champion_path=champion, **paths, **asked)


def test_three_tables_with_raw_columns_and_windows_and_a_specification_are_written(tmp_path):
    result = build(tmp_path, payments(), expressions={"log_amount": "ln(1 + amount)"})
    train, holdout = read_dataset(tmp_path / "train"), read_dataset(tmp_path / "holdout")
    assert (result.train.rows, result.validation.rows, result.holdout.rows) == (256, 64, 80)
    assert train.columns == holdout.columns == [*payments().columns, "n_2d"]
    assert train["at"].max() < holdout["at"].min()
    spec = FeatureSpec.read(tmp_path / "specification")
    assert spec == result.spec
    assert spec.features == ("amount", "n_2d", "log_amount")
    assert spec.classes == ("no", "yes")
    assert result.positives["holdout"] == 9
    assert "| holdout | 80 |" in result.page().markdown()
    assert holdout["n_2d"][0] > 0, "windows look back over the border of a split"


def test_windows_over_a_target_of_words_count_its_positive_class(tmp_path):
    risk = {"name": "risk", "by": "card", "aggregate": "mean", "column": "fraud", "over": "7d", "delay": "1d"}
    build(tmp_path, payments(), windows=[risk])
    assert 0 < read_dataset(tmp_path / "holdout")["risk"].mean() < 0.3


def test_a_live_models_windows_are_there_too_and_are_no_features_of_the_new_model(tmp_path):
    live = build(tmp_path, payments(), windows=[{"name": "old", "by": "card", "aggregate": "count", "over": "1d"}]).spec
    (tmp_path / "champion").mkdir()
    (tmp_path / "champion" / "ratchet.json").write_text('{"spec": ' + live.canonical_json() + "}")
    result = build(tmp_path, payments(500), champion=tmp_path / "champion")
    assert "live model learnt" not in result.page().markdown(), "this package does not say it"
    assert result.spec.features == ("amount", "n_2d")
    assert live.matrix(read_dataset(tmp_path / "holdout")).height == result.holdout.rows == 100
    assert read_dataset(tmp_path / "holdout")["at"].min().isoformat() > live.split.trained_until


def test_the_summary_names_the_version_of_the_data_that_trains_now_and_that_trained_the_live_model(tmp_path):
    first = build(tmp_path, payments())
    (tmp_path / "champion").mkdir()
    live = '{"spec": ' + first.spec.canonical_json() + f', "training_digest": "{first.train.content_digest}"}}'
    (tmp_path / "champion" / "ratchet.json").write_text(live)
    again = build(tmp_path, payments(600), champion=tmp_path / "champion")
    assert f"| digest of what the live model learnt from | {first.train.content_digest} |" in again.page().markdown()
    assert f"| digest of train | {again.train.content_digest} |" in again.page().markdown()


def test_an_absent_champion_is_no_champion(tmp_path):
    write_absent(tmp_path / "champion", "none yet")
    assert build(tmp_path, payments(), champion=tmp_path / "champion").train.rows == 256


def test_without_a_time_column_a_champion_never_trained_on_a_later_holdout_row(tmp_path):
    plan = SplitPlan(key=("id",))
    first = build(tmp_path, payments(), windows=[], plan=plan)
    trained = {*read_dataset(tmp_path / "train")["id"], *read_dataset(tmp_path / "validation")["id"]}
    (tmp_path / "champion").mkdir()
    (tmp_path / "champion" / "ratchet.json").write_text('{"spec": ' + first.spec.canonical_json() + "}")
    build(tmp_path, payments(900), windows=[], plan=plan, champion=tmp_path / "champion")
    assert not trained & set(read_dataset(tmp_path / "holdout")["id"])


@pytest.mark.parametrize(
    ("frame", "more", "error", "message"),
    [
        (payments(), {"target": "fruad"}, SchemaError, "target: no column 'fruad'; did you mean 'fraud'"),
        (payments(), {"drop_columns": ["amuont"]}, SchemaError, "drop_columns: no column 'amuont'; did you mean 'amount'"),
        (payments(), {"drop_columns": ["fraud"]}, SchemaError, "drop_columns: 'fraud' is the target"),
        (payments(), {"plan": SplitPlan(time="att")}, SchemaError, "time_column: no column 'att'"),
        (payments().with_columns(at=pl.lit("1 May")), {}, ExpressionError, "'at' is String, not a datetime"),
        (payments().with_columns(at=pl.lit("1 May")), {"windows": []}, SchemaError, r"'at' is String \(first value '1 May'\)"),
        (payments().with_columns(fraud=pl.lit("no")), {}, TargetError, "is 'no' in all 400 rows"),
        (payments().with_columns(fraud=pl.lit(None, pl.String)), {}, TargetError, "missing in 400 of 400 rows"),
        (payments().with_columns(fraud=pl.when(pl.col("id") < 9).then(pl.lit("yes")).otherwise(pl.lit("no"))), {}, SplitError, "'no' only"),
        (payments(), {"expressions": {"f": "(select 1)"}}, ExpressionError, "not allowed"),
        (payments(), {"windows": [{"name": "id", "by": "card", "aggregate": "count"}]}, ExpressionError, "name of a column"),
        (payments(2), {}, SplitError, "split"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_half_written(tmp_path, frame, more, error, message):
    with pytest.raises(error, match=message):
        build(tmp_path, frame, **more)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_order_in_which_expressions_arrive_changes_nothing(tmp_path):
    made = {"b": "amount + 1", "a": "amount * 2", "c": "ln(1 + amount)"}
    specs = []
    for place, names in enumerate((["a", "b", "c"], ["c", "b", "a"])):
        (tmp_path / str(place)).mkdir()
        specs.append(build(tmp_path / str(place), payments(), expressions={name: made[name] for name in names}).spec)
    assert specs[0].canonical_json() == specs[1].canonical_json()


def test_of_anomalies_some_rows_have_no_label_and_training_none_that_is_anomalous(tmp_path):
    late = pl.when(pl.col("id") < 350).then(pl.lit(None)).otherwise(pl.col("fraud"))
    early = pl.when(pl.col("id") % 2 == 0).then(pl.lit("no")).otherwise(late)
    result = build(tmp_path, payments().with_columns(fraud=early), task="anomaly")
    assert (result.spec.task, result.spec.classes) == ("anomaly", ("no", "yes"))
    assert result.positives == {"train": 0, "validation": 0, "holdout": 3}
    assert result.unlabelled == {"train": 128, "validation": 32, "holdout": 15}
    shown = result.page().markdown()
    assert "| split | rows | from | to | fraud = yes | share | without label |" in shown
    assert "| task | anomaly |" in shown
    holdout = read_dataset(tmp_path / "holdout")
    assert result.spec.labels(result.spec.labelled(holdout)).sum() == 3


def test_a_window_over_the_labels_of_anomalies_leaves_out_those_that_are_missing(tmp_path):
    risk = {"name": "risk", "by": "card", "aggregate": "mean", "column": "fraud", "over": "30d"}
    rows = payments().with_columns(card=pl.lit(1), fraud=pl.when(pl.col("id") % 2 == 0).then(None).otherwise(pl.col("fraud")))
    build(tmp_path, rows, windows=[risk], task="anomaly")
    known = [fraud == "yes" for fraud in rows["fraud"][:320] if fraud is not None]
    assert read_dataset(tmp_path / "holdout")["risk"][0] == pytest.approx(sum(known) / len(known))


@pytest.mark.parametrize("plan", [SplitPlan(time="at", key=("id",), label_delay="1d"), SplitPlan(key=("id",)), SplitPlan()])
def test_without_labels_no_target_is_needed(tmp_path, plan):
    windows = WINDOWS if plan.time else []
    result = build(tmp_path, payments().drop("fraud"), target="", task="anomaly", plan=plan, windows=windows)
    assert (result.spec.target, result.spec.classes, result.positives, result.unlabelled) == ("", ("normal", "anomaly"), {}, {})
    assert "| labels | none; models are judged on injected anomalies |" in result.page().markdown()
    assert "amount" in result.spec.features
    assert read_dataset(tmp_path / "train").height == result.train.rows > result.holdout.rows > 0


def test_a_live_model_without_labels_makes_the_next_one_without(tmp_path):
    live = build(tmp_path, payments().drop("fraud"), target="", task="anomaly").spec
    (tmp_path / "champion").mkdir()
    (tmp_path / "champion" / "ratchet.json").write_text('{"spec": ' + live.canonical_json() + "}")
    assert build(tmp_path, payments(500).drop("fraud"), target="", champion=tmp_path / "champion").spec.task == "anomaly"
    with pytest.raises(ParameterError, match="target is empty, and task='binary' learns from one"):
        build(tmp_path, payments(500).drop("fraud"), target="", task="binary", champion=tmp_path / "champion")
