"""Accounts, their API keys and their own numbers."""

from sqlalchemy import Boolean, Column, Index, LargeBinary, Table

from orchestrator.tables.base import Key, Moment, account_id, metadata

accounts = Table(
    "accounts",
    metadata,
    account_id(),
    Column("name", Key, nullable=False),
    Column("auth_token", LargeBinary, nullable=False, comment="encrypted"),
    Column("previous_auth_token", LargeBinary, comment="encrypted; the one before the last rotation"),
    Column("previous_until", Moment, comment="before then the previous token is valid too; stays when it is over"),
    Column("strict_put", Boolean, comment="null: as the setting of the service says"),
    Column("created_at", Moment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    account_id(),
    Column("sid", Key, primary_key=True),
    Column("name", Key, nullable=False),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    # A key arrives without its account; SIDs are random, so this index is not unique by declaration.
    Index("api_keys_sid_idx", "sid"),
)

numbers = Table(
    "numbers",
    metadata,
    account_id(),
    Column("canonical", Key, primary_key=True),
    Column("address", Key, nullable=False),
    Column("label", Key),
    Column("created_at", Moment, nullable=False),
)
