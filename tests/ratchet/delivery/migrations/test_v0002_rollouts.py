"""An installation of the first release is brought up to date where it stands, and goes on."""

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from ratchet.delivery.database import Database
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.migrations import v0001_initial
from ratchet.delivery.policy import Policy


def test_a_ledger_of_the_first_revision_keeps_its_champion_and_can_begin_a_rollout(settings, model):
    database = Database(settings.ledger())
    with database.writing() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            v0001_initial.upgrade()
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
        connection.execute(
            text("INSERT INTO deployments (name, generation, since, phase, percent, projected) VALUES ('old', 0, 0, 'stable', 0, 0)")
        )
    ledger = Ledger.open(settings)
    ledger.promote("old", model(1), generation=0, who="anna", why="first")
    begun = ledger.begin("old", model(2), Policy(), generation=1, who="run r", why="better")
    assert (begun.deployment.phase, begun.deployment.begun) == ("shadow", 2)
    assert ledger.verify_chain("old").rows == 2
