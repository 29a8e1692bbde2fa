"""Queries on real databases: what arrives is what is there, in bounded memory, and what goes wrong is said without a password."""

import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from ratchet.errors import ParameterError, RatchetError, SchemaError, SourceError
from ratchet.sources.databases import QueryLimits, read_query
from ratchet.sources.ingestion import ingest
from tests.postgres import PostgreSQL

ROOT = Path(__file__).resolve().parents[3]


def run(url: str, *statements: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def everything(url: str, query: str, limits: QueryLimits | None = None) -> pl.DataFrame:
    tables = list(read_query(url, query) if limits is None else read_query(url, query, limits))
    assert all(table.schema == tables[0].schema for table in tables)
    return pl.concat(tables)


def refusal(url: str, query: str, limits: QueryLimits | None = None) -> str:
    with pytest.raises(RatchetError) as raised:
        everything(url, query, limits)
    return str(raised.value)


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., str]:
    """Return a maker of SQLite files with one table ``t``."""

    def make(columns: str, rows: Sequence[Sequence[Any]]) -> str:
        file = tmp_path / "shop.db"
        file.unlink(missing_ok=True)
        connection = sqlite3.connect(file)
        connection.execute(f"CREATE TABLE t ({columns})")
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})" if rows else "SELECT 1", rows or [()])
        connection.commit()
        connection.close()
        return f"sqlite:///{file}"

    return make


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    pytest.importorskip("pgserver", reason="pgserver has no wheel for this Python, or is not in this image")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


# SQLite: the values say what a column is


def test_sqlite_columns_are_of_the_kind_that_all_their_values_have(shop):
    rows = [(None, None, None, None, None, None)] * 200 + [
        (1, 1, "a", "2024-03-01", "2024-03-01 10:00:00", 1),
        (2, 2.5, "", "2024-03-02", None, "x"),
    ]
    table = everything(shop("a, b, c, d, e, f", rows), "SELECT * FROM t")
    assert table.dtypes == [pl.Int64, pl.Float64, pl.String, pl.Datetime("us"), pl.Datetime("us"), pl.String]
    assert table.row(200) == (1, 1.0, "a", datetime(2024, 3, 1), datetime(2024, 3, 1, 10), "1")
    assert table.row(201) == (2, 2.5, None, datetime(2024, 3, 2), None, "x")
    assert table.head(200).null_count().row(0) == (200,) * 6


def test_one_text_that_is_no_time_keeps_all_of_them_texts(shop):
    rows = [("2024-03-01",)] * 5_000 + [("soon",)]
    assert everything(shop("d", rows), "SELECT d FROM t")["d"].to_list() == [row[0] for row in rows]


whole = st.integers(-(2**60), 2**60)  # a larger one among fractions would lose digits, and is refused
cells = st.one_of(st.none(), whole, st.floats(allow_nan=False), st.text(st.characters(codec="utf-8"), max_size=4))


