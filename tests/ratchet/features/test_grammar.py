import pytest

from ratchet.errors import ExpressionError
from ratchet.features.grammar import FUNCTIONS, MAX_LENGTH, parse_scalar

NOT_SCALAR = {
    "read_csv('/etc/passwd')": "READ_CSV",
    "read_text('/etc/passwd')": "READ_TEXT",
    "getenv('HOME')": "GETENV",
    "(select 1)": "SELECT 1",
    "exists (select 1)": "EXISTS",
    "amount in (select 1)": "IN",
    "amount; drop table t": "not one scalar|;",
    "1 from t": "not one scalar",
    "amount as b": "not one scalar",
    "sum(amount)": "SUM",
    "sum(amount) over ()": "OVER",
    "row_number() over (order by amount)": "OVER",
    "*": r"\*",
    "columns('a')": "COLUMNS",
    "t.amount": "t.amount",
    "amount -- a comment": "--",
    "amount /* a comment */ + 1": r"/\*",
    "now()": "NOW",
    "random()": "RAND",
    "current_date": "CURRENT_DATE",
    "[1, 2]": r"\[1, 2\]",
    "{'a': 1}": "'a': 1",
    "amount[1]": r"amount\[1\]",
    "x -> x + 1": "->",
    "?": r"\?",
    "interval '1 day'": "INTERVAL",
    "cast(amount as json)": "JSON",
    "cast(amount as integer)": "floor",
    "amount like 'a%'": "substr",
    "round(amount)": r"floor\(x \+ 0.5\)",
    "lower(name)": "ASCII",
    "amount // 2": r"//",
    "amount is true": "IS NULL",
    "amount in (other)": "list literals",
    "substr(name, -1)": "whole numbers from 1",
    "log(amount)": "ln, log2 or log10",
    "log(3, amount)": "ln, log2 or log10",
    "extract(epoch from at)": "extract one of",
    "trim(both 'x' from name)": "spaces from both ends",
    "if(amount > 0, 1, 2)": "CASE WHEN",
    "1e400": "double can hold",
    "99999999999999999999": "1e19",
    "": "scalar SQL expression",
    "   ": "scalar SQL expression",
    "amount +": "not one scalar",
    "amount \0 + 1": "not allowed",
    "'unclosed": "not one scalar",
}


@pytest.mark.parametrize(("text", "piece"), NOT_SCALAR.items(), ids=list(NOT_SCALAR))
def test_what_is_no_scalar_expression_is_refused_and_the_piece_is_named(text, piece):
    with pytest.raises(ExpressionError, match=piece) as refused:
        parse_scalar("risk", text)
    assert "'risk'" in str(refused.value)
    assert ";" in str(refused.value), "a remedy follows"


@pytest.mark.parametrize("text", [None, 7, ["amount"]])
def test_an_expression_is_a_text(text):
    with pytest.raises(ExpressionError, match="write a scalar SQL expression"):
        parse_scalar("risk", text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 900 + "a" + ")" * 900,
        "abs(" * 30 + "a" + ")" * 30,
        "not " * 60 + "a",
        "a" + " + a" * 490,
        "a" * (MAX_LENGTH + 1),
        "case when a then " * 40,
    ],
    ids=["brackets", "calls", "nots", "chain", "length", "unclosed cases"],
)
def test_an_expression_that_would_run_away_is_refused(text):
    with pytest.raises(ExpressionError, match=r"nested|characters|parts|not one scalar"):
        parse_scalar("risk", text)


def test_a_long_sum_is_no_nesting():
    assert parse_scalar("total", " + ".join("abcdefghij" * 15))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_listed_function_is_taken(name):
    text = {
        "extract": "extract(hour from at)",
        "least": "least(a, b)",
        "greatest": "greatest(a, b)",
        "coalesce": "coalesce(a, b)",
        "nullif": "nullif(a, b)",
        "mod": "mod(a, b)",
        "power": "power(a, 2)",
        "substr": "substr(a, 1, 2)",
    }
    assert parse_scalar("f", text.get(name, f"{name}(a)"))
