"""Actions: what callers ask to be done in a conversation, and how far it got."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, text

from orchestrator.tables.base import Json, Key, Moment, account_id, metadata

actions = Table(
    "actions",
    metadata,
    account_id(),
    Column("id", Key, primary_key=True),
    Column("conversation_id", Key, nullable=False),
    Column("type", Key, nullable=False),
    Column("status", Key, nullable=False),
    Column("message", Json, nullable=False, comment="what is to be sent, with every address resolved"),
    Column("related", Json, nullable=False, comment="ids of what came of it"),
    Column("failure_reason", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", Moment, comment="when it may be claimed; while claimed, when the claim lapses"),
    Column("handed_over_at", Moment, comment="since when the sender may have it; from then on nothing is sent twice"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("completed_at", Moment),
    CheckConstraint("status in ('PENDING', 'COMPLETED', 'FAILED')", name="status"),
    Index("actions_due_idx", "next_attempt_at", postgresql_where=text("status = 'PENDING'")),
    Index("actions_conversation_idx", "account_id", "conversation_id", "status", "id"),
)
