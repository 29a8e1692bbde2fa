"""One transaction means the same on both databases; tables that this program does not know are refused."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from ratchet.delivery.database import SCHEMA, Database
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.tables import metadata
from ratchet.errors import LedgerError
from ratchet.settings import Settings


def test_the_migrations_make_the_tables_that_the_code_uses(ledger):
    with ledger.database.writing() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == SCHEMA


def test_tables_of_another_version_are_refused_with_the_remedy(settings):
    with Ledger.open(settings).database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(LedgerError, match=r"'0099'.*knows '0003'.*or a later one"):
        Ledger.open(settings)


def test_a_failed_block_leaves_nothing(ledger, model):
    ledger.promote("fraud", model(1), generation=0, who="anna", why="first")

    def fail() -> None:
        with ledger.database.writing() as connection:
            connection.execute(text("UPDATE deployments SET generation = 7"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert ledger.deployment("fraud").generation == 1


def test_a_reader_sees_one_state_while_others_write(ledger, model):
    with ledger.database.reading() as connection:
        before = connection.execute(text("SELECT count(*) FROM audit")).scalar()
        ledger.promote("fraud", model(1), generation=0, who="anna", why="first")
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar() == before == 0


@pytest.mark.parametrize("url", ["mysql://host/ledger", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql+nosuch://host/ledger"])
def test_a_url_that_cannot_hold_a_ledger_is_refused(url):
    with pytest.raises(LedgerError, match="ledger"):
        Database(url)


def test_a_password_is_never_shown(tmp_path):
    with pytest.raises(LedgerError) as refusal:
        Ledger.open(Settings(home=tmp_path, ledger_url="postgresql+psycopg://user:geheim@127.0.0.1:1/ledger"))
    assert "geheim" not in str(refusal.value)
    assert "user:***@127.0.0.1" in str(refusal.value)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"binary junk" * 1000)
    with pytest.raises(LedgerError, match="not a database"):
        Ledger.open(Settings(home=tmp_path))