@settings(max_examples=40)
@given(st.lists(st.tuples(cells, st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))), min_size=1, max_size=300))
def test_what_sqlite_holds_arrives(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("shop") / "shop.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE t (a, b)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    connection.commit()
    stored = connection.execute("SELECT a, b FROM t").fetchall()
    connection.close()
    table = everything(f"sqlite:///{file}", "SELECT a, b FROM t")
    assert table["b"].to_list() == [row[1] for row in stored]
    there = [row[0] for row in stored]
    assert table["a"].null_count() == sum(value is None or value == "" for value in there)
    if all(isinstance(value, int | None) for value in there):
        assert table["a"].to_list() == there


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    (tmp_path / "orders.db").touch()
    assert "did you mean 'orders.db'?" in refusal(f"sqlite:///{tmp_path}/order.db", "SELECT 1 AS a")
    assert "in memory" in refusal("sqlite://", "SELECT 1 AS a")
    assert [file.name for file in tmp_path.iterdir()] == ["orders.db"]


def test_sqlite_is_opened_so_that_nothing_can_be_written(shop, monkeypatch, tmp_path):
    url = shop("a", [(1,)])
    monkeypatch.setattr("ratchet.sources.databases.read_only", lambda query, database: query)  # as if the first line had failed
    for statement in ("DELETE FROM t", "CREATE TABLE u (a)", f"ATTACH '{tmp_path}/other.db' AS o", "INSERT INTO t VALUES (2) RETURNING a"):
        with pytest.raises(Exception, match=r"readonly|read-only|query_only|no column|closed|does not return|too many attached"):
            everything(url, statement)
    assert everything(url, "SELECT a FROM t").rows() == [(1,)]
    assert not (tmp_path / "other.db").exists()


def test_a_file_that_is_no_database_is_an_error(tmp_path):
    (tmp_path / "shop.db").write_bytes(b"id,x\n" * 1_000)
    assert "file is not a database" in refusal(f"sqlite:///{tmp_path}/shop.db", "SELECT * FROM t")


def test_a_query_without_end_is_stopped(shop):
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT {} FROM r"
    url = shop("a", [(1,)])
    assert "interrupted; a statement may take 0.2 s" in refusal(url, endless.format("max(n) AS n"), QueryLimits(statement_seconds=0.2))
    assert "has not ended after 0.2 s" in refusal(url, endless.format("n"), QueryLimits(seconds=0.2))
    assert "gives more than 1 MiB of rows" in refusal(url, endless.format("n"), QueryLimits(total=2**20))


def test_the_scratch_folder_is_empty_afterwards_also_when_the_reader_stops(shop, tmp_path_factory, monkeypatch):
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    tables = read_query(shop("a", [(n,) for n in range(50_000)]), "SELECT a FROM t", QueryLimits(rows=1_000))
    next(tables)
    assert os.listdir(scratch)
    tables.close()
    assert not os.listdir(scratch)


def test_long_rows_are_asked_for_in_smaller_numbers(shop):
    rows = [("x" * 100_000,)] * 300
    sizes = [table.estimated_size() for table in read_query(shop("a", rows), "SELECT a FROM t", QueryLimits(size=8 * 2**20))]
    assert sum(sizes) >= 300 * 100_000
    assert max(sizes) <= 12 * 2**20


# PostgreSQL: the database says what a column is


COLUMNS = {
    "a smallint": "1",
    "b bigint": "9223372036854775807",
    "c numeric(10,2)": "3.50",
    "d numeric": "0.1",
    "e numeric(30,0)": "123456789012345678901234567890",
    "f numeric(18,0)": "999999999999999999",
    "g boolean": "true",
    "h text": "'Zoë'",
    "i varchar(9)": "''",
    "j date": "'2024-03-01'",
    "k timestamp": "'2024-03-01 10:00:00.000001'",
    "l timestamptz": "'2024-03-31 10:00:00+02'",
    "m uuid": "'12345678-1234-5678-1234-567812345678'",
    "n time": "'10:00'",
    "o mood": "'fine'",
    "p real": "'Infinity'",
    "q inet": "'10.0.0.1'",
}
ARRIVED = (
    *(1, 2**63 - 1, 3.5, 0.1, "123456789012345678901234567890", 999999999999999999, True, "Zoë", None),
    *(datetime(2024, 3, 1), datetime(2024, 3, 1, 10, 0, 0, 1), datetime(2024, 3, 31, 8)),
    *("12345678-1234-5678-1234-567812345678", "10:00:00", "fine", float("inf"), "10.0.0.1"),
)


@pytest.mark.slow
def test_postgresql_columns_are_what_it_declares_also_where_nothing_is_in_them(url):
    nothing = f"INSERT INTO t SELECT {', '.join(['NULL'] * len(COLUMNS))} FROM generate_series(1, 300)"
    run(url, "CREATE TYPE mood AS ENUM ('fine')", f"CREATE TABLE t ({', '.join(COLUMNS)})", nothing)
    empty = everything(url, "SELECT * FROM t")
    run(url, f"INSERT INTO t VALUES ({', '.join(COLUMNS.values())})")
    table = everything(url, "SELECT * FROM t")
    assert table.schema == empty.schema
    assert table.row(300) == ARRIVED
    assert table.dtypes[:7] == [pl.Int64, pl.Int64, pl.Float64, pl.Float64, pl.String, pl.Int64, pl.Boolean]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("ARRAY[1, 2]", "is of type _int4"),
        ("'{}'::jsonb", "is of type jsonb"),
        ("'x'::bytea", "is of type bytea"),
        ("interval '1 day'", "is of type interval"),
        ("int4range(1, 2)", "is of type int4range"),
        ("point(1, 2)", "is of type point"),
        ("12345678901234567890::numeric", "is of kind number and holds '12345678901234567890', which does not fit"),
    ],
)
def test_a_value_that_no_kind_holds_names_its_column_and_the_remedy(url, value, said):
    assert f"column 'bad' {said}" in refusal(url, f"SELECT 1 AS good, {value} AS bad")
    assert everything(url, f"SELECT CAST({value} AS text) AS bad").height == 1


