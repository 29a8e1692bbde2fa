"""Versions that were registered, so that a step that needs one does not load MLflow's client to ask for it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "versions",
        sa.Column("deployment", sa.String(100), primary_key=True),
        sa.Column("version", sa.String(255), primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
