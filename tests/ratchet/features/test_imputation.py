"""What stands in for a missing value is learnt from the rows that train, and is the same in a table and in a request."""

import json
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import mean, median, multimode
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import ParameterError, SchemaError
from ratchet.features.build import build_features
from ratchet.features.imputation import Imputation, filled_schema, learn, parse_imputations
from ratchet.features.spec import FeatureSpec
from ratchet.features.split_plan import SplitPlan
from ratchet.models.boosting import CatBoostNative, pool
from ratchet.models.package import Description, ModelPackage, write_package
from ratchet.models.training import BoostingParameters, train_boosting
from ratchet.serving.rows import RowChecker, frame_of
from ratchet.serving.served import score
from ratchet.sources.ingestion import ingest

INPUTS = {"amount": "number", "visits": "integer", "city": "string", "abroad": "boolean"}
IMPUTE = (
    Imputation("abroad", "most_frequent", True, "abroad_missing"),
    Imputation("amount", "median", 2.5, "amount_missing"),
    Imputation("city", "constant", "it's \\ nowhere\n", ""),
    Imputation("visits", "mean", 1.25),
)
EXPRESSIONS = {
    "log": "ln(1 + amount)",
    "known": "case when amount_missing then 0 else amount end",
    "place": "city || '!'",
    "per_visit": "amount / (1 + visits)",
    "far": "not abroad or visits > 1",
}
SPEC = FeatureSpec("binary", "y", INPUTS, tuple(INPUTS), ("0", "1"), EXPRESSIONS, impute=IMPUTE)
ROW = st.fixed_dictionaries(
    {
        "amount": st.one_of(st.none(), st.floats(-1e9, 1e9)),
        "visits": st.one_of(st.none(), st.integers(-(2**40), 2**40)),
        "city": st.one_of(st.none(), st.sampled_from(["", "nl", "é"])),
        "abroad": st.one_of(st.none(), st.booleans()),
    }
)


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"amount": pl.Float64, "visits": pl.Int64, "city": pl.String, "abroad": pl.Boolean})


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> ModelPackage:
    """A small real package that fills what is missing."""
    from catboost import CatBoost

    rng = np.random.default_rng(0)
    frame = (
        table([])
        .clear()
        .vstack(
            pl.DataFrame(
                {
                    "amount": rng.lognormal(1, 1, 400),
                    "visits": rng.integers(0, 9, 400),
                    "city": rng.choice(["nl", "de", "é"], 400),
                    "abroad": rng.random(400) < 0.4,
                }
            )
        )
    )
    frame = frame.with_columns([pl.when(pl.Series(rng.random(400) > 0.2)).then(pl.col(name)).alias(name) for name in INPUTS])
    matrix = SPEC.matrix(frame)
    labels = (matrix["log"].to_numpy() > 1.2).astype(float)
    options = {"loss_function": "Logloss", "iterations": 20, "depth": 4, "thread_count": 1, "allow_writing_files": False, "verbose": False}
    native = CatBoostNative(CatBoost(options).fit(pool(matrix, labels)), "binary")
    folder = tmp_path_factory.mktemp("imputing") / "model"
    return write_package(folder, Description("catboost", SPEC, 0.5, {}, 0, "rows:0", tuple(INPUTS)), native.write, frame)


def test_features_are_filled_and_flagged_and_expressions_read_what_is_filled():
    matrix = SPEC.matrix(table([{}, {"amount": math.nan, "visits": 3, "city": "", "abroad": False}]))
    assert matrix.to_dicts() == [
        {
            **{"amount": 2.5, "visits": 1.25, "city": "it's \\ nowhere\n", "abroad": 1.0, "abroad_missing": 1.0, "amount_missing": 1.0},
            **{"log": math.log(3.5), "known": 0.0, "place": "it's \\ nowhere\n!", "per_visit": 2.5 / 2.25, "far": 1.0},
        },
        {
            **{"amount": 2.5, "visits": 3.0, "city": "it's \\ nowhere\n", "abroad": 0.0, "abroad_missing": 0.0, "amount_missing": 1.0},
            **{"log": math.log(3.5), "known": 0.0, "place": "it's \\ nowhere\n!", "per_visit": 0.625, "far": 1.0},
        },
    ]


@settings(max_examples=60)
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_a_request_is_filled_as_a_table_is(package, rows):
    batch = frame_of([RowChecker(INPUTS).check([json.loads(json.dumps(row)) for row in rows])], INPUTS)
    assert SPEC.matrix(batch, checked=True).equals(SPEC.matrix(table(rows)))
    together = score(package, batch).predictions
    assert together.tolist() == package.predict(table(rows)).tolist()
    assert [score(package, batch[[i]]).predictions[0] for i in range(len(rows))] == together.tolist()


