"""the position of each event in the log of its account"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "event_positions",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            comment="of the account's last event; locked by who writes the next",
        ),
        sa.Column(
            "reaped_to",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="events up to it are gone",
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("event_positions_pkey")),
    )
    op.add_column(
        "events",
        sa.Column("position", sa.BigInteger(), nullable=True, comment="in the account's log; in the order of commits"),
    )
    # What was written before there was a log: in the order of its time, which is the best that is known of it.
    op.execute(
        """
        update events e set position = numbered.position
        from (
          select account_id, conversation_id, sequence,
                 row_number() over (partition by account_id order by occurred_at, conversation_id, sequence) as position
          from events
        ) as numbered
        where (e.account_id, e.conversation_id, e.sequence)
            = (numbered.account_id, numbered.conversation_id, numbered.sequence)
        """
    )
    op.execute(
        "insert into event_positions (account_id, position) select account_id, max(position) from events group by 1"
    )
    op.alter_column("events", "position", nullable=False)
    op.create_index("events_position_key", "events", ["account_id", "position"], unique=True)
    op.create_index("events_occurred_idx", "events", ["occurred_at"], unique=False, postgresql_using="brin")
