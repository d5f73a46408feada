"""`/v2/Conversations`: look at conversations, rename them, close them."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from orchestrator.configurations import service as configurations
from orchestrator.conversations import filters, service
from orchestrator.conversations.changes import Change, Keep, change
from orchestrator.conversations.model import Conversation
from orchestrator.conversations.schemas import (
    ConversationPage,
    ConversationResource,
    PatchConversationRequest,
    UpdateConversationRequest,
    to_wire,
)
from orchestrator.domain.configuration import StatusCallback
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.http import AccountId, AdmitsInsecure, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, list_query, query_parameter
from orchestrator.kernel.unit import Unit

router = APIRouter(prefix="/v2/Conversations", tags=["Conversations"], route_class=ApiRoute)

Id = Annotated[str, Path(description="The conversation's id.")]

_STATUS = query_parameter(
    "status",
    "Only conversations in these states; repeated or comma-separated.",
    type="array",
    items={"type": "string", "enum": list(Status)},
)
_CHANNEL_ID = query_parameter(
    "channelId", "Only conversations that a call or message is part of (its SID).", type="string"
)


@router.get(
    "",
    summary="List conversations, newest first",
    operation_id="ListConversation",
    response_model=ConversationPage,
    responses=errors(400),
    openapi_extra=list_query(_STATUS, _CHANNEL_ID),
)
async def list_conversations(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    page = query.page(status=query.several("status"), channelId=query.one("channelId"))
    filters.check_status(page)
    filters.check_channel_id(page)
    found = await service.list_page(unit, account_id, page)
    return Json(found.envelope("conversations", await _on_wire(unit, found.items)))


@router.get(
    "/{conversation_id}",
    summary="Fetch a conversation",
    operation_id="FetchConversation",
    response_model=ConversationResource,
    responses=errors(404),
)
async def fetch(conversation_id: Id, account_id: AccountId, unit: InUnit) -> Response:
    (body,) = await _on_wire(unit, [await service.find(unit, account_id, conversation_id)])
    return Json(body)


@router.put(
    "/{conversation_id}",
    summary="Replace a conversation: what is left out is cleared",
    operation_id="UpdateConversation",
    response_model=ConversationResource,
    responses=errors(400, 404, 415),
)
async def update(
    conversation_id: Id, request: UpdateConversationRequest, account_id: AccountId, unit: InUnit
) -> Response:
    wish = Change(request.status, request.name, metadata=request.metadata or {})
    (body,) = await _on_wire(unit, [await change(unit, account_id, conversation_id, wish)])
    return Json(body)


@router.patch(
    "/{conversation_id}",
    summary="Change a conversation: what is left out stays",
    operation_id="PatchConversation",
    response_model=ConversationResource,
    responses=errors(400, 404, 415),
)
async def patch(
    conversation_id: Id,
    request: PatchConversationRequest,
    account_id: AccountId,
    unit: InUnit,
    allow_insecure: AdmitsInsecure,
) -> Response:
    wish = _wish(request)
    if request.configuration is not None:
        configurations.check_callbacks(
            request.configuration.status_callbacks or (),
            allow_insecure=allow_insecure,
            pointer="/configuration/statusCallbacks",
        )
    (body,) = await _on_wire(unit, [await change(unit, account_id, conversation_id, wish)])
    return Json(body)


def _wish(request: PatchConversationRequest) -> Change:
    """What a PATCH wants: only what it names."""
    callbacks: tuple[StatusCallback, ...] | Keep | None = Keep.KEEP
    if request.configuration is not None and "status_callbacks" in request.configuration.model_fields_set:
        given = request.configuration.status_callbacks
        callbacks = None if given is None else tuple(StatusCallback(one.url, one.method) for one in given)
    return Change(
        status=request.status,
        name=request.name if "name" in request.model_fields_set else Keep.KEEP,
        merged=request.metadata or {},
        callbacks=callbacks,
    )


async def _on_wire(unit: Unit, found: Any) -> list[dict[str, Any]]:
    conversations: list[Conversation] = list(found)
    bodies = await configurations.bodies_of(unit, {one.pinned for one in conversations})
    return [to_wire(one, bodies[one.pinned]) for one in conversations]
