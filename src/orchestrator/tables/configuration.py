"""Configurations, their versions, and the operations that changed them."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table

from orchestrator.tables.base import Json, Key, Moment, account_id, metadata

configurations = Table(
    "configurations",
    metadata,
    account_id(),
    Column("id", Key, primary_key=True),
    Column("version", Integer, nullable=False, comment="the current one"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment),
)

configuration_versions = Table(
    "configuration_versions",
    metadata,
    account_id(),
    Column("configuration_id", Key, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("settings", Json, nullable=False, comment="in the API's JSON form; never edited"),
    Column("created_at", Moment, nullable=False),
)

operations = Table(
    "operations",
    metadata,
    account_id(),
    Column("id", Key, primary_key=True),
    Column("status", Key, nullable=False),
    Column("related", Json),
    Column("result", Json),
    Column("error", Json),
    Column("created_at", Moment, nullable=False),
    Column("completed_at", Moment),
    CheckConstraint("status in ('PENDING', 'COMPLETED', 'FAILED')", name="status"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    account_id(),
    Column("method", Key, primary_key=True),
    Column("path", Key, primary_key=True),
    Column("key", Key, primary_key=True, comment="the client's, in lower case"),
    Column("digest", LargeBinary, nullable=False, comment="of the request's body"),
    Column("operation_id", Key, comment="what the first request was answered with"),
    Column("created_at", Moment, nullable=False),
    Index("idempotency_keys_created_idx", "created_at"),
)
