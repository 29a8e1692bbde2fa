"""What each database is told before it is asked, and what it declares of its columns."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from ratchet.errors import ParameterError, SourceError
from ratchet.sources.database_access import begin_reading, declared_kinds, engine_for


def test_a_sqlite_file_is_opened_for_reading_whatever_it_is_called(tmp_path: Path):
    file = tmp_path / "a b%20?#.db"
    file.touch()
    engine = engine_for(make_url("sqlite://").set(database=str(file)), "query")
    with engine.connect() as connection:
        begin_reading(connection, 60)
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
        with pytest.raises(Exception, match="readonly"):
            connection.exec_driver_sql("CREATE TABLE t (a)")
    (tmp_path / "shop.db").touch()
    assert engine_for(make_url(f"sqlite:///file:{tmp_path}/shop.db?mode=rwc&uri=true"), "query").url.query["mode"] == "ro"


def test_a_sqlite_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(SourceError, match="no such file; known: none"):
        engine_for(make_url(f"sqlite:///{tmp_path}/shop.db"), "query")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql+pymysql://h/d", "driver of mysql.pymysql is not installed"),
        ("nosuch://h/d", "knows no 'nosuch'"),
        ("postgresql+asyncpg://h/d", "asyncpg"),
    ],
)
def test_a_driver_that_is_not_there_is_named(url, said):
    with pytest.raises(ParameterError, match=said):
        engine_for(make_url(url), "query")


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    pytest.importorskip("pgserver", reason="pgserver has no wheel for this Python, or is not in this image")
    return request.getfixturevalue("postgresql").new_database()


@pytest.mark.slow
def test_postgresql_is_asked_to_read_only_in_utc_and_for_a_bounded_time(url):
    engine = engine_for(make_url(url), "query")
    with engine.connect() as connection:
        begin_reading(connection, 7)
        settings = [
            connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("transaction_read_only", "TimeZone", "statement_timeout")
        ]
        assert settings == ["on", "UTC", "7s"]
        assert connection.exec_driver_sql("SHOW application_name").scalar() == "ratchet ingest"


@pytest.mark.slow
def test_declared_kinds(url, tmp_path: Path):
    with engine_for(make_url(url), "query").connect() as connection:
        begin_reading(connection, 60)
        types = (
            "1::int AS a, 1::numeric(9,2) AS b, 1::numeric(18,0) AS c, 1::numeric(19,0) AS d, "
            "1::numeric AS e, true AS f, now() AS g, 'x' AS h"
        )
        with connection.exec_driver_sql(f"SELECT {types}") as result:
            assert list(declared_kinds(connection, result, "query").values()) == [
                *("integer", "number", "integer", "string", "number", "boolean", "datetime", "string")
            ]
    (tmp_path / "shop.db").touch()
    with engine_for(make_url(f"sqlite:///{tmp_path}/shop.db"), "query").connect() as connection:
        assert declared_kinds(connection, connection.exec_driver_sql("SELECT 1 AS a"), "query") is None
