"""Whose turn it is in a store: whoever recognises somebody shares it, whoever merges, splits or deletes has it alone.

Traffic finds the profile of an address, and then takes the grouping key of that profile. Were profiles merged in
between, the key would be that of somebody who is no longer there, and a second conversation would open. So between the
two, nobody may merge. The lock is PostgreSQL's (advisory, until the transaction ends, first come, first served): no row
is written for it, and those who share it do not wait for each other.

It comes before identifiers, profiles, grouping keys and conversations, in this order.
"""

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from asyncpg.exceptions import DeadlockDetectedError

from orchestrator.kernel.errors import Unavailable
from orchestrator.kernel.unit import Unit

if TYPE_CHECKING:  # deleting a store takes a turn too
    from orchestrator.memory.stores import Store

_ATTEMPTS = 3

Result = TypeVar("Result")


class MergeNeeded(Exception):
    """Profiles are to be merged, and the turn is only shared."""


async def share(unit: Unit, stores: Collection[tuple[str, str]]) -> None:
    """Wait until nobody merges or deletes in these stores, each by account and id; from then on nobody may."""
    await unit.driver.execute(
        """
        select pg_advisory_xact_lock_shared(hashtextextended(name, 0)) from unnest($1::text[]) as name
        """,
        sorted({_name(*store) for store in stores}),
    )


async def have_alone(unit: Unit, store: "Store") -> None:
    """Wait until nobody recognises anybody in the store; from then on nobody does until the unit ends."""
    await unit.driver.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))", _name(store.account_id, store.id)
    )


async def take(unit: Unit, store: "Store", change: Callable[[bool], Awaitable[Result]]) -> Result:
    """Make a change that may turn out to need a merge. It is told whether it may merge; if not, it raises MergeNeeded.

    Then everything it did is taken back, its locks too, and it is made again with the store for itself: whoever kept
    sharing it while waiting to have it alone would wait for everybody who does the same. Raises Unavailable.
    """
    with suppress(MergeNeeded):
        async with unit.trying():
            await share(unit, [(store.account_id, store.id)])
            return await change(False)
    for _ in range(_ATTEMPTS):
        # Several merges lock the conversations that follow one after another, others all at once and in order.
        with suppress(DeadlockDetectedError):
            async with unit.trying():
                await have_alone(unit, store)
                return await change(True)
    raise Unavailable("these profiles are being changed by others; send the request again")


def _name(account_id: str, store_id: str) -> str:
    return f"store {account_id} {store_id}"
