"""Deployments, their audit chain, and the verdicts of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "deployments",
        sa.Column("name", sa.String(100), primary_key=True),
        *[sa.Column(name, sa.Integer, nullable=False) for name in ("generation", "since")],
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("percent", sa.Integer, nullable=False),
        *[sa.Column(f"{role}_{part}", sa.Text) for role in ("champion", "previous", "challenger") for part in ("version", "digest", "uri")],
        sa.Column("projected", sa.Integer, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("deployment", sa.String(100), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(255), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("operation", name="audit_operation"),
    )
    op.create_index("audit_run", "audit", ["run_id"])
    op.create_table(
        "verdicts",
        sa.Column("run_id", sa.String(255), primary_key=True),
        sa.Column("step", sa.String(100), primary_key=True),
        sa.Column("deployment", sa.String(100), nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_index("verdicts_deployment", "verdicts", ["deployment"])
