"""merges of profiles, imports, diagnostics, extraction jobs; keys that wait for another conversation"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "diagnostics",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False, comment="Twilio's: 530001, 530003, 530004"),
        sa.Column("level", sa.Text(collation="C"), nullable=False),
        sa.Column("resource_id", sa.Text(collation="C"), nullable=True, comment="the provider's id of the message"),
        sa.Column("conversation_id", sa.Text(collation="C"), nullable=True),
        sa.Column("details", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("diagnostics_pkey")),
    )
    op.create_index("diagnostics_code_idx", "diagnostics", ["account_id", "code", "id"], unique=False)
    op.create_index("diagnostics_conversation_idx", "diagnostics", ["account_id", "conversation_id"], unique=False)
    op.create_index("diagnostics_occurred_idx", "diagnostics", ["occurred_at"], unique=False)
    op.create_table(
        "extraction_jobs",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("conversation_id", sa.Text(collation="C"), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="number of the event of the state change"),
        sa.Column("state", sa.Text(collation="C"), nullable=False, comment="the state that was entered"),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column(
            "result",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="what a COMPLETED one wrote, in the API's JSON form",
        ),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it may be claimed; while claimed, when the claim lapses",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of the state change: it covers what was received until then",
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('INACTIVE', 'CLOSED')", name=op.f("extraction_jobs_state_check")),
        sa.CheckConstraint("status in ('PENDING', 'COMPLETED', 'FAILED')", name=op.f("extraction_jobs_status_check")),
        sa.PrimaryKeyConstraint("account_id", "conversation_id", "sequence", name=op.f("extraction_jobs_pkey")),
    )
    op.create_index(
        "extraction_jobs_due_idx",
        "extraction_jobs",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_table(
        "profile_import_chunks",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("store_id", sa.Text(collation="C"), nullable=False),
        sa.Column("import_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="from 0, in the order of the file"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "store_id", "import_id", "number", name=op.f("profile_import_chunks_pkey")
        ),
    )
    op.create_table(
        "profile_imports",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("store_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False, comment="in bytes, as announced"),
        sa.Column(
            "column_mappings",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="in the API's JSON form",
        ),
        sa.Column("upload_token_hash", sa.LargeBinary(), nullable=False, comment="of the secret in the upload URL"),
        sa.Column("upload_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "uploaded_at", sa.DateTime(timezone=True), nullable=True, comment="since when the file is here whole"
        ),
        sa.Column("rows_done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "errors",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="the first of them",
        ),
        sa.Column(
            "warnings",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="the first of them",
        ),
        sa.Column("warning_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it may be claimed; while it is claimed or being uploaded, when that lapses",
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED')", name=op.f("profile_imports_status_check")
        ),
        sa.PrimaryKeyConstraint("account_id", "store_id", "id", name=op.f("profile_imports_pkey")),
    )
    op.create_index(
        "profile_imports_due_idx",
        "profile_imports",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("next_attempt_at is not null"),
    )
    op.create_index("profile_imports_token_idx", "profile_imports", ["upload_token_hash"], unique=False)
    op.create_table(
        "profile_merges",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("store_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "number", sa.BigInteger(), nullable=False, comment="from 1 in each store; merges happen one after another"
        ),
        sa.Column("survivor_id", sa.Text(collation="C"), nullable=False),
        sa.Column("merged_id", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "reason",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="what was asked for, and the identifiers that made two profiles one",
        ),
        sa.Column(
            "before",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="both states before it, to be put back by an undo",
        ),
        sa.Column(
            "conflicts",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="what an undo could not put back, because it had changed since",
        ),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('MERGED', 'UNDONE', 'SPLIT')", name=op.f("profile_merges_status_check")),
        sa.PrimaryKeyConstraint("account_id", "store_id", "id", name=op.f("profile_merges_pkey")),
    )
    op.create_index("profile_merges_merged_idx", "profile_merges", ["account_id", "merged_id"], unique=False)
    op.create_index("profile_merges_number_key", "profile_merges", ["account_id", "store_id", "number"], unique=True)
    op.create_index("profile_merges_survivor_idx", "profile_merges", ["account_id", "survivor_id"], unique=False)
    op.create_table(
        "waiting_keys",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("configuration_id", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "key",
            sa.Text(collation="C"),
            nullable=False,
            comment="another open conversation came before, when two profiles became one",
        ),
        sa.Column(
            "conversation_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="an open one that would hold it otherwise",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "configuration_id", "key", "conversation_id", name=op.f("waiting_keys_pkey")
        ),
    )
    op.create_index("waiting_keys_conversation_idx", "waiting_keys", ["account_id", "conversation_id"], unique=False)
    op.create_index(
        "profiles_merged_idx",
        "profiles",
        ["account_id", "merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into is not null"),
    )
