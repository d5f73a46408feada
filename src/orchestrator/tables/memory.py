"""Memory stores: profiles, the identifiers that recognise them, and their traits."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text, text

from orchestrator.tables.base import Json, Key, Moment, account_id, metadata

memory_stores = Table(
    "memory_stores",
    metadata,
    account_id(),
    Column("id", Key, primary_key=True),
    Column("display_name", Key, nullable=False),
    Column("description", Key),
    Column("status", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    CheckConstraint("status in ('QUEUED', 'PROVISIONING', 'ACTIVE', 'FAILED')", name="status"),
    Index(
        "memory_stores_name_key",
        "account_id",
        "display_name",
        unique=True,
        postgresql_where=text("deleted_at is null"),
    ),
)

profiles = Table(
    "profiles",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("merged_into", Key, comment="the canonical profile, once this one was merged away"),
    Column("created_at", Moment, nullable=False),
    Index(
        "profiles_merged_idx",
        "account_id",
        "merged_into",
        postgresql_where=text("merged_into is not null"),
    ),
)

profile_identifiers = Table(
    "profile_identifiers",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("id_type", Key, primary_key=True),
    Column("value", Key, primary_key=True, comment="normalised"),
    Column("profile_id", Key, primary_key=True),
    Column("is_unique", Boolean, nullable=False, comment="the value belongs to one profile only"),
    Column("created_at", Moment, nullable=False),
    Index(
        "profile_identifiers_unique_key",
        "account_id",
        "store_id",
        "id_type",
        "value",
        unique=True,
        postgresql_where=text("is_unique"),
    ),
    # Without the store on purpose: an index that led with (account, store) would look right to a planner that has no
    # statistics yet, and then every look-up by value reads the whole store (14 times slower when measured).
    Index("profile_identifiers_profile_idx", "account_id", "profile_id"),
)

profile_traits = Table(
    "profile_traits",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("profile_id", Key, primary_key=True),
    Column("trait_group", Key, primary_key=True),
    Column("name", Key, primary_key=True),
    Column("value", Json, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

identity_settings = Table(
    "identity_settings",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("settings", Json, nullable=False, comment="in the API's JSON form; a store without a row has the defaults"),
    Column("version", Integer, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

trait_groups = Table(
    "trait_groups",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("name", Key, primary_key=True),
    Column("description", Text),
    Column("traits", Json, nullable=False, comment="definitions by trait name, in the API's JSON form"),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

observations = Table(
    "observations",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("profile_id", Key, nullable=False),
    Column("content", Text, nullable=False),
    Column("source", Key, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("conversation_ids", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("observations_profile_idx", "account_id", "profile_id", "created_at", "id"),
)

observation_revisions = Table(
    "observation_revisions",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("observation_id", Key, primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 1; the newest is what the observation says now"),
    Column("content", Text, nullable=False),
    Column("source", Key, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("conversation_ids", Json, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

conversation_summaries = Table(
    "conversation_summaries",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("profile_id", Key, nullable=False),
    Column("conversation_id", Key, nullable=False),
    Column("content", Text, nullable=False),
    Column("source", Key),
    Column("occurred_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("conversation_summaries_profile_idx", "account_id", "profile_id", "created_at", "id"),
)

profile_merges = Table(
    "profile_merges",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("number", BigInteger, nullable=False, comment="from 1 in each store; merges happen one after another"),
    Column("survivor_id", Key, nullable=False),
    Column("merged_id", Key, nullable=False),
    Column("status", Key, nullable=False),
    Column(
        "reason", Json, nullable=False, comment="what was asked for, and the identifiers that made two profiles one"
    ),
    Column("before", Json, nullable=False, comment="both states before it, to be put back by an undo"),
    Column("conflicts", Json, comment="what an undo could not put back, because it had changed since"),
    Column("merged_at", Moment, nullable=False),
    Column("undone_at", Moment),
    CheckConstraint("status in ('MERGED', 'UNDONE', 'SPLIT')", name="status"),
    Index("profile_merges_number_key", "account_id", "store_id", "number", unique=True),
    Index("profile_merges_survivor_idx", "account_id", "survivor_id"),
    Index("profile_merges_merged_idx", "account_id", "merged_id"),
)

profile_imports = Table(
    "profile_imports",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("status", Key, nullable=False),
    Column("filename", Text, nullable=False),
    Column("file_size", BigInteger, nullable=False, comment="in bytes, as announced"),
    Column("column_mappings", Json, nullable=False, comment="in the API's JSON form"),
    Column("upload_token_hash", LargeBinary, nullable=False, comment="of the secret in the upload URL"),
    Column("upload_expires_at", Moment, nullable=False),
    Column("uploaded_at", Moment, comment="since when the file is here whole"),
    Column("rows_done", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_failed", BigInteger, nullable=False, server_default=text("0")),
    Column("errors", Json, nullable=False, server_default=text("'[]'"), comment="the first of them"),
    Column("warnings", Json, nullable=False, server_default=text("'[]'"), comment="the first of them"),
    Column("warning_count", BigInteger, nullable=False, server_default=text("0")),
    Column(
        "next_attempt_at",
        Moment,
        comment="when it may be claimed; while it is claimed or being uploaded, when that lapses",
    ),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    CheckConstraint("status in ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED')", name="status"),
    Index("profile_imports_token_idx", "upload_token_hash"),
    Index("profile_imports_due_idx", "next_attempt_at", postgresql_where=text("next_attempt_at is not null")),
)

profile_import_chunks = Table(
    "profile_import_chunks",
    metadata,
    account_id(),
    Column("store_id", Key, primary_key=True),
    Column("import_id", Key, primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 0, in the order of the file"),
    Column("content", LargeBinary, nullable=False),
)
