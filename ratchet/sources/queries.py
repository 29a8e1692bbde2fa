"""Which SQL may be asked of a database: one query that reads, and nothing else.

A query is a pipeline's parameter, so whoever may start a run writes it, and it runs with the rights of the step's account. sqlglot parses
it in the database's own dialect, and what is sent is what sqlglot writes back, without comments: no quoting or comment can mean one thing
to the parser and another to the server. A feature's expression is held to a list of what is allowed; a query may use whatever the database
can compute, so here the list is of what is refused: what writes, locks, waits, or reaches files, programs and other servers. It is the
first of three lines. The second is a transaction that is read only, the third the account, which should be.
"""

import re

import sqlglot
from sqlglot import exp

from ratchet.errors import ParameterError

MAX_LENGTH = 100_000
MAX_NODES = 20_000
DIALECTS = {  # SQLAlchemy's name of a database, where sqlglot has another
    "postgresql": "postgres",
    "cockroachdb": "postgres",
    "mariadb": "mysql",
    "mssql": "tsql",
    "awsathena": "athena",
}
_STATEMENTS = ("sqlglot.expressions.ddl", "sqlglot.expressions.dml")  # all that is defined there does something, but for:
_HARMLESS = (exp.CharacterSet, exp.Comprehension, exp.Heredoc)
_FUNCTIONS = {  # dialect to the functions that write, wait, or reach files, programs and other servers
    "postgres redshift": r"pg_(?!typeof$|catalog$)\w+|lo_\w+|lo(read|write)|dblink\w*|\w*_to_xml\w*|set_config|(set|next)val|txid_current"
    r"|crdb_internal|aws_\w+",
    "sqlite": r"load_extension|readfile|writefile|edit|fts3_tokenizer|fsdir|lsdir|eval",
    "mysql doris starrocks singlestore": r"load_file|sleep|benchmark|get_lock|release_\w*locks?|sys_(exec|eval)|files|http_\w+",
    "tsql fabric": r"openrowset|opendatasource|openquery|xp_\w+|sp_\w+",
    "oracle": r"utl_\w+|dbms_\w+|bfilename|httpuritype",
    "duckdb": r"read_\w+|\w+_scan|sniff_csv|glob|parquet_\w+|getenv|query|query_table|which_secret|duckdb_secrets",
    "trino presto athena": r"query|raw_query",
    "clickhouse": r"file\w*|url|urlcluster|s3\w*|gcs\w*|hdfs\w*|remote\w*|cluster\w*|mysql|postgresql|mongodb|redis|sqlite|jdbc|odbc"
    r"|executable\w*|input|azure\w+|iceberg\w*|deltalake\w*|hudi\w*|sleep\w*",
    "snowflake": r"system\$\w+|infer_schema|get_presigned_url",
    "bigquery": r"external_query",
    "spark spark2 databricks hive": r"read_\w+|java_method|(try_)?reflect|http_request|ai_\w+",
}
_FILES = re.compile(r"(?i)[/\\*?]|\.(?:csv|tsv|txt|json\w*|ndjson|parquet|db|duckdb|sqlite|xlsx|gz|zst)$")
_READS_FILES = ("duckdb", "spark", "spark2", "databricks", "hive", "drill", "clickhouse")  # where a table's name may be a path


def read_only(query: str, database: str) -> str:
    """Return a query as it may be sent, in the database's dialect.

    Args:
        query: One SELECT, with or without WITH, or several with UNION, INTERSECT or EXCEPT.
        database: What SQLAlchemy calls the database, e.g. "postgresql"; one that sqlglot does not know is taken for standard SQL.

    Raises:
        ParameterError: it is no such query, or does more than to read; naming what is refused, and the remedy.

    >>> read_only("select a, count(*) from t group by a -- by a", "sqlite")
    'SELECT a, COUNT(*) FROM t GROUP BY a'
    >>> read_only("with d as (delete from t returning *) select * from d", "postgresql")
    Traceback (most recent call last):
    ...
    ratchet.errors.ParameterError: query: 'DELETE FROM t RETURNING *' does more than to read; give one SELECT
    """
    dialect = DIALECTS.get(database, database)
    if sqlglot.Dialect.get(dialect) is None:
        dialect = ""
    tree = _parsed(query, dialect)
    refused = _refused(dialect)
    for count, node in enumerate(tree.walk()):
        if count > MAX_NODES:
            raise ParameterError(f"parameter 'query' has more than {MAX_NODES:,} parts; make it a view in the database, and select from it")
        _check(node, dialect, refused)
    return tree.sql(dialect=dialect, comments=False, normalize_functions=False)


def _parsed(query: str, dialect: str) -> exp.Expr:
    if not query.strip():
        raise ParameterError("parameter 'query' is empty; a database is read by one SELECT, e.g. SELECT * FROM orders")
    if len(query) > MAX_LENGTH or "\0" in query:
        raise ParameterError(f"parameter 'query' is longer than {MAX_LENGTH:,} characters, or holds a NUL; make it a view in the database")
    try:
        found = [tree for tree in sqlglot.parse(query, read=dialect) if tree is not None and not isinstance(tree, exp.Semicolon)]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else _plain(str(error))
        raise ParameterError(f"parameter 'query' is not one SELECT in {dialect or 'standard SQL'}: {reason}") from error
    if len(found) != 1:
        raise ParameterError(f"parameter 'query' holds {len(found)} statements; give one SELECT")
    (tree,) = found
    if not isinstance(tree.unnest(), exp.Select | exp.SetOperation):
        raise ParameterError(f"query: {_shortened(tree, dialect)} is no SELECT; give one SELECT, with or without WITH")
    return tree


def _check(node: exp.Expr, dialect: str, refused: re.Pattern[str]) -> None:
    if isinstance(node, exp.Into | exp.Lock) or (type(node).__module__ in _STATEMENTS and not isinstance(node, _HARMLESS)):
        raise ParameterError(f"query: {_shortened(node, dialect)} does more than to read; give one SELECT")
    if isinstance(node, exp.Placeholder | exp.Parameter):
        raise ParameterError(f"query: {_shortened(node, dialect)} is a placeholder, which nothing fills; write the value")
    for name in _called(node):
        if refused.fullmatch(name):
            raise ParameterError(
                f"query: the function {name} is not allowed, because it can write, wait, or reach files or other servers; select without it"
            )
    if isinstance(node, exp.Table) and dialect in _READS_FILES and _FILES.search(node.name):
        raise ParameterError(f"query: {node.name!r} is a file and no table; give the file itself as the source")


def _refused(dialect: str) -> re.Pattern[str]:
    """The functions that a dialect's queries may not call; of an unknown one, those of all."""
    patterns = [names for dialects, names in _FUNCTIONS.items() if dialect in dialects.split()] or list(_FUNCTIONS.values())
    return re.compile("|".join(patterns), re.IGNORECASE)


def _called(node: exp.Expr) -> list[str]:
    """Names under which a node calls something, the packages before it included (``dbms_xmlgen.getxml``)."""
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return [node.name]
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
        return [part.name for part in node.this.find_all(exp.Identifier)]
    return list(type(node).sql_names()) if isinstance(node, exp.Func) else []


def _shortened(node: exp.Expr, dialect: str) -> str:
    text = node.sql(dialect=dialect, comments=False)
    return repr(text if len(text) <= 80 else text[:77] + "…")


def _plain(message: str) -> str:
    """sqlglot's message on one line, without the marks for a terminal."""
    return " ".join(re.sub(r"\x1b\[\d*m", "", message).split())[:300]
