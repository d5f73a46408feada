"""Messages that were asked for in the form of Twilio's Messages API."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, text

from orchestrator.tables.base import Json, Key, Moment, account_id, metadata

messages = Table(
    "messages",
    metadata,
    account_id(),
    Column("sid", Key, primary_key=True, comment="the provider's, once it has given one"),
    Column("sender", Key, nullable=False),
    Column("recipient", Key, nullable=False),
    Column("body", Text),
    Column("content", Json, nullable=False, comment="media, template and its variables"),
    Column("settings", Json, nullable=False, comment="the other form fields"),
    Column("by_provider", Boolean, nullable=False, comment="somebody else sends it and tells its status callback"),
    Column("status", Key, nullable=False),
    Column("error_code", Integer),
    Column("error_message", Text),
    Column("told", Integer, nullable=False, server_default=text("0"), comment="statuses the callback is done with"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="at telling the next one"),
    Column("handed_over_at", Moment, comment="since when the provider may have it; null once it has answered"),
    Column("next_attempt_at", Moment, comment="when it may be claimed; while claimed, when the claim lapses"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("captured_at", Moment),
    Index("messages_due_idx", "next_attempt_at", postgresql_where=text("next_attempt_at is not null")),
    Index("messages_created_idx", "account_id", "created_at", "sid"),
)
