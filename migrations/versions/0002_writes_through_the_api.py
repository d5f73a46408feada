"""actions, idempotency keys, calls that name where they belong, conversations with settings of their own"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("conversation_id", sa.Text(collation="C"), nullable=False),
        sa.Column("type", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "message",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="what is to be sent, with every address resolved",
        ),
        sa.Column(
            "related",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="ids of what came of it",
        ),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it may be claimed; while claimed, when the claim lapses",
        ),
        sa.Column(
            "handed_over_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when the sender may have it; from then on nothing is sent twice",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('PENDING', 'COMPLETED', 'FAILED')", name=op.f("actions_status_check")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("actions_pkey")),
    )
    op.create_index(
        "actions_conversation_idx", "actions", ["account_id", "conversation_id", "status", "id"], unique=False
    )
    op.create_index(
        "actions_due_idx", "actions", ["next_attempt_at"], unique=False, postgresql_where=sa.text("status = 'PENDING'")
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("method", sa.Text(collation="C"), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False, comment="the client's, in lower case"),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="of the request's body"),
        sa.Column(
            "operation_id", sa.Text(collation="C"), nullable=True, comment="what the first request was answered with"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "method", "path", "key", name=op.f("idempotency_keys_pkey")),
    )
    op.create_index("idempotency_keys_created_idx", "idempotency_keys", ["created_at"], unique=False)
    op.add_column(
        "calls",
        sa.Column("configuration_id", sa.Text(collation="C"), nullable=True, comment="named by the call's TwiML"),
    )
    op.add_column(
        "calls",
        sa.Column("conversation_id", sa.Text(collation="C"), nullable=True, comment="named by the call's TwiML"),
    )
    op.alter_column(
        "conversation_keys",
        "configuration_id",
        existing_type=sa.TEXT(collation="C"),
        comment="the scope; empty for settings of their own",
        existing_nullable=False,
    )
    op.add_column(
        "conversations",
        sa.Column(
            "settings",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="its own, whole and in the API's JSON form; null = those of the version",
        ),
    )
    op.alter_column(
        "conversations",
        "configuration_id",
        existing_type=sa.TEXT(collation="C"),
        nullable=True,
        comment="null when its settings were given with it",
    )
    op.alter_column("conversations", "configuration_version", existing_type=sa.INTEGER(), nullable=True)
    op.create_index(
        "deliveries_conversation_idx", "deliveries", ["account_id", "conversation_id", "sequence"], unique=False
    )
    op.create_check_constraint(
        op.f("conversations_settings_check"),
        "conversations",
        "configuration_version is not null or settings is not null",
    )
