"""`/v2/Conversations/{ConversationId}/Participants`: who takes part."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from orchestrator.conversations import membership
from orchestrator.conversations.lookup import ParentOfPath
from orchestrator.kernel.http import ApiRoute, InList, InUnit, Json, Links
from orchestrator.kernel.openapi import errors, list_query
from orchestrator.participants import service
from orchestrator.participants.schemas import (
    CreateParticipantInConversationRequest,
    ParticipantPage,
    ParticipantResource,
    UpdateParticipantInConversationRequest,
    to_introduction,
    to_wire,
)

router = APIRouter(
    prefix="/v2/Conversations/{ConversationId}/Participants", tags=["ConversationsV2Participant"], route_class=ApiRoute
)

Id = Annotated[str, Path(alias="id")]


@router.get(
    "",
    summary="List a conversation's participants, oldest first",
    operation_id="ListParticipantByConversation",
    response_model=ParticipantPage,
    responses=errors(400, 404),
    openapi_extra=list_query(),
)
async def list_participants(conversation: ParentOfPath, unit: InUnit, query: InList) -> Response:
    page = await service.list_page(unit, conversation.account_id, conversation.id, query.page())
    return Json(page.envelope("participants", [to_wire(participant) for participant in page.items]))


@router.post(
    "",
    summary="Add a participant to a conversation",
    operation_id="CreateParticipantInConversation",
    status_code=201,
    response_model=ParticipantResource,
    responses=errors(400, 404, 409, 415),
)
async def create(
    conversation: ParentOfPath,
    request: CreateParticipantInConversationRequest,
    unit: InUnit,
    links: Links,
) -> Response:
    introduction = to_introduction(request, request.addresses, "")
    joined = await membership.add(unit, conversation, introduction, linking=links)
    return Json(to_wire(joined), status_code=201)


@router.get(
    "/{id}",
    summary="Fetch a participant",
    operation_id="FetchParticipant",
    response_model=ParticipantResource,
    responses=errors(404),
)
async def fetch(conversation: ParentOfPath, participant_id: Id) -> Response:
    return Json(to_wire(membership.participant_of(conversation, participant_id)))


async def member_of_path(conversation: ParentOfPath, participant_id: Id) -> str:
    """The id of a participant who is there: an unknown one is told before a wrong body."""
    return membership.participant_of(conversation, participant_id).id


@router.put(
    "/{id}",
    summary="Replace a participant: what is left out goes back to its default, but addresses stay",
    operation_id="UpdateParticipantInConversation",
    response_model=ParticipantResource,
    responses=errors(400, 404, 409, 415),
)
async def update(
    conversation: ParentOfPath,
    participant_id: Annotated[str, Depends(member_of_path)],
    request: UpdateParticipantInConversationRequest,
    unit: InUnit,
    links: Links,
) -> Response:
    revised = await membership.revise(
        unit,
        conversation,
        participant_id,
        to_introduction(request, request.addresses or (), ""),
        keep_addresses=request.addresses is None,
        linking=links,
    )
    return Json(to_wire(revised))
