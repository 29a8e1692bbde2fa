"""The compare-and-swap, at the one place where a deployment is written."""

from ratchet.delivery import records
from ratchet.delivery.deployment import Deployment
from ratchet.delivery.tables import deployments


def test_a_state_is_written_only_over_the_one_right_before_it(ledger, model):
    first = Deployment("fraud").promoted(model(1))
    with ledger.database.writing() as connection:
        assert not records.replace_deployment(connection, first), "there is no row yet"
        records.insert_once(connection, deployments, records.blank_deployment("fraud"))
        records.insert_once(connection, deployments, records.blank_deployment("fraud"))
        assert records.replace_deployment(connection, first)
        assert not records.replace_deployment(connection, first)
        assert records.read_deployment(connection, "fraud") == first


def test_the_projected_generation_only_rises(ledger, model):
    ledger.promote("fraud", model(1), generation=0, who="anna", why="first")
    for generation in (1, 5, 3):
        ledger.note_projected("fraud", generation)
    assert ledger.projected("fraud") == 5
    assert ledger.projected("unknown") == 0


def test_a_row_that_was_begun_and_not_used_is_no_deployment(ledger):
    with ledger.database.writing() as connection:
        records.insert_once(connection, deployments, records.blank_deployment("begun"))
    assert ledger.deployments() == []
    assert ledger.deployment("begun") == Deployment("begun")
