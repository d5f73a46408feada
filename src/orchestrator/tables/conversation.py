"""Conversations, the grouping keys they hold, their participants and communications."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, Text, text

from orchestrator.tables.base import Json, Key, Moment, account_id, metadata

conversations = Table(
    "conversations",
    metadata,
    account_id(),
    Column("id", Key, primary_key=True),
    Column("configuration_id", Key, comment="null when its settings were given with it"),
    Column("configuration_version", Integer),
    Column("settings", Json, comment="its own, whole and in the API's JSON form; null = those of the version"),
    Column("status", Key, nullable=False),
    Column("name", Key),
    Column("metadata", Json, nullable=False, server_default=text("'{}'")),
    Column("status_callbacks", Json, comment="overrides the configuration's; null = those"),
    Column("channel_activity", Json, nullable=False, comment="per channel, when its last communication was received"),
    Column("next_transition_at", Moment, comment="no later than the next timed step; the sweep looks then"),
    Column("event_sequence", BigInteger, nullable=False, comment="number of the last event; gapless"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    CheckConstraint("status in ('ACTIVE', 'INACTIVE', 'CLOSED')", name="status"),
    CheckConstraint("configuration_version is not null or settings is not null", name="settings"),
    Index("conversations_due_idx", "next_transition_at", postgresql_where=text("status <> 'CLOSED'")),
    Index(
        "conversations_open_of_configuration_idx",
        "account_id",
        "configuration_id",
        postgresql_where=text("status <> 'CLOSED'"),
    ),
    Index("conversations_configuration_idx", "account_id", "configuration_id", "id"),
    # Room on each page: traffic then updates the row in place (HOT), without touching an index.
    postgresql_with={"fillfactor": 80},
)

conversation_keys = Table(
    "conversation_keys",
    metadata,
    account_id(),
    Column("configuration_id", Key, primary_key=True, comment="the scope; empty for settings of their own"),
    Column("key", Key, primary_key=True, comment="held while the conversation is ACTIVE or INACTIVE"),
    Column("conversation_id", Key, nullable=False),
    Index("conversation_keys_conversation_idx", "account_id", "conversation_id"),
)

waiting_keys = Table(
    "waiting_keys",
    metadata,
    account_id(),
    Column("configuration_id", Key, primary_key=True),
    Column("key", Key, primary_key=True, comment="another open conversation came before, when two profiles became one"),
    Column("conversation_id", Key, primary_key=True, comment="an open one that would hold it otherwise"),
    Index("waiting_keys_conversation_idx", "account_id", "conversation_id"),
)

participants = Table(
    "participants",
    metadata,
    account_id(),
    Column("conversation_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("name", Key, nullable=False),
    Column("type", Key, nullable=False),
    Column("profile_id", Key),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    CheckConstraint("type in ('CUSTOMER', 'HUMAN_AGENT', 'AI_AGENT', 'AGENT', 'UNKNOWN')", name="type"),
    Index("participants_profile_idx", "account_id", "profile_id", postgresql_where=text("profile_id is not null")),
)

participant_addresses = Table(
    "participant_addresses",
    metadata,
    account_id(),
    Column("conversation_id", Key, primary_key=True),
    Column("channel", Key, primary_key=True),
    Column("canonical", Key, primary_key=True, comment="one participant of a conversation owns an address"),
    Column("participant_id", Key, nullable=False),
    Column("address", Key, nullable=False, comment="as received"),
    Column("channel_id", Key),
    Column("added_at", Moment, nullable=False),
    Index(
        "participant_addresses_channel_id_idx",
        "account_id",
        "channel_id",
        postgresql_where=text("channel_id is not null"),
    ),
)

communications = Table(
    "communications",
    metadata,
    account_id(),
    Column("id", Key, primary_key=True),
    Column("conversation_id", Key, nullable=False),
    Column("resource_id", Key),
    Column("channel_id", Key),
    Column("author", Json, nullable=False),
    Column("recipients", Json, nullable=False),
    Column("content", Json, nullable=False),
    Column("trace", Json, comment="why it landed here"),
    Column("occurred_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("communications_order_idx", "account_id", "conversation_id", "occurred_at", "id"),
    # Also finds a message by its provider's id alone, for delivery reports and the channelId filter.
    Index("communications_resource_key", "account_id", "resource_id", "conversation_id", unique=True),
    Index(
        "communications_channel_idx",
        "account_id",
        "channel_id",
        postgresql_where=text("channel_id is distinct from resource_id"),
    ),
)

diagnostics = Table(
    "diagnostics",
    metadata,
    account_id(),
    Column("id", Key, primary_key=True),
    Column("code", Integer, nullable=False, comment="Twilio's: 530001, 530003, 530004"),
    Column("level", Key, nullable=False),
    Column("resource_id", Key, comment="the provider's id of the message"),
    Column("conversation_id", Key),
    Column("details", Json, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Index("diagnostics_code_idx", "account_id", "code", "id"),
    Index("diagnostics_conversation_idx", "account_id", "conversation_id"),
    Index("diagnostics_occurred_idx", "occurred_at"),
)

extraction_jobs = Table(
    "extraction_jobs",
    metadata,
    account_id(),
    Column("conversation_id", Key, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, comment="number of the event of the state change"),
    Column("state", Key, nullable=False, comment="the state that was entered"),
    Column("status", Key, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("failure_reason", Text),
    Column("result", Json, comment="what a COMPLETED one wrote, in the API's JSON form"),
    Column("next_attempt_at", Moment, comment="when it may be claimed; while claimed, when the claim lapses"),
    Column("created_at", Moment, nullable=False, comment="of the state change: it covers what was received until then"),
    Column("completed_at", Moment),
    CheckConstraint("state in ('INACTIVE', 'CLOSED')", name="state"),
    CheckConstraint("status in ('PENDING', 'COMPLETED', 'FAILED')", name="status"),
    Index("extraction_jobs_due_idx", "next_attempt_at", postgresql_where=text("status = 'PENDING'")),
)
