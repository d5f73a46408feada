"""Provider traffic: which messages were seen, what was not captured, and the calls that transcripts refer to."""

from sqlalchemy import Boolean, Column, Index, Table, true

from orchestrator.tables.base import Json, Key, Moment, account_id, metadata

receipts = Table(
    "receipts",
    metadata,
    account_id(),
    Column("resource_id", Key, primary_key=True, comment="the provider's id; the second one is the same message"),
    Column("received_at", Moment, nullable=False),
    Column("is_seen", Boolean, nullable=False, server_default=true(), comment="false: it was only reported of"),
    Column("early_status", Key, comment="how far it had got before it was seen"),
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
    Column("sender", Key, comment="null until a webhook tells the two ends"),
    Column("recipient", Key),
    Column("direction", Key),
    Column("configuration_id", Key, comment="named by the call's TwiML"),
    Column("conversation_id", Key, comment="named by the call's TwiML"),
    Column("attached_to", Key, comment="which of these it was last attached by"),
    Column("updated_at", Moment, nullable=False),
    Index("calls_updated_idx", "updated_at"),
)
