"""Somebody with write access to the database changes history; the chain must say so, and where."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from ratchet.delivery.audit import GENESIS, AuditRow, Head, verify_rows
from ratchet.delivery.deployment import Deployment, canonical_json
from ratchet.delivery.ledger import Ledger
from ratchet.errors import AuditError

ROWS = 5


@pytest.fixture
def chain(settings, model) -> Ledger:
    ledger = Ledger.open(settings)
    for number in range(ROWS):
        ledger.promote("fraud", model(number), generation=number, who="run", why="better", evidence={"loss": number / 8})
    assert ledger.verify_chain("fraud").head == "confirmed"
    return ledger


def tamper(ledger: Ledger, *statements: str) -> None:
    with ledger.database.writing() as connection:
        for statement in statements:
            connection.execute(text(statement.replace(":", "\\:")))


def forged(place: int, of: int) -> str:
    """Return the statement that puts a copy of a row at a place."""
    copied = "at, who, action, why, evidence, run_id, 'forged', state, previous_hash, hash"
    return f"INSERT INTO audit SELECT deployment, {place}, {copied} FROM audit WHERE generation = {of}"


def columns() -> list[str]:
    return [name for name in AuditRow.__slots__ if name not in ("deployment", "generation", "hash")]


def test_an_edit_of_any_column_is_found_in_its_row(chain):
    row = chain.history("fraud")[2]
    for column in columns():
        tamper(chain, f"UPDATE audit SET {column} = substr({column}, 2) || 'x' WHERE generation = 3")
        with pytest.raises(AuditError, match="row 3 was edited"):
            chain.verify_chain("fraud")
        before = getattr(row, column).replace("'", "''")
        tamper(chain, f"UPDATE audit SET {column} = '{before}' WHERE generation = 3")
    assert chain.verify_chain("fraud").head == "confirmed"


def test_an_edited_row_with_a_new_hash_is_found_in_the_row_after_it(chain):
    row = chain.history("fraud")[2]
    values = {name: getattr(row, name) for name in AuditRow.__slots__} | {"who": "nobody", "hash": ""}
    tamper(chain, f"UPDATE audit SET who = 'nobody', hash = '{AuditRow(**values).computed_hash()}' WHERE generation = 3")
    with pytest.raises(AuditError, match="row 4 does not follow row 3"):
        chain.verify_chain("fraud")


@pytest.mark.parametrize("gone", [1, 3, ROWS])
def test_a_removed_row_is_found(chain, gone):
    tamper(chain, f"DELETE FROM audit WHERE generation = {gone}")
    with pytest.raises(AuditError, match=f"row {gone} is missing" if gone < ROWS else "the last rows were removed"):
        chain.verify_chain("fraud")


@pytest.mark.parametrize("kept", [4, 1, 0])
def test_a_cut_end_is_found_even_when_the_deployment_was_set_back_with_it(chain, kept):
    state = chain.history("fraud")[kept - 1].after if kept else Deployment("fraud")
    chosen = {"generation": str(kept), "since": str(state.since)}
    for role in ("champion", "previous"):
        for part in ("version", "digest", "uri"):
            chosen[f"{role}_{part}"] = f"'{getattr(getattr(state, role), part)}'" if getattr(state, role) else "NULL"
    changes = ", ".join(f"{name} = {value}" for name, value in chosen.items())
    tamper(chain, f"DELETE FROM audit WHERE generation > {kept}", f"UPDATE deployments SET {changes}")
    with pytest.raises(AuditError, match=f"has {kept} rows, but its head outside the database names row {ROWS}"):
        chain.verify_chain("fraud")


def test_rows_that_changed_places_are_found(chain):
    tamper(
        chain,
        "UPDATE audit SET generation = 99 WHERE generation = 2",
        "UPDATE audit SET generation = 2 WHERE generation = 3",
        "UPDATE audit SET generation = 3 WHERE generation = 99",
    )
    with pytest.raises(AuditError, match="row 2 was edited"):
        chain.verify_chain("fraud")


def test_a_row_put_in_between_is_found(chain):
    tamper(
        chain,
        *[f"UPDATE audit SET generation = {place + 1} WHERE generation = {place}" for place in range(ROWS, 2, -1)],
        forged(3, of=2),
    )
    with pytest.raises(AuditError, match="row 3 was edited"):
        chain.verify_chain("fraud")


def test_a_row_put_at_the_end_is_found(chain):
    tamper(
        chain,
        forged(6, of=5),
    )
    with pytest.raises(AuditError, match="row 6 was edited"):
        chain.verify_chain("fraud")


def test_a_deployment_changed_beside_the_chain_is_found(chain):
    tamper(chain, "UPDATE deployments SET champion_uri = '/somewhere/else'")
    with pytest.raises(AuditError, match="changed beside the chain"):
        chain.verify_chain("fraud")


def test_a_whole_chain_written_anew_is_found_by_its_head(chain, settings, model):
    tamper(chain, "DELETE FROM audit", "DELETE FROM deployments")
    for number in range(ROWS):
        chain.promote("fraud", model(number), generation=number, who="forger", why="better")
    with pytest.raises(AuditError, match=f"row {ROWS} is not the one that its head outside names"):
        chain.verify_chain("fraud")


def test_work_goes_on_after_a_cut_but_the_evidence_stays(chain, model):
    """A rollback must not fail because the past was tampered with; but no later row may cover the traces either."""
    tamper(chain, "DELETE FROM audit WHERE generation = 5", "UPDATE deployments SET generation = 4, since = 4")
    for number in range(4, 8):
        chain.promote("fraud", model(number + 100), generation=number, who="run", why="better")
        with pytest.raises(AuditError):
            chain.verify_chain("fraud")


def test_a_head_that_a_crash_left_behind_is_no_tampering_and_is_brought_up(chain, settings, model):
    path = settings.audit_heads() / "fraud.json"
    row = chain.history("fraud")[3]
    path.write_text(json.dumps({"deployment": "fraud", "generation": 4, "hash": row.hash}))
    report = chain.verify_chain("fraud")
    assert (report.head, report.behind) == ("behind", 1)
    chain.repair_head("fraud")
    assert chain.verify_chain("fraud").head == "confirmed"


def test_an_absent_head_is_reported(chain, settings):
    (settings.audit_heads() / "fraud.json").unlink()
    assert chain.verify_chain("fraud").head == "absent"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"deployment": "other", "generation": 5, "hash": ""}', "\udcff"])
def test_a_head_that_was_overwritten_is_reported(chain, settings, content):
    (settings.audit_heads() / "fraud.json").write_text(content, errors="surrogateescape")
    with pytest.raises(AuditError, match="head"):
        chain.verify_chain("fraud")


def rows_of(length: int) -> list[AuditRow]:
    rows, previous = [], GENESIS
    for number in range(1, length + 1):
        state = Deployment("d", generation=number).as_json()
        row = AuditRow("d", number, "t", "w", "promote", "y", "{}", "", str(number), state, previous)
        row = AuditRow(**{name: getattr(row, name) for name in AuditRow.__slots__} | {"hash": row.computed_hash()})
        rows.append(row)
        previous = row.hash
    return rows


@given(length=st.integers(2, 12), seed=st.integers(0, 2**32))
def test_any_other_order_or_subset_of_the_rows_is_refused(length, seed):
    rows, chance = rows_of(length), random.Random(seed)
    head = Head("d", length, rows[-1].hash)
    assert verify_rows(Deployment("d", generation=length), rows, head).head == "confirmed"
    changed = chance.sample(rows, chance.randint(0, length)) if chance.random() < 0.5 else [*rows, chance.choice(rows)]
    if changed != rows:
        with pytest.raises(AuditError):
            verify_rows(Deployment("d", generation=len(changed)), changed, head)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_canonical_json_has_one_spelling_and_loses_nothing(value):
    spelt = canonical_json(value)
    assert json.loads(spelt) == value
    assert canonical_json(json.loads(spelt)) == spelt
    assert spelt.isascii()
