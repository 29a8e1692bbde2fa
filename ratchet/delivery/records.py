"""How the ledger's values are read from and written to its tables; the only module that knows both."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ratchet.delivery.audit import GENESIS, AuditRow
from ratchet.delivery.deployment import Deployment, ModelRef
from ratchet.delivery.tables import audit, deployments, verdicts, versions
from ratchet.delivery.verdicts import Verdict

ROLES = ("champion", "previous", "challenger")
PARTS = tuple(field.name for field in fields(ModelRef))


def read_deployment(connection: Connection, name: str, *, lock: bool = False) -> Deployment:
    """Return a deployment; generation 0 for a name that is not there.

    Args:
        connection: Within a transaction.
        name: Name of the deployment.
        lock: Keep other writers of this deployment waiting until the transaction ends.
    """
    query = select(deployments).where(deployments.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    return _deployment(row) if row else Deployment(name)


def read_deployments(connection: Connection) -> list[Deployment]:
    """Return all deployments, by name."""
    query = select(deployments).where(deployments.c.generation > 0).order_by(deployments.c.name)
    return [_deployment(row) for row in connection.execute(query).mappings()]


def replace_deployment(connection: Connection, after: Deployment) -> bool:
    """Write a state over the one right before it; False when that one does not stand any more (compare-and-swap)."""
    values: dict[str, Any] = {name: getattr(after, name) for name in ("phase", "percent", "generation", "since", "begun")}
    for role in ROLES:
        model = getattr(after, role)
        values |= {f"{role}_{part}": getattr(model, part) if model else None for part in PARTS}
    standing = (deployments.c.name == after.name) & (deployments.c.generation == after.generation - 1)
    return connection.execute(update(deployments).where(standing).values(values)).rowcount == 1


def insert_once(connection: Connection, table: Table, values: dict[str, Any]) -> None:
    """Insert a row unless there is one with its key already."""
    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    connection.execute(insert.values(values).on_conflict_do_nothing())


def blank_deployment(name: str) -> dict[str, Any]:
    """Return the row that a deployment's first transition starts from."""
    return {"name": name, "generation": 0, "since": 0, "phase": "stable", "percent": 0, "projected": 0, "begun": 0}


def read_audit(connection: Connection, name: str, first: int = 1) -> list[AuditRow]:
    """Return the audit rows of a deployment from a generation on."""
    query = select(audit).where((audit.c.deployment == name) & (audit.c.generation >= first)).order_by(audit.c.generation)
    return [AuditRow(**row) for row in connection.execute(query).mappings()]


def audit_row(connection: Connection, **where: Any) -> AuditRow | None:
    """Return the latest audit row whose columns have these values."""
    query = select(audit).filter_by(**where).order_by(audit.c.generation.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return AuditRow(**row) if row else None


def last_hash(connection: Connection, name: str) -> str:
    """Return the hash that the next audit row must follow."""
    query = select(audit.c.hash).where(audit.c.deployment == name).order_by(audit.c.generation.desc()).limit(1)
    return connection.execute(query).scalar() or GENESIS


def write_audit(connection: Connection, row: AuditRow) -> None:
    """Append an audit row."""
    connection.execute(audit.insert().values(asdict(row)))


def read_verdicts(connection: Connection, **where: Any) -> Sequence[Verdict]:
    """Return verdicts whose columns have these values, in the order of their recording."""
    query = select(verdicts).filter_by(**where).order_by(verdicts.c.at, verdicts.c.step)
    return [Verdict(**row) for row in connection.execute(query).mappings()]


def read_version(connection: Connection, name: str, version: str) -> ModelRef | None:
    """Return a version that was noted as registered."""
    query = select(*(versions.c[part] for part in PARTS)).filter_by(deployment=name, version=version)
    row = connection.execute(query).mappings().first()
    return ModelRef(**row) if row else None


def read_projected(connection: Connection, name: str) -> int:
    """Return the generation that the registry's aliases were last made to show."""
    return connection.execute(select(deployments.c.projected).where(deployments.c.name == name)).scalar() or 0


def write_projected(connection: Connection, name: str, generation: int) -> None:
    """Note which generation the registry's aliases show; never an earlier one than noted."""
    standing = (deployments.c.name == name) & (deployments.c.projected < generation)
    connection.execute(update(deployments).where(standing).values(projected=generation))


def _deployment(row: RowMapping) -> Deployment:
    champion, previous, challenger = (
        ModelRef(*(row[f"{role}_{part}"] for part in PARTS)) if row[f"{role}_digest"] is not None else None for role in ROLES
    )
    numbers = {part: row[part] for part in ("phase", "percent", "generation", "since", "begun")}
    return Deployment(row["name"], champion, previous, challenger, **numbers)
