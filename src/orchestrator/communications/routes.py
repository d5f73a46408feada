"""`/v2/Conversations/{id}/Communications`: what was said; and why it landed there."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from orchestrator.communications import service
from orchestrator.communications.schemas import CommunicationPage, CommunicationResource, TraceResource, to_wire
from orchestrator.conversations import filters
from orchestrator.conversations import service as conversations
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, list_query, query_parameter

router = APIRouter(tags=["Communications"], route_class=ApiRoute)

_PATH = "/v2/Conversations/{conversation_id}/Communications"
_CHANNEL_ID = query_parameter("channelId", "Only those of this call, chat or message (its SID).", type="string")

ConversationId = Annotated[str, Path(description="The conversation's id.")]
Id = Annotated[str, Path(description="The communication's id.")]


@router.get(
    _PATH,
    summary="List a conversation's communications, oldest first",
    operation_id="ListCommunication",
    response_model=CommunicationPage,
    responses=errors(400, 404),
    openapi_extra=list_query(_CHANNEL_ID),
)
async def list_communications(
    conversation_id: ConversationId, account_id: AccountId, unit: InUnit, query: InList
) -> Response:
    await conversations.require(unit, account_id, conversation_id)
    page = query.page(channelId=query.one("channelId"))
    filters.check_channel_id(page)
    found = await service.list_page(unit, account_id, conversation_id, page)
    return Json(found.envelope("communications", [to_wire(communication) for communication in found.items]))


@router.get(
    _PATH + "/{communication_id}",
    summary="Fetch a communication",
    operation_id="FetchCommunication",
    response_model=CommunicationResource,
    responses=errors(404),
)
async def fetch(conversation_id: ConversationId, communication_id: Id, account_id: AccountId, unit: InUnit) -> Response:
    return Json(to_wire(await service.find(unit, account_id, communication_id, in_conversation=conversation_id)))


@router.get(
    "/orchestrator/v1/Communications/{communication_id}/Trace",
    summary="Why a communication landed where it did",
    operation_id="FetchCommunicationTrace",
    response_model=TraceResource,
    responses=errors(404),
    tags=["Orchestrator"],
)
async def trace(communication_id: Id, account_id: AccountId, unit: InUnit) -> Response:
    communication = await service.find(unit, account_id, communication_id)
    return Json(
        {
            "communicationId": communication.id,
            "conversationId": communication.conversation_id,
            "trace": communication.trace,
        }
    )
