"""The account's own numbers and senders: they tell which side of a message is ours (contract: README.md)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert

from orchestrator.domain.addresses import Channel, InvalidAddress, parse
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.fields import refused
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.tables.account import numbers

# A number is one address for calls, messages and WhatsApp, so it has no channel: it is read as any phone channel reads
# it, and only e-mail addresses would be read differently.
_ANY_CHANNEL = Channel.SMS


@dataclass(frozen=True, slots=True)
class Number:
    """An address of ours."""

    account_id: str
    address: str
    """As it was registered."""
    canonical: str
    """The form in which it is compared; the key."""
    label: str | None
    created_at: datetime


async def register(unit: Unit, account_id: str, *, address: str, label: str | None) -> Number:
    """Register an address; one that is there already is updated. Raises BadRequest for what cannot be an address."""
    try:
        canonical = parse(_ANY_CHANNEL, address).canonical
    except InvalidAddress as error:
        raise refused("/address", str(error), address) from error
    statement = (
        insert(numbers)
        .values(account_id=account_id, canonical=canonical, address=address, label=label, created_at=unit.now)
        .on_conflict_do_update(index_elements=["account_id", "canonical"], set_={"address": address, "label": label})
        .returning(numbers)
    )
    return _number((await unit.connection.execute(statement)).one())


async def page(unit: Unit, account_id: str, request: PageRequest) -> Page[Number]:
    """One page of the account's numbers, in canonical order."""
    statement = select(numbers).where(numbers.c.account_id == account_id)
    rows = await fetch_page(unit, statement, request, order=[numbers.c.canonical], descending=False)
    return Page([_number(row) for row in rows.items], rows.next_token, rows.previous_token)


async def remove(unit: Unit, account_id: str, address: str) -> None:
    """Unregister an address, written in any form. Raises NotFound."""
    try:
        canonical = parse(_ANY_CHANNEL, address).canonical
    except InvalidAddress:
        canonical = ""  # which nothing is registered as
    statement = delete(numbers).where(numbers.c.account_id == account_id, numbers.c.canonical == canonical)
    if (await unit.connection.execute(statement)).rowcount == 0:
        raise NotFound(f"{address[:254]} is not one of the account's numbers")


async def owned(unit: Unit, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (account, canonical address) are registered, in one statement."""
    if not wanted:
        return set()
    rows = await unit.driver.fetch(
        """
        select account_id, canonical from numbers
        where (account_id, canonical) in (select * from unnest($1::text[], $2::text[]))
        """,
        [account_id for account_id, _ in wanted],
        [canonical for _, canonical in wanted],
    )
    return {(row["account_id"], row["canonical"]) for row in rows}


def _number(row: Row[Any]) -> Number:
    return Number(row.account_id, row.address, row.canonical, row.label, row.created_at)
