"""a clock that can be turned, accounts that are strict with writes"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "clock",
        sa.Column("is_the_clock", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("ahead", sa.Interval(), nullable=False, comment="of the system's clock, while it runs"),
        sa.Column("stands_at", sa.DateTime(timezone=True), nullable=True, comment="null while it runs"),
        sa.CheckConstraint("is_the_clock", name=op.f("clock_is_one")),
        sa.PrimaryKeyConstraint("is_the_clock", name=op.f("clock_pkey")),
    )
    op.add_column(
        "accounts",
        sa.Column("strict_put", sa.Boolean(), nullable=True, comment="null: as the setting of the service says"),
    )
