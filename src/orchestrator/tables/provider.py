"""Provider traffic: which messages were seen, what was not captured, and the calls that transcripts refer to."""

from sqlalchemy import Column, Index, Table

from orchestrator.tables.base import Json, Key, Moment, account_id, metadata

receipts = Table(
    "receipts",
    metadata,
    account_id(),
    Column("resource_id", Key, primary_key=True, comment="the provider's id; the second one is the same message"),
    Column("received_at", Moment, nullable=False),
    Index("receipts_received_idx", "received_at"),
)

uncaptured = Table(
    "uncaptured",
    metadata,
    account_id(),
    Column("id", Key, primary_key=True),
    Column("resource_id", Key),
    Column("trace", Json, nullable=False, comment="why it landed nowhere"),
    Column("received_at", Moment, nullable=False),
    Index("uncaptured_resource_idx", "account_id", "resource_id"),
    Index("uncaptured_received_idx", "received_at"),
)

calls = Table(
    "calls",
    metadata,
    account_id(),
    Column("sid", Key, primary_key=True),
    Column("sender", Key, nullable=False),
    Column("recipient", Key, nullable=False),
    Column("direction", Key),
    Column("configuration_id", Key, comment="named by the call's TwiML"),
    Column("conversation_id", Key, comment="named by the call's TwiML"),
    Column("updated_at", Moment, nullable=False),
    Index("calls_updated_idx", "updated_at"),
)
