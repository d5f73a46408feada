"""Jobs, to look at and to try again."""

import re

from orchestrator.extraction import store
from orchestrator.extraction.model import Job, JobStatus
from orchestrator.kernel.errors import BadRequest, NotFound
from orchestrator.kernel.ids import CONVERSATION, is_id
from orchestrator.kernel.paging import Page, PageRequest
from orchestrator.kernel.unit import Unit

_SEQUENCE = re.compile(r"[1-9][0-9]{0,17}")  # more digits are no bigint


async def list_page(unit: Unit, account_id: str, page: PageRequest) -> Page[Job]:
    """A page of the account's jobs, those of the newest conversations first. Raises BadRequest.

    Filters: `status` (any of), `conversationId`.
    """
    _check_filters(page)
    found = await store.list_page(unit, account_id, page)
    return Page([store.from_row(row._mapping) for row in found.items], found.next_token, found.previous_token)  # noqa: SLF001 - SQLAlchemy's public name


async def try_again(unit: Unit, account_id: str, conversation_id: str, sequence: str) -> Job:
    """Make a FAILED job PENDING again, with all its attempts. Raises NotFound, BadRequest."""
    if is_id(conversation_id, CONVERSATION) and _SEQUENCE.fullmatch(sequence):
        key = (account_id, conversation_id, int(sequence))
        if (job := await store.begin_again(unit, *key)) is not None:
            return job
        if (known := await store.find(unit, *key)) is not None:
            raise BadRequest(f"the extraction {known.key} is {known.status}; only a FAILED one is tried again")
    raise NotFound(f"there is no extraction {conversation_id}/{sequence}")


def _check_filters(page: PageRequest) -> None:
    """A page token brings its own, and is whatever the client sends, so all are checked alike."""
    statuses, conversation_id = page.filters.get("status") or [], page.filters.get("conversationId")
    unknown = [one for one in statuses if one not in [*JobStatus]] if isinstance(statuses, list) else [statuses]
    if unknown:
        known = ", ".join(JobStatus)
        raise BadRequest(
            f"status: {unknown[0]!r} is none of {known}", params={"field": "status", "value": str(unknown[0])[:200]}
        )
    if conversation_id is not None and (not isinstance(conversation_id, str) or "\x00" in conversation_id):
        raise BadRequest("conversationId: the id of a conversation is expected", params={"field": "conversationId"})
