import json
import math
from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest

from ratchet.errors import SchemaError, TargetError
from ratchet.features.spec import FeatureSpec, SplitRecord
from ratchet.features.windows import Window

SPEC = FeatureSpec(
    task="binary",
    target="fraud",
    inputs={"amount": "number", "country": "string", "weekend": "boolean", "at": "datetime", "n_7d": "integer"},
    plain=("amount", "country", "weekend"),
    classes=("0", "1"),
    expressions={"log_amount": "ln(amount)", "hour": "extract(hour from at)", "night": "extract(hour from at) < 6", "half": "amount / 2"},
    windows=(Window("n_7d", "card", "count", over="7d"),),
    key=("id",),
    time="at",
    split=SplitRecord("time", ("at",), trained_until="2024-05-01T00:00:00"),
)
ROWS = pl.DataFrame(
    {
        "amount": [1.0, 0.0, math.nan],
        "country": ["de", None, "fr"],
        "weekend": [True, False, None],
        "at": [datetime(2024, 5, 1, 3), datetime(2024, 5, 1, 12), None],
        "n_7d": [3, 0, None],
        "fraud": [1, 0, 0],
    }
)


def test_the_matrix_has_the_features_in_their_order_as_doubles_and_texts():
    matrix = SPEC.matrix(ROWS)
    assert tuple(matrix.columns) == SPEC.features == ("amount", "country", "weekend", "n_7d", "log_amount", "hour", "night", "half")
    assert matrix.rows() == [
        (1.0, "de", 1.0, 3.0, 0.0, 3.0, 1.0, 0.5),
        (0.0, None, 0.0, 0.0, None, 12.0, 0.0, 0.0),
        (None, "fr", None, None, None, None, None, None),
    ]


def test_raw_columns_are_what_the_data_brings_itself():
    assert SPEC.raw == ("amount", "country", "weekend", "at", "fraud")


def test_one_row_alone_has_the_features_that_it_has_among_others():
    for place in range(ROWS.height):
        assert SPEC.matrix(ROWS[[place]]).equals(SPEC.matrix(ROWS)[[place]])


def test_a_table_from_csv_and_one_with_other_types_give_the_same_features():
    other = ROWS.with_columns(pl.col("amount").cast(pl.Float32), pl.col("country").cast(pl.Categorical), pl.col("n_7d").cast(pl.Float64))
    assert SPEC.matrix(other).equals(SPEC.matrix(ROWS))


def test_a_feature_does_not_see_the_target_or_any_column_that_is_no_input():
    changed = ROWS.with_columns(fraud=1 - pl.col("fraud"), extra=pl.lit(math.inf))
    assert SPEC.matrix(changed).equals(SPEC.matrix(ROWS.drop("fraud")))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS.drop("amount"), "column 'amount' is missing"),
        (ROWS.rename({"country": "countri"}), "'country' is missing; did you mean 'countri'"),
        (ROWS.with_columns(amount=pl.lit("1")), "'amount' is String"),
        (ROWS.with_columns(at=pl.lit("2024-05-01")), "'at' is String .* takes a datetime"),
        (ROWS.with_columns(amount=pl.Series([1.0, math.inf, 2.0])), "'amount' is inf in row 1"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, message):
    with pytest.raises(SchemaError, match=message):
        SPEC.matrix(rows)


def test_it_is_the_same_after_a_file(tmp_path):
    SPEC.write(tmp_path / "made" / "spec.json")
    again = FeatureSpec.read(tmp_path / "made" / "spec.json")
    assert again == SPEC
    assert again.digest == SPEC.digest
    assert again.matrix(ROWS).equals(SPEC.matrix(ROWS))


def test_its_digest_stays_what_it_was_in_earlier_releases():
    """Packages name it for years. If this fails, models that are deployed would seem to be others."""
    assert SPEC.digest == "sha256:5e457e21b3a18d8922e8cab6eee3656b20294eb83b1ed9c2cb8a4c63f3b3f38b"


def test_its_digest_changes_with_any_part():
    others = [{**SPEC.to_dict(), "target": "other"}, {**SPEC.to_dict(), "plain": ["country", "amount", "weekend"]}]
    assert len({SPEC.digest, *(FeatureSpec.from_dict(other).digest for other in others)}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "no JSON mapping"),
        ("{}", "format None"),
        (json.dumps({**SPEC.to_dict(), "format": 2}), "format 2; this version reads format 1"),
        (json.dumps({"format": 1, "task": "binary"}), "not complete"),
    ],
)
def test_a_file_that_is_no_specification_is_refused(tmp_path, text, message):
    path = tmp_path / "spec.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SchemaError, match=message):
        FeatureSpec.read(path)


def test_labels_are_numbers_and_a_missing_one_is_named():
    assert SPEC.labels(ROWS).tolist() == [1.0, 0.0, 0.0]
    assert SPEC.positive == "1"
    with pytest.raises(SchemaError, match="no target column 'fraud'"):
        SPEC.labels(ROWS.drop("fraud"))
    with pytest.raises(TargetError, match="'fraud' is 2 in row 0"):
        SPEC.labels(ROWS.with_columns(fraud=2))


def test_a_feature_that_no_double_can_hold_is_missing():
    expressions = {"huge": "exp(amount * 1000)", "root": "power(-amount, 0.5)"}
    spec = FeatureSpec("binary", "fraud", {"amount": "number"}, (), ("0", "1"), expressions)
    assert spec.matrix(ROWS).rows() == [
        (None, None),
        (1.0, 0.0),
        (None, None),
    ]


def test_an_encoder_below_a_model_of_two_classes_keeps_the_labels():
    assert SPEC.as_anomaly() == SPEC.as_anomaly().as_anomaly() == replace(SPEC, task="anomaly")
    assert SPEC.as_anomaly().positive == "1"
    assert SPEC.as_anomaly().labels(ROWS).tolist() == [1.0, 0.0, 0.0]
    assert SPEC.as_anomaly().matrix(ROWS).equals(SPEC.matrix(ROWS))


@pytest.mark.parametrize("other", [replace(SPEC, task="regression", classes=()), replace(SPEC, task="multiclass", classes=("0", "1", "2"))])
def test_below_any_other_model_an_encoder_has_no_labels_and_the_same_features(other):
    encoder = other.as_anomaly()
    assert (encoder.target, encoder.classes, encoder.features) == ("", ("normal", "anomaly"), SPEC.features)
    assert encoder.raw == ("amount", "country", "weekend", "at"), "the empty target is no column"
    assert encoder.labelled(ROWS).is_empty()
    with pytest.raises(TargetError, match="there is no target, so rows have no labels"):
        encoder.labels(ROWS)


def test_rows_with_a_label_are_told_from_those_without():
    rows = ROWS.with_columns(fraud=pl.Series([None, 1, None]))
    assert SPEC.labelled(rows)["amount"].to_list() == [0.0]
    assert SPEC.labelled(rows.with_columns(fraud=pl.Series([1.0, math.nan, None])))["amount"].to_list() == [1.0]
    with pytest.raises(SchemaError, match="no target column 'fraud'"):
        SPEC.labelled(ROWS.drop("fraud"))
