"""What a configuration has been: its versions, what each changed, and how many open conversations keep it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from orchestrator.configurations import store
from orchestrator.configurations.differences import between
from orchestrator.configurations.model import Configuration
from orchestrator.domain.differences import Change
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.paging import Page, PageRequest
from orchestrator.kernel.unit import Unit

LARGEST = 2**31 - 1
"""What a version's number can be at most."""


@dataclass(frozen=True, slots=True)
class PastVersion:
    """One version, past or current."""

    number: int
    body: Mapping[str, Any]
    """The settings in the API's JSON form."""
    changes: list[Change]
    """Against the version before; none in the first."""
    open_conversations: int
    """How many conversations that are not closed began under it."""
    created_at: datetime


async def page(unit: Unit, configuration: Configuration, request: PageRequest) -> Page[PastVersion]:
    """One page of the versions, newest first."""
    rows = await store.page_of_versions(unit, configuration.account_id, configuration.id, request)
    counts = await open_by_version(unit, configuration)
    return Page([_version(row, counts) for row in rows.items], rows.next_token, rows.previous_token)


async def find(unit: Unit, configuration: Configuration, number: int) -> PastVersion:
    """The version of this number. Raises NotFound."""
    row = None
    if 0 < number <= LARGEST:
        row = await store.find_version(unit, configuration.account_id, configuration.id, number)
    if row is None:
        raise NotFound(f"configuration {configuration.id} has no version {number}")
    return _version(row, await open_by_version(unit, configuration))


async def open_by_version(unit: Unit, configuration: Configuration) -> dict[int, int]:
    """How many conversations that are not closed keep each version; those that none keeps are left out."""
    return await store.count_open(unit, configuration.account_id, configuration.id)


def _version(row: Row[Any], counts: Mapping[int, int]) -> PastVersion:
    steps = [] if row.previous is None else between(row.previous, row.settings)
    return PastVersion(row.version, row.settings, steps, counts.get(row.version, 0), row.created_at)
