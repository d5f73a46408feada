"""`/v2/Conversations/{id}/Participants`: who takes part."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from orchestrator.conversations import service as conversations
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, list_query
from orchestrator.participants import service
from orchestrator.participants.schemas import ParticipantPage, ParticipantResource, to_wire

router = APIRouter(
    prefix="/v2/Conversations/{conversation_id}/Participants", tags=["Participants"], route_class=ApiRoute
)

ConversationId = Annotated[str, Path(description="The conversation's id.")]


@router.get(
    "",
    summary="List a conversation's participants, oldest first",
    operation_id="ListParticipant",
    response_model=ParticipantPage,
    responses=errors(400, 404),
    openapi_extra=list_query(),
)
async def list_participants(
    conversation_id: ConversationId, account_id: AccountId, unit: InUnit, query: InList
) -> Response:
    await conversations.require(unit, account_id, conversation_id)
    page = await service.list_page(unit, account_id, conversation_id, query.page())
    return Json(page.envelope("participants", [to_wire(participant) for participant in page.items]))


@router.get(
    "/{participant_id}",
    summary="Fetch a participant",
    operation_id="FetchParticipant",
    response_model=ParticipantResource,
    responses=errors(404),
)
async def fetch(
    conversation_id: ConversationId,
    participant_id: Annotated[str, Path(description="The participant's id.")],
    account_id: AccountId,
    unit: InUnit,
) -> Response:
    return Json(to_wire(await service.find(unit, account_id, conversation_id, participant_id)))
