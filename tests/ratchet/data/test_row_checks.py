"""Each kind of bad row is set aside with column and value, and each good row stays."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from ratchet.data.findings import Limits
from ratchet.data.quality import Assessment, assess
from ratchet.data.schema import Schema

START = datetime(2024, 3, 1)
GOOD = pl.DataFrame(
    {
        "id": range(200),
        "time": [START + timedelta(hours=hour) for hour in range(200)],
        "price": [float(1 + number % 40) for number in range(200)],
        "city": ["Oslo", "Bergen"] * 100,
        "sold": [0, 1, 1, 0] * 50,
    }
)
SCHEMA_TEXT = """
key: [id]
time: time
target: sold
labels: {'0': 0.5, '1': 0.5}
columns:
  id: {type: integer}
  time: {type: datetime}
  price: {type: number, minimum: 0, maximum: 100}
  city: {type: string, categories: [Oslo, Bergen]}
  sold: {type: integer}
"""


def with_value(name: str, value: object, row: int = 7) -> pl.DataFrame:
    values = GOOD[name].to_list()
    values[row] = value
    return GOOD.with_columns(pl.Series(name, values, strict=False))


def judged(frame: pl.DataFrame, **limits: str) -> Assessment:
    schema = Schema.parse(SCHEMA_TEXT)
    assert schema is not None
    return assess(frame, schema, Limits(**limits))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("price", None, "price is missing"),
        ("price", float("nan"), "price NaN is not a finite number"),
        ("price", float("inf"), "price inf is not a finite number"),
        ("price", -3.0, "price -3.0 is below 0"),
        ("price", 101.5, "price 101.5 is above 100"),
        ("city", "Paris", "city Paris is a value that the schema does not list"),
        ("sold", 5, "sold 5 is a value that the schema does not list"),
        ("sold", None, "sold is missing"),
        ("id", 6, "id 6 repeats a key (id)"),
        ("id", None, "id is missing"),
        ("time", None, "time is missing"),
        ("time", START + timedelta(days=400), "is far after the other rows"),
        ("time", datetime(1970, 1, 1), "is far before the other rows"),
    ],
)
def test_a_bad_value_sets_its_row_aside_and_says_why(name: str, value: object, reason: str) -> None:
    result = judged(with_value(name, value))
    assert result.verdict == "quarantined"
    assert result.quarantined.height == 1
    assert reason in result.quarantined["quarantine_reason"][0]
    assert result.kept.equals(GOOD.filter(pl.int_range(pl.len()) != 7))
    assert repr(name) in result.reason, "the column is named to the person"


def test_a_text_among_numbers_keeps_its_text_where_it_was_set_aside() -> None:
    texts = GOOD.with_columns(pl.col("price").cast(pl.String))
    texts = texts.with_columns(pl.when(pl.col("id") == 7).then(pl.lit("about 5")).otherwise("price").alias("price"))
    result = judged(texts)
    assert result.quarantined["quarantine_reason"].to_list() == ["price about 5 is not of type number"]
    assert result.quarantined["price"].to_list() == ["about 5"]
    assert result.kept["price"].dtype == pl.Float64


def test_a_missing_value_that_is_allowed_stays_beside_one_that_is_out_of_range() -> None:
    schema = Schema.parse("columns: {price: {type: number, max_missing: 0.5, maximum: 10}, n: {type: integer, maximum: 3}}")
    assert schema is not None
    result = assess(pl.DataFrame({"price": [None, 99.0, 1.0], "n": [1, 2, 9]}), schema)
    assert result.kept.rows() == [(None, 1)]
    assert result.quarantined.height == 2


def test_all_reasons_of_a_row_are_joined() -> None:
    result = judged(with_value("price", -1.0).with_columns(pl.when(pl.col("id") == 7).then(pl.lit("Rome")).otherwise("city").alias("city")))
    assert result.quarantined["quarantine_reason"][0].split("; ") == [
        "price -1.0 is below 0",
        "city Rome is a value that the schema does not list",
    ]


def test_a_future_row_is_one_after_the_now_that_was_given() -> None:
    assert judged(GOOD, now="2024-04-01").verdict == "valid"
    result = judged(GOOD, now="2024-03-09T05:00:00")
    assert result.quarantined["time"].to_list() == [START + timedelta(hours=hour) for hour in range(198, 200)]


def test_rows_that_were_set_aside_and_repaired_can_come_back() -> None:
    repaired = GOOD.with_columns(pl.lit("price -1.0 is below 0").alias("quarantine_reason"))
    result = judged(repaired)
    assert result.verdict == "valid"
    assert result.kept.columns == GOOD.columns
