"""A specification's features as another engine's SQL: what is too large for one machine is made into the same features where it lies."""

from collections.abc import Sequence

from sqlglot import exp

from ratchet.errors import ExpressionError, nearest
from ratchet.features.dialects import ENGINES, write_sql
from ratchet.features.expressions import parse_expressions
from ratchet.features.grammar import rewrite
from ratchet.features.imputation import Imputation, Value
from ratchet.features.spec import FeatureSpec


def feature_sql(spec: FeatureSpec, engine: str) -> dict[str, str]:
    """Return what each feature is in an engine's SQL, over a table with the columns that ``spec.inputs`` names.

    Imputed values are written as COALESCE, wherever the column is read. Windows are columns of the table, as they are in ours.

    Args:
        spec: The specification.
        engine: "spark", "bigquery", "duckdb" or "polars".

    Returns:
        By feature, in the order of ``spec.features``. A boolean stays one, where our matrix has 1 and 0.

    Raises:
        ExpressionError: there is no such engine.

    >>> from ratchet.features.imputation import Imputation
    >>> impute = (Imputation("amount", "median", 2.5, "amount_missing"),)
    >>> spec = FeatureSpec("regression", "y", {"amount": "number"}, ("amount",), expressions={"log": "ln(amount)"}, impute=impute)
    >>> for name, text in feature_sql(spec, "spark").items():
    ...     print(name, "=", text)
    amount = COALESCE(`amount`, 2.5e0)
    amount_missing = `amount` IS NULL
    log = LN(NULLIF(GREATEST(COALESCE(`amount`, 2.5e0), 0), 0))
    """
    if engine not in ENGINES:
        raise ExpressionError(f"no SQL dialect {engine!r}; {nearest(engine, ENGINES)}")
    made: dict[str, exp.Expr] = {name: exp.column(name) for name in spec.features if name not in spec.expressions}
    made |= {expression.name: expression.tree.copy() for expression in parse_expressions(spec.expressions)}
    return {name: write_sql(_filled(tree, spec.impute), engine) for name, tree in made.items()}


def _filled(tree: exp.Expr, impute: Sequence[Imputation]) -> exp.Expr:
    values = {one.column: one.value for one in impute if one.value is not None}
    flags = {one.flag: one.column for one in impute if one.flag}

    def stand_in(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and node.name in flags:
            return _alone(exp.Is(this=exp.column(flags[node.name]), expression=exp.Null()), node)
        if isinstance(node, exp.Column) and node.name in values:
            return exp.Coalesce(this=node, expressions=[_literal(values[node.name])])
        return node

    return rewrite(tree, stand_in)


def _alone(node: exp.Expr, replaced: exp.Expr) -> exp.Expr:
    """Put brackets around what stands among operators."""
    return exp.Paren(this=node) if replaced.parent else node


def _literal(value: Value) -> exp.Expr:
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, str):
        return exp.Literal.string(value)
    text = repr(abs(value))
    number = exp.Literal.number(text if isinstance(value, int) or "e" in text else f"{text}e0")  # a double, and no decimal
    return exp.Neg(this=number) if value < 0 else number
