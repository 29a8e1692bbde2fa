import pytest

from ratchet.errors import ExpressionError
from ratchet.features.dialects import ENGINES, agreeing, write_sql
from ratchet.features.expressions import parse_expression
from ratchet.features.grammar import parse_scalar, rewrite

WRITTEN = {
    ("extract(dow from at)", "spark"): "(EXTRACT(DAYOFWEEK FROM `at`) - 1)",
    ("extract(dow from at)", "bigquery"): "(EXTRACT(DAYOFWEEK FROM `at`) - 1)",
    ("extract(week from at)", "bigquery"): "EXTRACT(ISOWEEK FROM `at`)",
    ("extract(doy from at)", "bigquery"): "EXTRACT(DAYOFYEAR FROM `at`)",
    ("date_part('hour', at)", "spark"): "EXTRACT(HOUR FROM `at`)",
    ("cast(n as varchar)", "spark"): "TRY_CAST(`n` AS STRING)",
    ("cast(s as double)", "bigquery"): "SAFE_CAST(`s` AS FLOAT64)",
    ("least(a, b)", "bigquery"): "COALESCE(LEAST(`a`, `b`), `a`, `b`)",
    ("least(a, b)", "spark"): "LEAST(`a`, `b`)",
    ("trim(s)", "bigquery"): "TRIM(`s`, ' ')",
    ("trim(s)", "spark"): "TRIM(`s`)",
    ("a / b", "spark"): "`a` / NULLIF(`b`, 0)",
    ("a / b", "bigquery"): "`a` / NULLIF(`b`, 0)",
    ("log10(a)", "bigquery"): "LOG(NULLIF(COALESCE(GREATEST(`a`, 0), `a`, 0), 0), 10)",
    ("0.1", "spark"): "0.1e0",
    ("s = '${env:HOME}'", "spark"): "`s` = '\\u0024{env:HOME}'",
    ("s = '${env:HOME}'", "bigquery"): "`s` = '${env:HOME}'",
    ('"emp.var.rate" > 1', "bigquery"): "`emp.var.rate` > 1",
}


@pytest.mark.parametrize(("text", "engine"), WRITTEN)
def test_an_engine_is_given_what_means_the_same_there(text, engine):
    assert parse_expression("f", text).sql(engine) == WRITTEN[text, engine]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_text_with_a_quote_stays_one_text(engine):
    assert "or 1=1" in parse_expression("f", "s = 'x'' or 1=1'").sql(engine)
    assert parse_expression("f", "s = 'x'' or 1=1'").columns == ("s",)


def test_an_unknown_dialect_is_named_with_the_nearest():
    with pytest.raises(ExpressionError, match="did you mean 'spark'"):
        parse_expression("f", "a").sql("sparc")


def test_what_is_inside_a_rewritten_node_is_rewritten_too():
    tree = rewrite(parse_scalar("f", "ln(ln(a) / b)"), agreeing)
    assert write_sql(tree, "duckdb") == 'LN(NULLIF(GREATEST(LN(NULLIF(GREATEST("a", 0), 0)) / NULLIF("b", 0), 0), 0))'
