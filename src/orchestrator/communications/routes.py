"""`/v2/Conversations/{id}/Communications`: what was said; and why it landed there."""

from enum import Enum
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from orchestrator.communications import saying, service, tracing
from orchestrator.communications.model import Communication
from orchestrator.communications.requests import to_replacement, to_saying
from orchestrator.communications.schemas import (
    CommunicationPage,
    CommunicationResource,
    CreateCommunicationInConversationRequest,
    UpdateCommunicationInConversationRequest,
    to_wire,
)
from orchestrator.communications.trace_schemas import TraceResource
from orchestrator.conversations import filters
from orchestrator.conversations.lookup import ParentOfPath
from orchestrator.domain.explaining import sentences
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json, Links
from orchestrator.kernel.openapi import errors, list_query, query_parameter

router = APIRouter(route_class=ApiRoute)

_TAGS: list[str | Enum] = ["ConversationsV2Communication"]

_PATH = "/v2/Conversations/{ConversationId}/Communications"
_CHANNEL_ID = query_parameter("channelId", "Only those of this call, chat or message (its SID).", type="string")


async def communication_of_path(
    conversation: ParentOfPath, communication_id: Annotated[str, Path(alias="id")], unit: InUnit
) -> Communication:
    """The communication that the path names. A dependency, so that an unknown id is told before a wrong body."""
    return await service.find(unit, conversation.account_id, communication_id, in_conversation=conversation.id)


OfPath = Annotated[Communication, Depends(communication_of_path)]


@router.get(
    _PATH,
    summary="List a conversation's communications, oldest first",
    operation_id="ListCommunicationByConversation",
    tags=_TAGS,
    response_model=CommunicationPage,
    responses=errors(400, 404),
    openapi_extra=list_query(_CHANNEL_ID),
)
async def list_communications(conversation: ParentOfPath, unit: InUnit, query: InList) -> Response:
    page = query.page(channelId=query.one("channelId"))
    filters.check_channel_id(page)
    found = await service.list_page(unit, conversation.account_id, conversation.id, page)
    return Json(found.envelope("communications", [to_wire(communication) for communication in found.items]))


@router.post(
    _PATH,
    summary="Put a communication into a conversation",
    operation_id="CreateCommunicationInConversation",
    status_code=201,
    tags=_TAGS,
    response_model=CommunicationResource,
    responses={
        200: {"model": CommunicationResource, "description": "The one with this `resourceId`, updated."},
        **errors(400, 404, 415),
    },
)
async def create(
    conversation: ParentOfPath,
    request: CreateCommunicationInConversationRequest,
    unit: InUnit,
    links: Links,
) -> Response:
    said, is_new = await saying.say(unit, conversation.account_id, conversation.id, to_saying(request), linking=links)
    return Json(to_wire(said), status_code=201 if is_new else 200)


@router.get(
    _PATH + "/{id}",
    summary="Fetch a communication",
    operation_id="FetchCommunication",
    tags=_TAGS,
    response_model=CommunicationResource,
    responses=errors(404),
)
async def fetch(communication: OfPath) -> Response:
    return Json(to_wire(communication))


@router.put(
    _PATH + "/{id}",
    summary="Replace a communication: what is left out is deleted",
    description="An addition to Twilio's API. Author and `resourceId` are what a communication is, and never change.",
    operation_id="UpdateCommunicationInConversation",
    tags=_TAGS,
    response_model=CommunicationResource,
    responses=errors(400, 404, 415),
)
async def update(
    communication: OfPath,
    request: UpdateCommunicationInConversationRequest,
    unit: InUnit,
    links: Links,
) -> Response:
    wish = to_replacement(request, communication)
    return Json(to_wire(await saying.revise(unit, communication, wish, linking=links)))


@router.get(
    "/orchestrator/v1/Communications/{communication_id}/Trace",
    summary="Why a communication landed where it did",
    operation_id="FetchCommunicationTrace",
    response_model=TraceResource,
    responses=errors(404),
    tags=["Orchestrator"],
)
async def trace(communication_id: str, account_id: AccountId, unit: InUnit) -> Response:
    communication = await service.find(unit, account_id, communication_id)
    found = await tracing.trace_of(unit, communication)
    return Json(
        {
            "communicationId": communication.id,
            "conversationId": communication.conversation_id,
            "trace": found,
            "sentences": sentences(found or {}),
        }
    )
