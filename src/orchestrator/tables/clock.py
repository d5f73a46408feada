"""The clock of a service in dev mode, which can be turned; one row at most, for all accounts and processes."""

from sqlalchemy import Boolean, CheckConstraint, Column, Interval, Table, text

from orchestrator.tables.base import Moment, metadata

clock = Table(
    "clock",
    metadata,
    Column("is_the_clock", Boolean, primary_key=True, server_default=text("true")),
    Column("ahead", Interval, nullable=False, comment="of the system's clock, while it runs"),
    Column("stands_at", Moment, comment="null while it runs"),
    CheckConstraint("is_the_clock", name="clock_is_one"),
)
