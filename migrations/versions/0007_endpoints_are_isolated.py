"""deliveries by endpoint, their attempts, the health of endpoints, redelivery"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "callback_endpoints",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("url", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False, comment="to the day"),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="attempts since the last success",
        ),
        sa.Column("first_failure_at", sa.DateTime(timezone=True), nullable=True, comment="of those"),
        sa.Column("last_failure_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column(
            "pauses", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="since the last success"
        ),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True, comment="when the first of those began"),
        sa.Column(
            "paused_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null unless it is paused; then one delivery is tried",
        ),
        sa.Column(
            "probing", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="that one is being tried"
        ),
        sa.PrimaryKeyConstraint("account_id", "url", name=op.f("callback_endpoints_pkey")),
    )
    op.create_index(
        "callback_endpoints_paused_idx",
        "callback_endpoints",
        ["paused_until"],
        unique=False,
        postgresql_where=sa.text("paused_until is not null"),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("conversation_id", sa.Text(collation="C"), nullable=False),
        sa.Column("delivery_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="from 1, over all redeliveries"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Float(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True, comment="HTTP status; null without an answer"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "response",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="reason, some headers, the beginning of the body",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "conversation_id", "delivery_id", "number", name=op.f("delivery_attempts_pkey")
        ),
    )
    op.create_index(
        "delivery_attempts_started_idx", "delivery_attempts", ["started_at"], unique=False, postgresql_using="brin"
    )
    op.add_column(
        "deliveries",
        sa.Column(
            "forgiven",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="attempts before the last redelivery",
        ),
    )
    op.add_column("deliveries", sa.Column("redeliveries", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "deliveries",
        sa.Column(
            "claimed",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="somebody sends it, or died",
        ),
    )
    op.drop_index(op.f("deliveries_due_idx"), table_name="deliveries", postgresql_where="(status = 'PENDING'::text)")
    op.create_index(
        "deliveries_dead_idx",
        "deliveries",
        ["account_id", "settled_at"],
        unique=False,
        postgresql_where=sa.text("status = 'DEAD'"),
    )
    op.create_index(
        "deliveries_endpoint_idx",
        "deliveries",
        ["account_id", "url", "next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_index(
        "deliveries_settled_idx",
        "deliveries",
        ["settled_at"],
        unique=False,
        postgresql_where=sa.text("status <> 'PENDING'"),
    )
