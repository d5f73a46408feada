"""messages that are asked for as with Twilio's Messages API"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    key, moment = sa.Text(collation="C"), sa.DateTime(timezone=True)
    json = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.create_table(
        "messages",
        sa.Column("account_id", key, nullable=False),
        sa.Column("sid", key, nullable=False, comment="the provider's, once it has given one"),
        sa.Column("sender", key, nullable=False),
        sa.Column("recipient", key, nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("content", json, nullable=False, comment="media, template and its variables"),
        sa.Column("settings", json, nullable=False, comment="the other form fields"),
        sa.Column(
            "by_provider",
            sa.Boolean(),
            nullable=False,
            comment="somebody else sends it and tells its status callback",
        ),
        sa.Column("status", key, nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column(
            "told",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="statuses the callback is done with",
        ),
        sa.Column(
            "attempts", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="at telling the next one"
        ),
        sa.Column(
            "handed_over_at",
            moment,
            nullable=True,
            comment="since when the provider may have it; null once it has answered",
        ),
        sa.Column(
            "next_attempt_at",
            moment,
            nullable=True,
            comment="when it may be claimed; while claimed, when the claim lapses",
        ),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("sent_at", moment, nullable=True),
        sa.Column("captured_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("account_id", "sid", name=op.f("messages_pkey")),
    )
    op.create_index(
        "messages_due_idx",
        "messages",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("next_attempt_at is not null"),
    )
    op.create_index("messages_created_idx", "messages", ["account_id", "created_at", "sid"], unique=False)