@pytest.mark.slow
def test_postgresql_s_own_sentence_is_said(url):
    assert 'relation "nope" does not exist; check the query' in refusal(url, "SELECT * FROM nope")
    assert "division by zero" in refusal(url, "SELECT 1 / (n - 5000) AS x FROM generate_series(1, 9000) AS n")
    assert "gives no row" in refusal(url, "SELECT 1 AS a WHERE false")
    assert "two columns are called 'a'" in refusal(url, "SELECT 1 AS a, 2 AS a")
    late = refusal(url, "SELECT count(*) AS n FROM generate_series(1, 100000000)", QueryLimits(statement_seconds=0.1))
    assert "statement timeout; a statement may take 0.1 s" in late


@pytest.mark.slow
def test_a_percent_sign_and_a_colon_mean_nothing(url):
    assert everything(url, "SELECT '50%s :x' AS a WHERE 'abc' LIKE '%b%' AND 7 % 4 = 3").rows() == [("50%s :x",)]


@pytest.mark.slow
def test_postgresql_s_transaction_is_read_only(url, monkeypatch):
    run(url, "CREATE TABLE t (a int)", "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING a'")
    assert "cannot execute INSERT in a read-only transaction" in refusal(url, "SELECT sneak() AS a")
    monkeypatch.setattr("ratchet.sources.databases.read_only", lambda query, database: query)  # as if the first line had failed
    for statement in ("INSERT INTO t VALUES (1)", "WITH d AS (DELETE FROM t RETURNING a) SELECT a FROM d", "SELECT a INTO u FROM t"):
        assert refusal(url, statement)
    assert "gives no row" in refusal(url, "SELECT a FROM t")


