"""The outbox: every event, and one delivery per event and status callback."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Table, Text, text

from orchestrator.tables.base import Key, Moment, account_id, metadata

events = Table(
    "events",
    metadata,
    account_id(),
    Column("conversation_id", Key, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, comment="gapless within the conversation"),
    Column("position", BigInteger, nullable=False, comment="in the account's log; in the order of commits"),
    Column("type", Key, nullable=False),
    Column("body", Text, nullable=False, comment="the bytes that are sent and signed, written once"),
    Column("occurred_at", Moment, nullable=False),
    Index("events_position_key", "account_id", "position", unique=True),
    Index("events_occurred_idx", "occurred_at", postgresql_using="brin"),
)

event_positions = Table(
    "event_positions",
    metadata,
    account_id(),
    Column(
        "position", BigInteger, nullable=False, comment="of the account's last event; locked by who writes the next"
    ),
    Column("reaped_to", BigInteger, nullable=False, server_default=text("0"), comment="events up to it are gone"),
)

deliveries = Table(
    "deliveries",
    metadata,
    account_id(),
    Column("id", Key, primary_key=True, comment="the idempotency token of all its attempts"),
    Column("conversation_id", Key, nullable=False),
    Column("sequence", BigInteger, nullable=False, comment="of the event"),
    Column("url", Key, nullable=False),
    Column("method", Key, nullable=False),
    Column("status", Key, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("holds_order", Boolean, nullable=False, comment="later events of the conversation wait for it"),
    Column("next_attempt_at", Moment, comment="when it may be claimed; while claimed, when the claim lapses"),
    Column("last_status", Integer, comment="HTTP status of the last attempt"),
    Column("last_error", Text),
    Column("created_at", Moment, nullable=False),
    Column("settled_at", Moment),
    CheckConstraint("status in ('PENDING', 'DELIVERED', 'DEAD')", name="status"),
    Index("deliveries_conversation_idx", "account_id", "conversation_id", "sequence"),
    Index("deliveries_due_idx", "next_attempt_at", postgresql_where=text("status = 'PENDING'")),
    Index(
        "deliveries_head_idx",
        "account_id",
        "conversation_id",
        "url",
        "method",
        "sequence",
        postgresql_where=text("status = 'PENDING' and holds_order"),
    ),
)
