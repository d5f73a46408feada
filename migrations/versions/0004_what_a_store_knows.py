"""identity settings, trait groups, observations with their revisions, conversation summaries"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "conversation_summaries",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("store_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("profile_id", sa.Text(collation="C"), nullable=False),
        sa.Column("conversation_id", sa.Text(collation="C"), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "store_id", "id", name=op.f("conversation_summaries_pkey")),
    )
    op.create_index(
        "conversation_summaries_profile_idx",
        "conversation_summaries",
        ["account_id", "profile_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "identity_settings",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("store_id", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "settings",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="in the API's JSON form; a store without a row has the defaults",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "store_id", name=op.f("identity_settings_pkey")),
    )
    op.create_table(
        "observation_revisions",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("store_id", sa.Text(collation="C"), nullable=False),
        sa.Column("observation_id", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "number", sa.Integer(), nullable=False, comment="from 1; the newest is what the observation says now"
        ),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("conversation_ids", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "store_id", "observation_id", "number", name=op.f("observation_revisions_pkey")
        ),
    )
    op.create_table(
        "observations",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("store_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("profile_id", sa.Text(collation="C"), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("conversation_ids", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "store_id", "id", name=op.f("observations_pkey")),
    )
    op.create_index(
        "observations_profile_idx", "observations", ["account_id", "profile_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "trait_groups",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("store_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "traits",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="definitions by trait name, in the API's JSON form",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "store_id", "name", name=op.f("trait_groups_pkey")),
    )