@pytest.mark.slow
def test_no_password_is_ever_said(url):
    run(url, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN PASSWORD 'hunter2'")
    wrong = url.replace("postgres@", "nobody:hunter2%21@")
    said = refusal(wrong, "SELECT 1 AS a")
    assert 'role "nobody" does not exist' in said
    unreachable = "postgresql+psycopg://reader:hunter2%21@127.0.0.1:9/shop?connect_timeout=2"
    for message in (said, refusal(unreachable, "SELECT 1 AS a"), refusal("no-such-db://u:hunter2@h/d", "SELECT 1 AS a")):
        assert "hunter2" not in message


@pytest.mark.parametrize(
    "url", ["", "postgres", "postgresql+psycopg://u:hunter2@h:port/d", "mysql+nothing://u:hunter2@h/d", "oracle://u:hunter2@h/d"]
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url):
    with pytest.raises(ParameterError) as raised:
        list(read_query(url, "SELECT 1"))
    assert "hunter2" not in str(raised.value)


@pytest.mark.slow
def test_a_query_that_does_more_than_read_is_refused_at_once(url):
    with pytest.raises(ParameterError):
        read_query(url, "DROP TABLE t")


@pytest.mark.slow
def test_a_connection_that_is_cut_in_the_middle_is_an_error(url):
    run(url, "CREATE TABLE t AS SELECT n, repeat('x', 200) AS x FROM generate_series(1, 200000) AS n")
    tables = read_query(url, "SELECT * FROM t", QueryLimits(rows=5_000))
    next(tables)
    assert cut(url) == 1
    with pytest.raises(SourceError, match=r"terminating connection|closed the connection"):
        list(tables)


def cut(url: str) -> int:
    """Have the server end every connection that reads, as its administrator would; return how many there were."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ratchet ingest' AND query LIKE 'FETCH %'"
        return len(connection.execute(text(kill)).all())


@pytest.mark.slow
def test_nothing_is_seen_of_rows_whose_connection_was_cut(url, tmp_path):
    with ThreadPoolExecutor(1) as worker:
        query = "SELECT n, repeat('x', 100) AS x FROM generate_series(1, 5000000) AS n"
        reading = worker.submit(ingest, url, tmp_path / "out", query=query)
        while not any(tmp_path.iterdir()) or not cut(url):  # rows are being written
            assert not reading.done()
            time.sleep(0.05)
        with pytest.raises(SourceError, match=r"terminating connection|closed the connection"):
            reading.result()
    assert not list(tmp_path.iterdir())


PEAK = """
    import pathlib, re, sys
    from ratchet.sources.databases import read_query
    rows = sum(table.height for table in read_query(sys.argv[1], sys.argv[2]))
    status = pathlib.Path("/proc/self/status").read_text()  # getrusage would count the parent's memory too
    print(rows, int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) // 1024)
"""


def peak(url: str, query: str) -> tuple[int, int]:
    """Rows read, and the peak of memory in MiB, of a process of its own."""
    command = [sys.executable, "-c", textwrap.dedent(PEAK), url, query]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    rows, mebibytes = done.stdout.split()
    return int(rows), int(mebibytes)


@pytest.mark.slow
def test_a_million_rows_take_no_more_memory_than_a_part_of_them(url, tmp_path):
    made = (
        "SELECT n AS a, n / 3.0::float8 AS b, 'name ' || n AS c, timestamp '2024-01-01' + n * interval '1 second' AS d, md5(n::text) AS e"
    )
    run(url, f"CREATE TABLE t AS {made} FROM generate_series(1, 1000000) AS n")
    few, (rows, many) = peak(url, "SELECT * FROM t WHERE a <= 300000")[1], peak(url, "SELECT * FROM t")
    print(f"PostgreSQL: {few} MiB for 300,000 rows, {many} MiB for {rows:,}")
    assert rows == 1_000_000
    assert many < few + 60
    file = tmp_path / "shop.db"
    connection = sqlite3.connect(file)
    numbers = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 1000000)"
    connection.execute(f"CREATE TABLE t AS {numbers} SELECT n AS a, n / 3.0 AS b, 'name ' || n AS c FROM r")
    connection.commit()
    connection.close()
    few, (rows, many) = peak(f"sqlite:///{file}", "SELECT * FROM t WHERE a <= 300000")[1], peak(f"sqlite:///{file}", "SELECT * FROM t")
    print(f"SQLite: {few} MiB for 300,000 rows, {many} MiB for {rows:,}")
    assert rows == 1_000_000
    assert many < few + 60


def test_ingest_shows_the_reference_and_never_what_it_holds(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP", shop("a, at", [(n, f"2024-03-{n + 1:02}") for n in range(20)]))
    info = ingest("env:SHOP", tmp_path / "out", query="SELECT * FROM t", time_column="at", since="2024-03-11")
    assert (info.rows, info.source, info.time_min) == (10, "env:SHOP", "2024-03-11T00:00:00")


def test_a_schema_error_names_the_column(shop):
    with pytest.raises(SchemaError, match="column 'b' holds values of type bytes"):
        everything(shop("a, b", [(1, b"x")]), "SELECT * FROM t")
