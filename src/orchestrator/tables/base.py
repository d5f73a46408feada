"""Column kinds shared by all tables."""

from sqlalchemy import Column, DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

# Byte order in every database, whatever its locale: ids must sort by time, and comparing bytes is the fastest.
Key = Text(collation="C")
Moment = DateTime(timezone=True)
Json = JSONB(none_as_null=True)


def account_id() -> Column[str]:
    """The tenant; part of every primary key, and the distribution column should the tables ever be sharded."""
    return Column("account_id", Key, primary_key=True)