def gateway() -> Callable[..., Any]:
    """Return what opens a gateway in this process; a test skips where its packages are not, as in the image of the steps."""
    pytest.importorskip("prometheus_client", reason="the gateway's packages are in another image than this one")
    from tests.ratchet.serving.gateways import office

    return office


def test_the_gateway_answers_a_null_as_the_package_predicts_a_missing_value(package, tmp_path):
    with gateway()(tmp_path, package) as served:
        answer = served.post("/predict/fraud", json={"amount": None, "visits": None, "city": None, "abroad": None})
        assert answer.status_code == 200, answer.text
        assert answer.json()["predictions"][0]["probability"] == pytest.approx(package.predict(table([{}]))[0], abs=1e-12)


def test_a_package_loads_again_with_what_it_fills(package):
    again = ModelPackage.load(package.path)
    assert again.spec == SPEC
    assert again.spec.digest == SPEC.digest


def test_a_specification_without_imputation_is_what_it_was_before_there_was_any():
    plain = FeatureSpec("binary", "y", INPUTS, tuple(INPUTS), ("0", "1"), {})
    assert "impute" not in plain.to_dict()
    assert FeatureSpec.from_dict(plain.to_dict()) == plain


def test_a_damaged_imputation_is_seen_when_it_is_read():
    for damage in ({"by": "guess"}, {"value": None}, {"value": [1]}, {"value": "x"}, {"column": "none"}, {"flag": 3}, {"more": 1}):
        values = json.loads(SPEC.canonical_json())
        values["impute"][1] |= damage
        with pytest.raises(SchemaError):
            FeatureSpec.from_dict(values)


numbers = st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), min_size=1, max_size=30).filter(
    lambda values: any(v is not None for v in values)
)
integers = st.lists(st.one_of(st.none(), st.integers(-(2**50), 2**50)), min_size=1, max_size=30).filter(
    lambda values: any(v is not None for v in values)
)


@pytest.mark.parametrize("values", [numbers, integers], ids=["numbers", "integers"])
def test_mean_median_and_most_frequent_are_what_the_standard_library_says(values):
    @given(given_values=values, order=st.randoms(use_true_random=False))
    def check(given_values, order):
        present = [value for value in given_values if value is not None]
        shuffled = given_values.copy()
        order.shuffle(shuffled)
        rows = pl.DataFrame({"x": pl.Series(shuffled, dtype=pl.Float64 if values is numbers else pl.Int64)})
        found = {by: learn(parse_imputations({"x": by}), rows, apart={}, taken=())[0].value for by in ("mean", "median", "most_frequent")}
        assert found["mean"] == pytest.approx(mean(present), rel=1e-12, abs=1e-12)
        assert found["median"] == pytest.approx(median(present), rel=1e-12, abs=1e-12)
        assert found["most_frequent"] == min(multimode(present))

    check()


def test_the_mean_does_not_depend_on_the_order_of_the_rows_or_overflow():
    values = [0.1, 1e16, -1e16, 0.3] * 50
    one, other = (
        learn(parse_imputations({"x": "mean"}), pl.DataFrame({"x": v}), apart={}, taken=())[0].value for v in (values, values[::-1])
    )
    assert one == other == pytest.approx(0.1)
    huge = pl.DataFrame({"x": [1.7e308, 1.7e308, 1.5e308]})
    assert learn(parse_imputations({"x": "mean"}), huge, apart={}, taken=())[0].value == pytest.approx(1.6333e308, rel=1e-3)
    assert learn(parse_imputations({"x": "median"}), huge[:2], apart={}, taken=())[0].value == 1.7e308


