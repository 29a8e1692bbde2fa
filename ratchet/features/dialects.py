"""How each engine writes the expressions that `expressions` allows, where sqlglot's own writing would mean something else there.

Days of the week count from Sunday = 0 here (as in PostgreSQL and DuckDB) and from Sunday = 1 on Spark and BigQuery. BigQuery's LEAST
gives nothing where any argument is missing, where the others pass over missing arguments. BigQuery's and polars' TRIM take tabs, too.
polars counts in integers so small that they overflow. A CAST that does not convert fails on Spark. Spark puts the value of a variable, even
of the environment, in the place of ``${name}`` anywhere in a query, also within a text.
"""

from collections.abc import Callable
from functools import reduce

from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.spark import Spark
from sqlglot.generators.bigquery import BigQueryGenerator
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.generators.spark import SparkGenerator

ENGINES = ("spark", "bigquery", "duckdb", "polars")


class RatchetPolars(DuckDB):
    """polars' SQL: close to DuckDB's."""

    class Generator(DuckDBGenerator):
        """Writes it."""

        TRANSFORMS = {  # noqa: RUF012 (sqlglot's own way to extend a dialect)
            **DuckDBGenerator.TRANSFORMS,
            exp.Extract: lambda self, e: f"CAST(EXTRACT({e.name} FROM {self.sql(e, 'expression')}) AS BIGINT)",
            exp.Length: lambda self, e: f"CAST(LENGTH({self.sql(e, 'this')}) AS BIGINT)",
            exp.Log: lambda self, e: f"LOG{e.this.name}({self.sql(e, 'expression')})",
            exp.Trim: lambda self, e: f"TRIM(BOTH ' ' FROM {self.sql(e, 'this')})",
        }


class RatchetSpark(Spark):
    """Spark 3.5 or later, whether its ANSI mode is on or off."""

    class Generator(SparkGenerator):
        """Writes it."""

        TRANSFORMS = {  # noqa: RUF012
            **SparkGenerator.TRANSFORMS,
            exp.Extract: lambda self, e: _spark_extract(e.name.lower(), self.sql(e, "expression")),
            exp.Literal: lambda self, e: self.literal_sql(e).replace("${", "\\u0024{"),
            exp.TryCast: lambda self, e: f"TRY_CAST({self.sql(e, 'this')} AS {self.sql(e, 'to')})",
        }


class RatchetBigQuery(BigQuery):
    """BigQuery."""

    class Generator(BigQueryGenerator):
        """Writes it."""

        TRANSFORMS = {  # noqa: RUF012
            **BigQueryGenerator.TRANSFORMS,
            exp.Extract: lambda self, e: _bigquery_extract(e.name.lower(), self.sql(e, "expression")),
            exp.Least: lambda self, e: _passing_over_missing("LEAST", e, self.sql),
            exp.Greatest: lambda self, e: _passing_over_missing("GREATEST", e, self.sql),
            exp.Trim: lambda self, e: f"TRIM({self.sql(e, 'this')}, ' ')",
        }


_DIALECTS = {"polars": RatchetPolars, "duckdb": DuckDB, "spark": RatchetSpark, "bigquery": RatchetBigQuery}


def agreeing(node: exp.Expr) -> exp.Expr:
    """Rewrite a node so that all engines give the same: missing outside the domain, doubles and not decimals."""
    zero = exp.Literal.number(0)
    if isinstance(node, exp.Div | exp.Mod):
        node.set("expression", exp.Nullif(this=node.expression, expression=zero))
    elif isinstance(node, exp.Ln):
        node.set("this", _positive(node.this))
    elif isinstance(node, exp.Log):
        node.set("expression", _positive(node.expression))
    elif isinstance(node, exp.Sqrt):
        inside = exp.If(this=exp.GTE(this=exp.Paren(this=node.this), expression=zero), true=node.this.copy())
        node.set("this", exp.Case(ifs=[inside]))
    elif isinstance(node, exp.Pow):
        return _power(exp.TryCast(this=node.this, to=exp.DataType.build("double")), node)
    elif isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
        return exp.TryCast(this=node.this, to=node.to)
    elif isinstance(node, exp.Literal) and not node.is_string and not node.is_int and "e" not in node.this.lower():
        return exp.Literal.number(f"{node.this}e0")  # engines read 0.1 as a decimal of their own precision, 0.1e0 as a double
    return node


def write_sql(tree: exp.Expr, engine: str) -> str:
    """Return a checked expression as an engine's SQL, every column quoted.

    Args:
        tree: As made by `expressions.parse_expression`.
        engine: One of `ENGINES`.
    """
    return tree.sql(dialect=_DIALECTS[engine], identify=True)


def _spark_extract(part: str, time: str) -> str:
    return f"(EXTRACT(DAYOFWEEK FROM {time}) - 1)" if part == "dow" else f"EXTRACT({part.upper()} FROM {time})"


def _bigquery_extract(part: str, time: str) -> str:
    if part == "dow":
        return f"(EXTRACT(DAYOFWEEK FROM {time}) - 1)"
    return f"EXTRACT({ {'week': 'ISOWEEK', 'doy': 'DAYOFYEAR'}.get(part, part.upper()) } FROM {time})"


def _passing_over_missing(function: str, node: exp.Expr, write: Callable[[exp.Expr], str]) -> str:
    texts = [write(node.this), *(write(argument) for argument in node.expressions)]
    return reduce(lambda left, right: f"COALESCE({function}({left}, {right}), {left}, {right})", texts)


def _power(number: exp.Expr, node: exp.Pow) -> exp.Expr:
    """Return the power; missing where a negative number has no such root, which some engines make NaN (its sign 0) and others refuse."""
    node.set("this", number)
    exponent = node.expression.this if isinstance(node.expression, exp.Neg) else node.expression
    if isinstance(exponent, exp.Literal) and exponent.is_int:
        return node
    inside: exp.Expr = exp.GTE(this=number.copy(), expression=exp.Literal.number(0))
    if not isinstance(exponent, exp.Literal):
        exponent = exp.Paren(this=node.expression.copy())
        inside = exp.Or(this=inside, expression=exp.EQ(this=exponent, expression=exp.Floor(this=node.expression.copy())))
    return exp.Case(ifs=[exp.If(this=inside, true=node)])


def _positive(node: exp.Expr) -> exp.Expr:
    zero = exp.Literal.number(0)
    return exp.Nullif(this=exp.Greatest(this=node, expressions=[zero], ignore_nulls=True), expression=zero.copy())
