"""The server that tests use: what was committed survives its kill, and it comes back for the next test."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

pytestmark = pytest.mark.slow  # a server that is killed


def test_what_was_committed_survives_a_kill(postgresql):
    url = postgresql.new_database().replace("synchronous_commit%3Doff", "synchronous_commit%3Don")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (n INTEGER)"))
        connection.execute(text("INSERT INTO kept VALUES (7)"))
    postgresql.kill()
    postgresql.new_database()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT n FROM kept")).scalar() == 7
