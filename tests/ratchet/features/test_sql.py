"""The features of a specification come out of another engine as they come out of ours, filled values included."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.errors import ExpressionError
from ratchet.features.dialects import ENGINES
from ratchet.features.imputation import Imputation
from ratchet.features.spec import FeatureSpec
from ratchet.features.sql import feature_sql
from tests.ratchet.features.test_imputation import ROW, SPEC, table

NASTY = ["it's", "a\\b", "two\nlines", 'say "so"', "\\'", "`tick`", "é日", "--", "/* x */", "' or 1=1 --"]


@pytest.fixture(scope="module")
def duck() -> Iterator[Any]:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    yield connection
    connection.close()


@pytest.mark.slow
@settings(max_examples=100)
@given(rows=st.lists(ROW, min_size=1, max_size=6))
def test_duckdb_makes_the_same_features_of_the_same_rows(duck, rows):
    duck.register("rows", table(rows).with_columns(city=table(rows)["city"].replace({"": None})).to_arrow())
    made = ", ".join(f'{text} AS "{name}"' for name, text in feature_sql(SPEC, "duckdb").items())
    theirs = duck.execute(f"SELECT {made} FROM rows").fetchall()
    for ours, other in zip(SPEC.matrix(table(rows)).rows(), theirs, strict=True):
        for left, right in zip(ours, other, strict=True):
            assert left == right if isinstance(left, str | None) else math.isclose(left, float(right), rel_tol=1e-9), (ours, other)


WRITTEN = {
    ("spark", "amount"): "COALESCE(`amount`, 2.5e0)",
    ("bigquery", "amount"): "COALESCE(`amount`, 2.5e0)",
    ("spark", "abroad_missing"): "`abroad` IS NULL",
    ("bigquery", "known"): "CASE WHEN (`amount` IS NULL) THEN 0 ELSE COALESCE(`amount`, 2.5e0) END",
    ("spark", "log"): "LN(NULLIF(GREATEST(1 + COALESCE(`amount`, 2.5e0), 0), 0))",
    ("bigquery", "far"): "NOT COALESCE(`abroad`, TRUE) OR COALESCE(`visits`, 1.25e0) > 1",
    ("spark", "place"): "COALESCE(`city`, 'it\\'s \\\\ nowhere\\n') || '!'",
}


@pytest.mark.parametrize(("engine", "feature"), WRITTEN)
def test_an_engine_is_given_coalesce_wherever_a_filled_column_is_read(engine, feature):
    assert feature_sql(SPEC, engine)[feature] == WRITTEN[engine, feature]


def test_every_feature_is_there_in_order():
    for engine in ENGINES:
        assert tuple(feature_sql(SPEC, engine)) == SPEC.features


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("value", NASTY)
def test_a_value_of_the_data_stays_one_text_in_every_engine(engine, value):
    spec = FeatureSpec("regression", "y", {"s": "string"}, ("s",), impute=(Imputation("s", "most_frequent", value),))
    read = {"polars": "duckdb"}.get(engine, engine)
    found = sqlglot.parse_one(feature_sql(spec, engine)["s"], read=read).find(sqlglot.exp.Literal)
    assert found is not None
    assert found.this == value


def test_numbers_keep_their_kind_and_sign():
    for value, written in ((-3, "-3"), (-2.5, "-2.5e0"), (1e22, "1e+22"), (0.1, "0.1e0"), (True, "TRUE")):
        spec = FeatureSpec("regression", "y", {"x": "number"}, ("x",), impute=(Imputation("x", "constant", value),))
        assert feature_sql(spec, "spark")["x"] == f"COALESCE(`x`, {written})"


def test_without_imputation_nothing_is_wrapped():
    spec = FeatureSpec("regression", "y", {"x": "number"}, ("x",), expressions={"double": "x * 2"})
    assert feature_sql(spec, "bigquery") == {"x": "`x`", "double": "`x` * 2"}


def test_an_unknown_engine_is_named_with_the_nearest():
    with pytest.raises(ExpressionError, match="did you mean 'spark'"):
        feature_sql(SPEC, "sparc")
