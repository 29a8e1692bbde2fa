"""The first revision makes every table, or none."""

import pytest
from sqlalchemy import event, inspect

from ratchet.delivery.database import Database
from ratchet.delivery.tables import metadata


def test_a_creation_that_is_interrupted_leaves_nothing_and_the_next_one_succeeds(settings):
    database = Database(settings.ledger())

    def interrupt(connection, cursor, statement, *rest):
        if "CREATE TABLE verdicts" in statement:
            raise KeyboardInterrupt

    event.listen(database.engine, "before_cursor_execute", interrupt)
    with pytest.raises(KeyboardInterrupt):
        database.prepare()
    event.remove(database.engine, "before_cursor_execute", interrupt)
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == []
    database.prepare()
    with database.reading() as connection:
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