def test_a_whole_column_stays_whole_where_its_value_is_and_becomes_a_double_where_it_is_not():
    rows = pl.DataFrame({"n": [1, None, 4], "m": [1, None, 3]})
    learnt = learn(parse_imputations({"n": "median", "m": "median"}), rows, apart={}, taken=())
    assert [(one.column, one.value) for one in learnt] == [("m", 2), ("n", 2.5)]
    assert filled_schema(learnt, rows.schema) == {"n": pl.Float64, "m": pl.Int64}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"age": "medain"}, r"'age' by 'medain'; did you mean 'median'\?"),
        ({"age": {"valeu": 3}}, r"unknown part 'valeu'; did you mean 'value'\?"),
        ({"age": {}}, "'age' needs either value or constant"),
        ({"age": {"value": "mean", "constant": 3}}, "'age' needs either value or constant"),
        ({"age": None}, "'age' is None"),
        ({"age": [1]}, r"'age' is \[1\]"),
        ({"age": math.nan}, "'age' is nan"),
        ({"age": 10**400}, "'age' is 1000"),
        ({"age": {"constant": ""}}, "'age' is ''"),
        ({"age": {"value": 0, "flag": 7}}, "the flag of 'age' is 7"),
    ],
)
def test_a_declaration_that_is_none_is_refused(declared, message):
    with pytest.raises(ParameterError, match=message):
        parse_imputations(declared)


ROWS = pl.DataFrame(
    {
        "age": [1, None],
        "city": ["a", None],
        "ok": [True, None],
        "none": [None, None],
        "at": [datetime(2024, 1, 1)] * 2,
        "inf": [math.inf, 1.0],
    },
    schema_overrides={"none": pl.Float64},
)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"aeg": 0}, r"no column 'aeg'; did you mean 'age'\?"),
        ({"y": 0}, "no column 'y'"),
        ({"city": "median"}, "median of 'city', a column of strings; write most_frequent"),
        ({"ok": "mean"}, "mean of 'ok', a column of booleans"),
        ({"ok": 1}, "'ok' is a column of booleans, and 1 is none"),
        ({"age": True}, "'age' is a column of integers, and True is none"),
        ({"age": {"constant": "x"}}, "'age' is a column of integers, and 'x' is none"),
        ({"city": 3}, "'city' is a column of strings, and 3 is none"),
        ({"city": {"constant": "x" * 3000}}, "write a shorter constant"),
        ({"none": "mean"}, "'none' has no value in the 2 rows that train, so there is no mean; write a constant"),
        ({"at": "most_frequent"}, "'at' is a datetime; fill what is made of it"),
        ({"inf": "median"}, "'inf' is inf in row 0"),
        ({"age": {"value": 0, "flag": "city"}}, "the flag 'city' of 'age' has the name of a column"),
        ({"age": {"value": 0, "flag": "x"}, "city": {"value": "most_frequent", "flag": "x"}}, "the flag 'x' of 'city'"),
    ],
)
def test_what_cannot_be_filled_or_not_so_is_refused(declared, message):
    with pytest.raises(SchemaError, match=message):
        learn(parse_imputations(declared), ROWS, apart={}, taken=ROWS.columns)


def payments(rows: int = 400) -> pl.DataFrame:
    """Later rows have larger amounts and another city, so a value learnt from them would be seen."""
    return pl.DataFrame(
        {
            "id": range(rows),
            "at": [datetime(2024, 5, 1) + timedelta(hours=i) for i in range(rows)],
            "amount": [None if i % 5 == 0 else float(i) for i in range(rows)],
            "city": [None if i % 7 == 0 else "early" if i < 256 else "late" for i in range(rows)],
            "fraud": [i % 9 == 0 for i in range(rows)],
        }
    )


def build(folder, impute, frame=None, **more):
    write_dataset(payments() if frame is None else frame, folder / "data", source="test")
    paths = {f"{name}_path": folder / name for name in ("train", "validation", "holdout", "table", "specification")}
    asked = {"target": "fraud", "plan": SplitPlan(time="at", key=("id",)), **more}
    return build_features(folder / "data", champion_path=None, **paths, impute=impute, **asked)


def test_a_value_is_learnt_from_the_rows_that_train_and_from_no_others(tmp_path):
    declared = {"amount": {"value": "median", "flag": "amount_missing"}, "city": "most_frequent"}
    result = build(tmp_path, declared, expressions={"log": "ln(1 + amount)"})
    train = read_dataset(tmp_path / "train")
    assert [one.value for one in result.spec.impute] == [train["amount"].median(), "early"]
    later = payments().with_columns(
        pl.when(pl.col("at") > train["at"].max()).then(pl.col("amount") * 1000).otherwise("amount").alias("amount")
    )
    (tmp_path / "other").mkdir()
    assert build(tmp_path / "other", declared, frame=later).spec.impute == result.spec.impute
    assert result.spec.features == ("amount", "city", "amount_missing", "log")
    holdout = read_dataset(tmp_path / "holdout")
    assert holdout["amount"].null_count() > 0, "tables carry the raw columns"
    assert FeatureSpec.read(tmp_path / "specification").matrix(holdout).null_count().sum_horizontal()[0] == 0


