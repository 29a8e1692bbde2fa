"""The gate for queries: what reads goes through and means the same, what does more does not."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import ParameterError
from ratchet.sources.queries import MAX_LENGTH, read_only

READS = {
    "postgresql": [
        'SELECT "Day", f."MyOwn"(x) FROM shop.orders AS o',
        "SELECT a FROM t WHERE b LIKE '%x%' AND c ~* 'y' AND d ? 'k' AND e = ANY(ARRAY[1, 2])",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT n FROM r",
        "SELECT DATE_TRUNC('DAY', at), COUNT(*) FILTER(WHERE paid) FROM t GROUP BY ROLLUP (1) HAVING COUNT(*) > 1",
        "SELECT SUM(x) OVER (PARTITION BY c ORDER BY at ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM t",
        "(SELECT a FROM t) UNION ALL (SELECT a FROM u) ORDER BY 1 LIMIT 3",
        "SELECT a.b FROM a CROSS JOIN LATERAL (SELECT b FROM u WHERE u.id = a.id) AS v",
        "SELECT pg_typeof(a), nextval, filename, url FROM t",
    ],
    "sqlite": ["SELECT JSON_EXTRACT(x, '$.a'), STRFTIME('%Y', d) FROM t WHERE a GLOB 'x*'", "SELECT * FROM (VALUES (1), (2))"],
    "mysql": ["SELECT `a b` FROM t WHERE d > NOW() - INTERVAL '7' DAY"],
    "mssql": ["SELECT TOP 5 [a b] FROM t"],
    "bigquery": ["SELECT a FROM `p.d.t_*` WHERE _TABLE_SUFFIX = '1' AND d BETWEEN '2024-01-01' AND '2024-02-01'"],
    "a-database-that-nobody-knows": ["SELECT a FROM t WHERE b = 1"],
}
DOES_MORE = {
    "postgresql": [
        *("INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t", "DROP TABLE t", "TRUNCATE t", "CREATE TABLE u AS SELECT 1"),
        *("SELECT 1; DROP TABLE t", "SELECT * INTO u FROM t", "SELECT * FROM t FOR UPDATE", "SELECT * FROM t FOR SHARE", "VALUES (1)"),
        *("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "COPY t TO '/tmp/x'", "COPY (SELECT 1) TO PROGRAM 'sh'"),
        *("SELECT pg_read_file('/etc/passwd')", "SELECT \"pg_read_file\"('/etc/passwd')", "SELECT PG_CATALOG.PG_READ_FILE('x')"),
        *('SELECT "pg_catalog"."pg_read_file"(\'x\')', "SELECT * FROM pg_catalog.pg_ls_dir('.')", "SELECT crdb_internal.force_panic('x')"),
        *("SELECT * FROM pg_ls_dir('.') AS f", "SELECT lo_import('/etc/passwd')", "SELECT * FROM dblink('h', 'q') AS t(a int)"),
        *("SELECT query_to_xml('DELETE FROM t', true, true, '')", "SELECT nextval('s')", "SELECT set_config('a', 'b', false)"),
        *("SELECT pg_sleep(9)", "SELECT pg_terminate_backend(1)", "SELECT a FROM t WHERE b IN (SELECT pg_read_file('x'))"),
        *("EXPLAIN ANALYZE SELECT 1", "SET ROLE admin", "VACUUM", "CALL p()", "DO $$ BEGIN END $$", "LISTEN x", "GRANT ALL ON t TO u"),
        *("SELECT * FROM t WHERE a = :a", "SELECT $1", "SELECT %(a)s", "", "  ", "-- nothing", "SELEC 1", "SELECT 'open", "SELECT (1"),
    ],
    "sqlite": [
        *(
            "PRAGMA query_only = OFF",
            "ATTACH 'x.db' AS x",
            "SELECT load_extension('x.so')",
            "SELECT readfile('/etc/passwd')",
            "REPLACE INTO t VALUES (1)",
        ),
        "VACUUM INTO '/tmp/x'",
    ],
    "mysql": [
        *(
            "SELECT * FROM t INTO OUTFILE '/tmp/x'",
            "SELECT LOAD_FILE('/etc/passwd')",
            "SELECT @a := 1",
            "SELECT 1 INTO @x",
            "SELECT SLEEP(9)",
        ),
        "SELECT * FROM t LOCK IN SHARE MODE",
    ],
    "mssql": ["EXEC xp_cmdshell 'x'", "SELECT * INTO u FROM t", "SELECT * FROM OPENROWSET('a', 'b', 'c')", "SELECT NEXT VALUE FOR s"],
    "oracle": ["SELECT dbms_xmlgen.getxml('x') FROM dual", "SELECT utl_http.request('http://x') FROM dual"],
    "duckdb": [
        "SELECT * FROM 'x.csv'",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('x')",
        "SELECT * FROM read_text('/etc/passwd')",
    ],
    "clickhouse": ["SELECT * FROM url('http://x')", "SELECT * FROM file('x.csv')"],
    "trino": ["SELECT * FROM TABLE(db.system.query(query => 'DROP TABLE t'))"],
    "bigquery": ["SELECT * FROM EXTERNAL_QUERY('c', 'q')", "DECLARE x INT64; SELECT x", "EXPORT DATA OPTIONS (uri='gs://x') AS SELECT 1"],
    "a-database-that-nobody-knows": ["SELECT load_file('x')", "SELECT pg_read_file('x')", "DELETE FROM t"],
}


@pytest.mark.parametrize(("database", "query"), [(name, query) for name, queries in READS.items() for query in queries])
def test_what_only_reads_goes_through_as_it_is(database, query):
    assert read_only(query, database) == query
    assert read_only(query + ";  -- that is all", database) == query


@pytest.mark.parametrize(("database", "query"), [(name, query) for name, queries in DOES_MORE.items() for query in queries])
def test_what_does_more_is_refused(database, query):
    with pytest.raises(ParameterError, match="query"):
        read_only(query, database)


def test_a_comment_is_not_sent_where_a_server_could_execute_it():
    assert read_only("SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */", "mysql") == "SELECT 1"


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT {'(' * 3_000}1{')' * 3_000}",
        f"SELECT {'NOT ' * 9_000}1",
        f"SELECT {' + '.join(['1'] * 15_000)}",
        f"SELECT 1{' ' * MAX_LENGTH}",
        "SELECT '\0'",
        f"SELECT {'(SELECT ' * 900}1{')' * 900}",
    ],
)
def test_a_query_that_is_too_long_or_too_deep_is_refused_and_breaks_nothing(query):
    with pytest.raises(ParameterError):
        read_only(query, "postgresql")


@given(st.text(st.sampled_from("abt1 '\"`;()-/*%:?$@\\\n,.=<>|x") | st.characters(codec="utf-8"), max_size=30))
def test_any_text_is_a_query_that_goes_through_again_or_is_refused(rest):
    try:
        written = read_only("SELECT a FROM t WHERE b = " + rest, "sqlite")
    except ParameterError:
        return
    assert read_only(written, "sqlite") == written


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_a_literal_means_to_the_database_what_it_meant_to_the_parser(value):
    connection = sqlite3.connect(":memory:")
    try:
        literal = value.replace("'", "''")
        assert connection.execute(read_only(f"SELECT '{literal}' AS a", "sqlite")).fetchone() == (value,)
    finally:
        connection.close()
