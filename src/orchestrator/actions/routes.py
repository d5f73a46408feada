"""`/v2/Conversations/{ConversationId}/Actions`: have a message sent, and see what became of it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from orchestrator.actions import service
from orchestrator.actions.schemas import ActionResource, CreateConversationActionRequest, to_wire
from orchestrator.conversations.lookup import ParentOfPath
from orchestrator.kernel.http import ApiRoute, InUnit, Json
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.openapi import errors

router = APIRouter(
    prefix="/v2/Conversations/{ConversationId}/Actions", tags=["ConversationsV2Action"], route_class=ApiRoute
)


async def chosen_sid(request: Request) -> str | None:
    """A SID for a message, where nobody outside gives it one."""
    return new_sid("SM") if request.app.state.settings.sender == "loopback" else None


async def wake_actions(request: Request) -> Callable[[], None]:
    """Tells the performing loop of this process, if there is one, that there is something to do."""
    wake: Callable[[], None] = request.app.state.wake_actions
    return wake


@router.post(
    "",
    summary="Send a message",
    operation_id="CreateConversationAction",
    status_code=202,
    response_model=ActionResource,
    response_description="Accepted: the action is PENDING; fetch it to see what became of it.",
    responses=errors(400, 404, 415),
)
async def create(
    conversation: ParentOfPath,
    request: CreateConversationActionRequest,
    unit: InUnit,
    sid: Annotated[str | None, Depends(chosen_sid)],
    wake: Annotated[Callable[[], None], Depends(wake_actions)],
) -> Response:
    action = await service.create(unit, conversation, request.payload, sid=sid, wake=wake)
    return Json(to_wire(action), status_code=202)


@router.get(
    "/{ActionId}",
    summary="Fetch an action",
    operation_id="FetchConversationAction",
    response_model=ActionResource,
    responses=errors(404),
)
async def fetch(
    conversation: ParentOfPath, action_id: Annotated[str, Path(alias="ActionId")], unit: InUnit
) -> Response:
    return Json(to_wire(await service.find(unit, conversation.account_id, conversation.id, action_id)))
