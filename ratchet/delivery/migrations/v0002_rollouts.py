"""Rollouts: which one is under way, what was seen at each look, and until when it may go on."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column and the tables."""
    op.add_column("deployments", sa.Column("begun", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "looks",
        sa.Column("deployment", sa.String(100), primary_key=True),
        sa.Column("begun", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("run_id", sa.String(255), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("percent", sa.Integer, nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("deployment", sa.String(100), primary_key=True),
        sa.Column("begun", sa.Integer, nullable=False),
        sa.Column("until", sa.String(40), nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
    )
