"""The outbox: every event, one delivery per event and status callback, its attempts, and the health of endpoints."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Float, Index, Integer, Table, Text, text

from orchestrator.tables.base import Json, Key, Moment, account_id, metadata

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
    Column(
        "forgiven", Integer, nullable=False, server_default=text("0"), comment="attempts before the last redelivery"
    ),
    Column("redeliveries", Integer, nullable=False, server_default=text("0")),
    Column("holds_order", Boolean, nullable=False, comment="later events of the conversation wait for it"),
    Column("next_attempt_at", Moment, comment="when it may be claimed; while claimed, when the claim lapses"),
    Column("claimed", Boolean, nullable=False, server_default=text("false"), comment="somebody sends it, or died"),
    Column("last_status", Integer, comment="HTTP status of the last attempt"),
    Column("last_error", Text),
    Column("created_at", Moment, nullable=False),
    Column("settled_at", Moment),
    CheckConstraint("status in ('PENDING', 'DELIVERED', 'DEAD')", name="status"),
    Index("deliveries_conversation_idx", "account_id", "conversation_id", "sequence"),
    Index(
        "deliveries_endpoint_idx", "account_id", "url", "next_attempt_at", postgresql_where=text("status = 'PENDING'")
    ),
    Index("deliveries_dead_idx", "account_id", "settled_at", postgresql_where=text("status = 'DEAD'")),
    Index("deliveries_settled_idx", "settled_at", postgresql_where=text("status <> 'PENDING'")),
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

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    account_id(),
    Column("conversation_id", Key, primary_key=True),
    Column("delivery_id", Key, primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 1, over all redeliveries"),
    Column("started_at", Moment, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("status", Integer, comment="HTTP status; null without an answer"),
    Column("error", Text),
    Column("response", Json, comment="reason, some headers, the beginning of the body"),
    Index("delivery_attempts_started_idx", "started_at", postgresql_using="brin"),
)

callback_endpoints = Table(
    "callback_endpoints",
    metadata,
    account_id(),
    Column("url", Key, primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment, nullable=False, comment="to the day"),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="attempts since the last success"),
    Column("first_failure_at", Moment, comment="of those"),
    Column("last_failure_at", Moment),
    Column("last_error", Text),
    Column("pauses", Integer, nullable=False, server_default=text("0"), comment="since the last success"),
    Column("paused_at", Moment, comment="when the first of those began"),
    Column("paused_until", Moment, comment="null unless it is paused; then one delivery is tried"),
    Column("probing", Boolean, nullable=False, server_default=text("false"), comment="that one is being tried"),
    Index("callback_endpoints_paused_idx", "paused_until", postgresql_where=text("paused_until is not null")),
)
