"""Features as SQL scalar expressions: written once, computed alike in training, in serving, on Spark and on BigQuery.

Python functions would be shorter to write and impossible to carry: a model package would need the code that made its features, and a
gateway would have to trust it. A SQL expression is text. sqlglot parses it, and what is not on the lists below is refused, so that nothing
in it can read a file, see another row or run for long. polars evaluates what sqlglot writes back, never the text as it came, so that no
comment or quoting can mean one thing to the parser and another to the engine.

Engines differ where SQL is vague. What they do not agree on is either not on the lists (ROUND, LOWER, integer CAST) or rewritten so that
they do: a result outside a function's domain (``1 / 0``, ``ln(0)``, ``sqrt(-1)``) is missing, and so is a CAST that does not convert.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
from sqlglot import exp

from ratchet.errors import ExpressionError, nearest
from ratchet.features.dialects import ENGINES, agreeing, write_sql
from ratchet.features.grammar import MAX_NODES, TEXTS, parse_scalar, rewrite


@dataclass(frozen=True)
class Expression:
    """One feature: a name and a scalar SQL expression that has been checked.

    Attributes:
        name: Of the feature.
        text: The expression as its author wrote it.
        columns: Names of the columns that it reads, sorted.
    """

    name: str
    text: str
    columns: tuple[str, ...]
    tree: exp.Expr = field(repr=False, compare=False)

    def to_polars(self) -> pl.Expr:
        """Return the polars expression, named as the feature."""
        return pl.sql_expr(write_sql(self.tree, "polars")).alias(self.name)

    def sql(self, dialect: str) -> str:
        """Return the expression as another engine writes it.

        Args:
            dialect: "spark", "bigquery", "duckdb" or "polars".

        Raises:
            ExpressionError: the dialect is none of these.

        >>> parse_expression("log_amount", "ln(1 + amount)").sql("spark")
        'LN(NULLIF(GREATEST(1 + `amount`, 0), 0))'
        """
        if dialect not in ENGINES:
            raise ExpressionError(f"expression {self.name!r}: no dialect {dialect!r}; {nearest(dialect, ENGINES)}")
        return write_sql(self.tree, dialect)

    def kind(self, schema: pl.Schema) -> pl.DataType:
        """Return the polars type of the result over columns of the given types.

        Raises:
            ExpressionError: a column is not there, types do not go together, a number with a fraction is cast to text (engines write those
                differently), or the result is neither a number, nor a boolean, nor a text.
        """
        for column in self.columns:
            if column not in schema:
                raise ExpressionError(f"expression {self.name!r}: no column {column!r}; {nearest(column, schema)}")
        for cast in self.tree.find_all(exp.TryCast):
            if cast.to.this in TEXTS and not _type_of(self, cast.this, schema).is_integer():
                self._refuse_text_of(cast, schema)
        result = _type_of(self, self.tree, schema)
        if not (result.is_numeric() or result in (pl.Boolean, pl.String)):
            raise ExpressionError(
                f"expression {self.name!r} ({self.text}) gives a {result}; a feature is a number, a boolean or a text: "
                f"take a part of a time with extract(hour from …), and give a bare NULL a type"
            )
        return result

    def _refuse_text_of(self, cast: exp.TryCast, schema: pl.Schema) -> None:
        found = _type_of(self, cast.this, schema)
        if found not in (pl.String, pl.Boolean):
            raise ExpressionError(
                f"expression {self.name!r} casts {cast.this.sql('duckdb')!r}, a {found}, to text, which engines write differently; "
                f"cast only integers, booleans and texts"
            )


def parse_expression(name: str, text: str) -> Expression:
    """Check a scalar SQL expression.

    Allowed: columns (in double quotes where the name is not a plain word), literals, ``+ - * / % ||``, comparisons, AND, OR, NOT, CASE,
    IN (list), BETWEEN, IS NULL, CAST to DOUBLE, VARCHAR, DATE or TIMESTAMP, ``extract(part from time)``, and those in `grammar.FUNCTIONS`.

    Args:
        name: Of the feature.
        text: The expression.

    Returns:
        The expression, ready to evaluate.

    Raises:
        ExpressionError: naming the expression, the piece that is not allowed, and the remedy.

    >>> parse_expression("night", "extract(hour from paid_at) < 6").columns
    ('paid_at',)
    >>> parse_expression("leak", "read_csv('/etc/passwd')")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ratchet.errors.ExpressionError: expression 'leak': "READ_CSV('/etc/passwd')" is not allowed; a feature is a scalar expression of ...
    """
    tree = parse_scalar(name, text)
    canonical = rewrite(tree.copy(), agreeing)
    if sum(1 for _ in canonical.walk()) > 4 * MAX_NODES:
        raise ExpressionError(f"expression {name!r} nests sqrt or power too often; write power(x, 0.25) for sqrt(sqrt(x))")
    columns = tuple(sorted({column.name for column in tree.find_all(exp.Column)}))
    try:
        pl.sql_expr(write_sql(canonical, "polars"))
    except pl.exceptions.PolarsError as error:
        raise ExpressionError(f"expression {name!r}: {text!r} cannot be evaluated ({error}); split or simplify it") from error
    return Expression(name, text, columns, canonical)


def parse_expressions(expressions: Mapping[str, str]) -> tuple[Expression, ...]:
    """Check several expressions, in the order given.

    Raises:
        ExpressionError: one is not allowed.
    """
    return tuple(parse_expression(name, text) for name, text in expressions.items())


def _type_of(expression: Expression, node: exp.Expr, schema: pl.Schema) -> pl.DataType:
    try:
        empty = pl.DataFrame(schema=schema).with_columns(pl.sql_expr(write_sql(node, "polars")).alias("__result"))
    except pl.exceptions.PolarsError as error:
        types = ", ".join(f"{column} is {schema[column]}" for column in expression.columns)
        raise ExpressionError(
            f"expression {expression.name!r} ({expression.text}) does not evaluate where {types or 'there are no columns'}: "
            f"{str(error).splitlines()[0]}; compare and compute with values of the column's type, or CAST"
        ) from error
    return empty.schema["__result"]
