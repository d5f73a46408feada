"""the conversations of a configuration, newest first"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index(
        "conversations_configuration_idx", "conversations", ["account_id", "configuration_id", "id"], unique=False
    )
