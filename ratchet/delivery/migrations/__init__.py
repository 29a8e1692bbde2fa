"""The ledger's schema, step by step, as Alembic revisions. A revision that was released is never edited; the next change is a new one."""
