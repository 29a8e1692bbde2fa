"""A ledger from before versions were noted is brought up to date where it stands, and notes those that come."""

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from ratchet.delivery.database import Database
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.migrations import v0001_initial, v0002_rollouts


def test_a_ledger_of_the_second_revision_notes_versions_from_then_on(settings, model):
    with Database(settings.ledger()).writing() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            v0001_initial.upgrade()
            v0002_rollouts.upgrade()
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0002')"))
    ledger = Ledger.open(settings)
    ledger.promote("old", model(1), generation=0, who="anna", why="first")
    assert ledger.version("old", "1") is None
    ledger.note_version("old", model(2))
    ledger.note_version("old", model(2))
    assert ledger.version("old", "2") == model(2)
