"""The ledger's tables. What they mean is said where they are used; how they came to be is in `migrations`.

An audit row is also the record of its operation: one row a transition, its number the generation that the transition made. So a
deployment, its history and its operations cannot drift apart.
"""

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

deployments = Table(
    "deployments",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("since", Integer, nullable=False),
    Column("phase", String(20), nullable=False),
    Column("percent", Integer, nullable=False),
    Column("champion_version", Text),
    Column("champion_digest", Text),
    Column("champion_uri", Text),
    Column("previous_version", Text),
    Column("previous_digest", Text),
    Column("previous_uri", Text),
    Column("challenger_version", Text),
    Column("challenger_digest", Text),
    Column("challenger_uri", Text),
    Column("projected", Integer, nullable=False),  # generation that the registry's aliases show
    Column("begun", Integer, nullable=False, server_default="0"),
)

audit = Table(
    "audit",
    metadata,
    Column("deployment", String(100), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(40), nullable=False),
    Column("why", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("run_id", String(255), nullable=False),
    Column("operation", String(64), nullable=False),
    Column("state", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("operation", name="audit_operation"),
    Index("audit_run", "run_id"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("run_id", String(255), primary_key=True),
    Column("step", String(100), primary_key=True),
    Column("deployment", String(100), nullable=False),
    Column("verdict", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Index("verdicts_deployment", "deployment"),
)

looks = Table(
    "looks",
    metadata,
    Column("deployment", String(100), primary_key=True),
    Column("begun", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("run_id", String(255), nullable=False),
    Column("phase", String(20), nullable=False),
    Column("percent", Integer, nullable=False),
    Column("verdict", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),
)

leases = Table(  # renewed all the time and no change of what is deployed, so no part of the chain
    "leases",
    metadata,
    Column("deployment", String(100), primary_key=True),
    Column("begun", Integer, nullable=False),
    Column("until", String(40), nullable=False),
    Column("holder", String(255), nullable=False),
)

versions = Table(  # as `register` left them in MLflow; a version never changes, so a note of it cannot be outdated
    "versions",
    metadata,
    Column("deployment", String(100), primary_key=True),
    Column("version", String(255), primary_key=True),
    Column("digest", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("at", String(40), nullable=False),
)