def test_the_summary_says_which_value_and_how_many_rows_of_each_split(tmp_path):
    result = build(tmp_path, {"amount": {"value": "mean", "flag": "amount_missing"}})
    value = result.spec.impute[0].value
    assert result.missing == {"amount": {"train": 52, "validation": 12, "holdout": 16}}
    assert f"| amount | mean | {value} | amount_missing | 52 | 12 | 16 |" in result.page().markdown()
    (tmp_path / "without").mkdir()
    assert "Imputed" not in build(tmp_path / "without", {}).page().markdown()


def test_a_dropped_column_may_be_filled_for_an_expression_or_a_flag_and_for_nothing_else(tmp_path):
    read = build(tmp_path, {"amount": 0}, expressions={"log": "ln(1 + amount)"}, drop_columns=["amount"]).spec
    assert (read.features, dict(read.inputs)) == (("city", "log"), {"amount": "number", "city": "string"})
    flagged = build(tmp_path, {"amount": {"value": 0, "flag": "gone"}}, drop_columns=["amount"]).spec
    assert flagged.features == ("city", "gone")
    with pytest.raises(SchemaError, match="the model does not read 'amount'"):
        build(tmp_path, {"amount": 0}, drop_columns=["amount"])


def test_a_window_without_rows_may_be_filled_and_sees_the_values_as_they_came(tmp_path):
    window = {"name": "mean_2d", "by": "city", "aggregate": "mean", "column": "amount", "over": "2d"}
    spec = build(tmp_path, {"mean_2d": 0, "amount": 1000}, windows=[window]).spec
    first = read_dataset(tmp_path / "train").filter(pl.col("mean_2d").is_null())
    assert len(first) > 0
    assert set(spec.matrix(first)["mean_2d"]) == {0.0}
    assert read_dataset(tmp_path / "train")["mean_2d"].max() < 1000


@pytest.mark.parametrize(
    ("impute", "message"),
    [
        ({"fraud": False}, "'fraud' is the target, which is never made up"),
        ({"id": 0}, "'id' is a key"),
        ({"at": 0}, "'at' is the time"),
        ({"amount": {"value": 0, "flag": "log"}}, "the flag 'log' of 'amount' has the name of a column or feature"),
    ],
)
def test_the_target_a_key_and_the_time_are_never_filled(tmp_path, impute, message):
    with pytest.raises(SchemaError, match=message):
        build(tmp_path, impute, expressions={"log": "ln(1 + amount)"})
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.slow
def test_a_joined_column_is_filled_from_the_source_to_the_gateways_answer(tmp_path):
    shops = pl.DataFrame({"id": range(10), "size": [None if shop == 3 else float(10 * shop) for shop in range(10)]})
    shops.write_csv(tmp_path / "shops.csv")
    payments().with_columns(shop=pl.col("id") % 12).write_parquet(tmp_path / "payments.parquet")
    join = {"source": str(tmp_path / "shops.csv"), "on": {"shop": "id"}}
    assert "334 rows matched, 66 unmatched" in ingest(tmp_path / "payments.parquet", tmp_path / "rows", join=join).notes[0]
    spec = build(tmp_path, {"size": {"value": "median", "flag": "size_missing"}}, frame=read_dataset(tmp_path / "rows")).spec
    assert spec.impute == (Imputation("size", "median", 50.0, "size_missing"),)
    places = [tmp_path / name for name in ("train", "validation", "specification")]
    package = train_boosting(*places, tmp_path / "model", parameters=BoostingParameters(iterations=5)).package
    holdout = read_dataset(tmp_path / "holdout").filter(pl.col("size").is_null()).head(3)
    rows = holdout.select(list(spec.inputs)).to_dicts()
    assert len(rows) == 3
    with gateway()(tmp_path / "home", package) as served:
        answer = served.post("/predict/fraud", json={"rows": rows})
    assert [one["probability"] for one in answer.json()["predictions"]] == pytest.approx(package.predict(holdout).tolist(), abs=1e-12)


def test_of_the_most_frequent_values_the_smallest_is_taken_in_every_kind():
    rows = pl.DataFrame({"s": ["b", "a", "a", "b", None], "ok": [True, False, True, None, True], "n": [3, 3, 2, 2, 1]})
    learnt = learn(parse_imputations(dict.fromkeys(rows.columns, "most_frequent")), rows, apart={}, taken=())
    assert {one.column: one.value for one in learnt} == {"n": 2, "ok": True, "s": "a"}
