"""delivery reports that come before their messages, calls that say where they belong before their ends are known"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column(
        "receipts",
        sa.Column(
            "is_seen",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="false: it was only reported of",
        ),
    )
    op.add_column(
        "receipts",
        sa.Column(
            "early_status", sa.Text(collation="C"), nullable=True, comment="how far it had got before it was seen"
        ),
    )
    op.add_column(
        "calls",
        sa.Column(
            "attached_to", sa.Text(collation="C"), nullable=True, comment="which of these it was last attached by"
        ),
    )
    op.alter_column(
        "calls",
        "sender",
        existing_type=sa.TEXT(collation="C"),
        nullable=True,
        comment="null until a webhook tells the two ends",
    )
    op.alter_column("calls", "recipient", existing_type=sa.TEXT(collation="C"), nullable=True)
