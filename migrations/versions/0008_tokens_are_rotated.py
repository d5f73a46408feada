"""auth tokens are rotated: for a while the previous one is valid too"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column(
            "previous_auth_token",
            sa.LargeBinary(),
            nullable=True,
            comment="encrypted; the one before the last rotation",
        ),
    )
    op.add_column(
        "accounts",
        sa.Column(
            "previous_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="before then the previous token is valid too; stays when it is over",
        ),
    )
