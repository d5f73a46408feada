"""Stores full of customers: each has a profile, a phone, the WhatsApp of the same number, and the trait of it.

Like `benchmarks.world`, everything follows from a customer's number. Profiles come in the order of their ids, as in
life; their phone numbers come in no order, so that every page of an index holds people of all times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from benchmarks.world import World, phone

MOST = 10_000_000
"""Customers of one store: as many as `phone` has numbers."""
_STRIDE = 7_654_321  # has no factor in common with MOST: no two customers get the same number


@dataclass(frozen=True)
class Customer:
    """One of them, numbered from 1."""

    number: int

    @property
    def line(self) -> int:
        """What `phone` makes the phone number of."""
        return self.number * _STRIDE % MOST

    @property
    def phone(self) -> str:
        """In E.164."""
        return phone(self.line)

    @property
    def profile_id(self) -> str:
        """Of their profile in the world's store."""
        return f"mem_profile_{self.number:026d}"


def fill(world: World, count: int) -> None:
    """Write this many customers into the world's store, and let the server learn what is there."""

    async def write(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        for statement in _STATEMENTS:
            await connection.execute(_CUSTOMERS + statement, world.account_id, world.store_id, count)
        await connection.execute("vacuum (analyze)")
        await connection.execute("checkpoint")

    world.ask(write)


def count_of(world: World, tables: Sequence[str]) -> list[int]:
    """How many rows each of these tables has."""
    counts = ", ".join(f"(select count(*) from {table})" for table in tables)
    row = world.ask(lambda connection: connection.fetchrow(f"select {counts}"))
    assert row is not None
    return list(row)


# Somebody new every second, the last one now.
_CUSTOMERS = f"""
with customer as (
  select $1::text as account_id, $2::text as store_id, 'mem_profile_' || lpad(n::text, 26, '0') as profile_id,
         '+1555' || lpad((n * {_STRIDE} % {MOST})::text, 7, '0') as phone,
         now() - make_interval(secs => $3::bigint - n) as moment
  from generate_series(1::bigint, $3::bigint) n
)
"""
_STATEMENTS = (
    """
    insert into profiles (account_id, store_id, id, created_at)
    select account_id, store_id, profile_id, moment from customer
    """,
    """
    insert into profile_identifiers (account_id, store_id, id_type, value, profile_id, is_unique, created_at)
    select account_id, store_id, id_type, prefix || phone, profile_id, true, moment
    from customer, (values ('phone', ''), ('whatsapp', 'whatsapp:')) as known (id_type, prefix)
    """,
    """
    insert into profile_traits (account_id, store_id, profile_id, trait_group, name, value, updated_at)
    select account_id, store_id, profile_id, 'Contact', 'phone', to_jsonb(phone), moment from customer
    """,
)
