"""Which scalar SQL is allowed in a feature, and what to write in the place of what is not.

A list of what is allowed and not of what is forbidden: a new version of the parser may learn new syntax, and none of it gets in by itself.
"""

import math
from collections.abc import Callable, Iterator, Mapping

import sqlglot
from sqlglot import exp

from ratchet.errors import ExpressionError

MAX_LENGTH = 2_000
MAX_NODES = 600
MAX_DEPTH = 12
FUNCTIONS: Mapping[str, type[exp.Expr]] = {
    "abs": exp.Abs,
    "ceil": exp.Ceil,
    "coalesce": exp.Coalesce,
    "exp": exp.Exp,
    "extract": exp.Extract,
    "floor": exp.Floor,
    "greatest": exp.Greatest,
    "least": exp.Least,
    "length": exp.Length,
    "ln": exp.Ln,
    "log10": exp.Log,
    "log2": exp.Log,
    "mod": exp.Mod,
    "nullif": exp.Nullif,
    "power": exp.Pow,
    "sign": exp.Sign,
    "sqrt": exp.Sqrt,
    "substr": exp.Substring,
    "trim": exp.Trim,
}
TIME_PARTS = ("day", "dow", "doy", "hour", "minute", "month", "quarter", "week", "year")
TEXTS = (exp.DType.TEXT, exp.DType.VARCHAR)
_CAST_TYPES = (*TEXTS, exp.DType.DOUBLE, exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ)
_SYNTAX: tuple[type[exp.Expr], ...] = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.DataType, exp.Var),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.DPipe),
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.And, exp.Or, exp.Not),
    *(exp.Case, exp.If, exp.In, exp.Between, exp.Is, exp.Cast, exp.TryCast),
)
_ALLOWED = frozenset(_SYNTAX) | frozenset(FUNCTIONS.values())
_INSTEAD = {
    "round": "write floor(x + 0.5), because engines round halves differently",
    "lower": "make the case equal before ingest, because engines differ on letters beyond ASCII",
    "upper": "make the case equal before ingest, because engines differ on letters beyond ASCII",
    "int_div": "write floor(a / b)",
    "like": "write substr(s, 1, 3) = 'abc'",
    "if": "write CASE WHEN … THEN … ELSE … END",
}


def parse_scalar(name: str, text: str) -> exp.Expr:
    """Return the syntax tree of an expression of which every node is allowed.

    Args:
        name: Of the feature, for the message.
        text: The expression.

    Raises:
        ExpressionError: naming the expression, the piece that is not allowed, and the remedy.
    """
    _check_text(name, text)
    try:
        named = rewrite(sqlglot.parse_one(text, read="duckdb", into=exp.Condition), _named_function)
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        raise ExpressionError(
            f"expression {name!r}: {text!r} is not one scalar SQL expression ({reason}); write it like ln(1 + amount)"
        ) from error
    _check_size(name, named)
    for node in named.walk():
        _check_node(name, node)
    return named


