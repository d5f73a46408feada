"""`/orchestrator/v1/Search`: conversations, communications and uncaptured traffic by a number or by text."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Response

from orchestrator.communications import service as communications
from orchestrator.communications.schemas import to_wire as said_to_wire
from orchestrator.configurations import service as configurations
from orchestrator.conversations import service as conversations
from orchestrator.conversations.schemas import to_wire as conversation_to_wire
from orchestrator.domain.explaining import sentences
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, query_parameter
from orchestrator.kernel.paging import ListQuery
from orchestrator.kernel.unit import Unit
from orchestrator.search.looking import Budget, newest_ids, uncaptured_of
from orchestrator.search.schemas import SearchResult
from orchestrator.search.terms import Terms

router = APIRouter(prefix="/orchestrator/v1/Search", tags=["Orchestrator"], route_class=ApiRoute)

SECONDS = 2.0
"""How long a search goes on."""
LONGEST = 300
"""Characters."""
_MOST = 100
_SHOWN = 200

_QUERY = [
    {
        "name": "q",
        "in": "query",
        "required": True,
        "description": "A number in any written form, another address, or text.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST},
    },
    query_parameter("pageSize", "Most of each kind.", type="integer", minimum=1, maximum=_MOST, default=20),
]


@router.get(
    "",
    summary="Search by number or text",
    description="Looks through the newest conversations, communications and uncaptured traffic, for two seconds at "
    "most. An id is no text: each resource is fetched by its own.",
    operation_id="Search",
    response_model=SearchResult,
    responses=errors(400),
    openapi_extra={"parameters": _QUERY},
)
async def search(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    terms, limit = _terms(query), _limit(query)
    budget = Budget.of(SECONDS)
    in_, uncaptured, said = [
        await newest_ids(unit, account_id, kind, terms, limit=limit, budget=budget)
        for kind in ("conversations", "uncaptured", "communications")
    ]
    return Json(
        {
            "query": terms.text,
            "addresses": list(terms.addresses),
            "conversations": await _conversations(unit, account_id, in_),
            "communications": [said_to_wire(one) for one in await communications.find_all(unit, account_id, said)],
            "uncaptured": [_uncaptured(row) for row in await uncaptured_of(unit, account_id, uncaptured)],
            "isComplete": not budget.is_spent,
        }
    )


def _terms(query: ListQuery) -> Terms:
    text = query.one("q") or ""
    if not text.strip() or len(text) > LONGEST or "\x00" in text:
        raise BadRequest(
            f"q must be text of 1 to {LONGEST} characters, without U+0000",
            params={"field": "q", "value": text[:_SHOWN].replace("\x00", "\ufffd")},
        )
    return Terms(text.strip())


def _limit(query: ListQuery) -> int:
    return query.page(max_size=_MOST).size if query.one("pageSize") else 20


async def _conversations(unit: Unit, account_id: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """As the API lists them."""
    found = list((await conversations.find_all(unit, [(account_id, one) for one in ids])).values())
    bodies = await configurations.bodies_of(unit, {one.pinned for one in found if one.pinned is not None})
    found.sort(key=lambda one: one.id, reverse=True)
    return [conversation_to_wire(one, bodies[one.pinned] if one.pinned else one.own_body or {}) for one in found]


def _uncaptured(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "resourceId": row["resource_id"],
        "receivedAt": rest_time(row["received_at"]),
        "trace": row["trace"],
        "sentences": sentences(row["trace"]),
    }