def rewrite(node: exp.Expr, change: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Change every node, the innermost first (sqlglot's own ``transform`` passes over what is inside a changed node).

    Args:
        node: Root of the tree; it is changed in place.
        change: Returns the node to put in the place of another, or the same.
    """
    for key, value in list(node.args.items()):
        if isinstance(value, exp.Expr):
            node.set(key, rewrite(value, change))
        elif isinstance(value, list):
            node.set(key, [rewrite(item, change) if isinstance(item, exp.Expr) else item for item in value])
    return change(node)


def _check_text(name: str, text: object) -> None:
    if not name:
        raise ExpressionError(f"the expression {text!r} has no name; give it as name: expression")
    if not isinstance(text, str) or not text.strip():
        raise ExpressionError(f"expression {name!r} is {text!r}; write a scalar SQL expression like ln(1 + amount)")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"expression {name!r} has {len(text)} characters, at most {MAX_LENGTH} are allowed; split it")
    for mark in ("--", "/*", "\0"):
        if mark in text:
            raise ExpressionError(f"expression {name!r}: {mark!r} is not allowed; leave comments out, and write a - (-b) with brackets")


def _named_function(node: exp.Expr) -> exp.Expr:
    """Read ``date_part('hour', t)`` and ``hour(t)`` as ``extract(hour from t)``."""
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("date_part", "datepart") and len(node.expressions) == 2:
        part, time = node.expressions
        return exp.Extract(this=exp.var(part.name.upper()), expression=time)
    part_of: Mapping[type[exp.Expr], str] = {
        exp.Hour: "HOUR",
        exp.Minute: "MINUTE",
        exp.Day: "DAY",
        exp.Month: "MONTH",
        exp.Quarter: "QUARTER",
        exp.Year: "YEAR",
    }
    if type(node) in part_of:
        return exp.Extract(this=exp.var(part_of[type(node)]), expression=node.this)
    return node


def _check_node(name: str, node: exp.Expr) -> None:
    piece = node.sql("duckdb")
    piece = piece if len(piece) <= 80 else piece[:77] + "…"
    refused = f"expression {name!r}: {piece!r} is not allowed"
    if type(node) not in _ALLOWED or (isinstance(node, exp.If) and not isinstance(node.parent, exp.Case)):
        listed = ", ".join(FUNCTIONS)
        instead = f"a feature is a scalar expression of columns, literals, operators and these functions: {listed}"
        raise ExpressionError(f"{refused}; {_INSTEAD.get(node.key, instead)}")
    remedy = _remedy(node)
    if remedy:
        raise ExpressionError(f"{refused}; {remedy}")


def _remedy(node: exp.Expr) -> str:
    """Return what to write instead of a node whose kind is allowed but whose arguments are not; empty where they are."""
    if isinstance(node, exp.Column) and (node.table or isinstance(node.this, exp.Star)):
        return 'name one column, in double quotes where its name is not a plain word, like "emp.var.rate"'
    if isinstance(node, exp.In) and not (node.expressions and all(_is_literal(item) for item in node.expressions)):
        return "list literals, like x IN (1, 2)"
    if isinstance(node, exp.Is) and not isinstance(node.expression, exp.Null):
        return "only IS NULL and IS NOT NULL are taken; write x = true"
    if isinstance(node, exp.Cast) and (node.to.this not in _CAST_TYPES or node.to.expressions):
        return "cast to one of DOUBLE, VARCHAR, DATE, TIMESTAMP; for whole numbers write floor(x)"
    if isinstance(node, exp.Extract) and node.name.lower() not in TIME_PARTS:
        return f"extract one of {', '.join(TIME_PARTS)}"
    if isinstance(node, exp.Log) and (node.expression is None or node.this.name not in ("2", "10")):
        return "write ln, log2 or log10; engines read log(x) differently"
    if isinstance(node, exp.Substring) and not _counts_from_one(node):
        return "give start and length as whole numbers from 1, like substr(s, 1, 3)"
    return _remedy_of_extras(node)


def _remedy_of_extras(node: exp.Expr) -> str:
    if isinstance(node, exp.Trim) and (node.expression or node.args.get("position")):
        return "write trim(s), which removes spaces from both ends"
    if isinstance(node, exp.Floor | exp.Ceil) and node.args.get("decimals"):
        return "give one argument"
    if isinstance(node, exp.Literal) and not node.is_string and not math.isfinite(float(node.this)):
        return "write a number that a double can hold"
    if isinstance(node, exp.Literal) and not node.is_string and node.is_int and abs(int(node.this)) >= 2**63:
        return "write it as a double, like 1e19"
    return ""


def _is_literal(node: exp.Expr) -> bool:
    return isinstance(node.this if isinstance(node, exp.Neg) else node, exp.Literal | exp.Boolean)


def _counts_from_one(node: exp.Substring) -> bool:
    start, length = node.args.get("start"), node.args.get("length")
    whole = [part for part in (start, length) if part is not None]
    return start is not None and all(isinstance(part, exp.Literal) and part.is_int and int(part.this) >= 1 for part in whole)


def _check_size(name: str, tree: exp.Expr) -> None:
    deepest, nodes = max(depth for depth in _depths(tree)), sum(1 for _ in tree.walk())
    if deepest > MAX_DEPTH:
        raise ExpressionError(f"expression {name!r} is nested {deepest} deep, at most {MAX_DEPTH} is allowed; split it or drop brackets")
    if nodes > MAX_NODES:
        raise ExpressionError(f"expression {name!r} has {nodes} parts, at most {MAX_NODES} are allowed; split it")


def _depths(tree: exp.Expr) -> Iterator[int]:
    """Yield how deep each node is nested; a chain like ``a + b + c`` is no nesting, because engines read it in a loop."""
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield depth
        for child in node.iter_expressions():
            chained = isinstance(node, exp.Binary) and child is node.this and type(child) is type(node)
            waiting.append((child, depth if chained else depth + 1))
