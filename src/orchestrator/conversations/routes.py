"""`/v2/Conversations`: create conversations, look at them, change, close and delete them."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter, Response

from orchestrator.configurations import service as configurations
from orchestrator.configurations.model import Configuration
from orchestrator.configurations.schemas import StatusCallback as StatusCallbackRequest
from orchestrator.conversations import changes, creation, deletion, filters, own_settings, service
from orchestrator.conversations.changes import Change, Keep
from orchestrator.conversations.creation import Creation
from orchestrator.conversations.lookup import OfPath
from orchestrator.conversations.model import Conversation
from orchestrator.conversations.schemas import (
    ConversationPage,
    ConversationResource,
    CreateConversationWithConfigRequest,
    PatchConversationByIdRequest,
    UpdateConversationByIdRequest,
    to_wire,
)
from orchestrator.domain.configuration import StatusCallback
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.fields import refused
from orchestrator.kernel.http import (
    AccountId,
    AdmitsInsecure,
    ApiRoute,
    InList,
    InUnit,
    Json,
    Links,
)
from orchestrator.kernel.openapi import errors, list_query, query_choice, query_parameter
from orchestrator.kernel.unit import Unit
from orchestrator.operations.accepted import ACCEPTED
from orchestrator.operations.idempotency import AnswersOnce
from orchestrator.participants.schemas import to_introduction

router = APIRouter(prefix="/v2/Conversations", tags=["ConversationsV2Conversation"], route_class=ApiRoute)

_CALLBACKS = "/configuration/statusCallbacks"

_STATUS = query_choice("status", "Only conversations in these states; repeated or comma-separated.", Status)
_CHANNEL_ID = query_parameter(
    "channelId", "Only conversations that a call or message is part of (its SID).", type="string"
)
_CONFIGURATION_ID = query_parameter("configurationId", "Only conversations of this configuration.", type="string")
_PROFILE_ID = query_parameter(
    "profileId",
    "Only conversations with a participant of one of these profiles; repeated or comma-separated. A conversation that "
    "ended before a merge has the profile that was merged away.",
    type="array",
    items={"type": "string"},
)


@router.get(
    "",
    summary="List conversations, newest first",
    operation_id="ListConversationByAccount",
    response_model=ConversationPage,
    responses=errors(400),
    openapi_extra=list_query(_STATUS, _CHANNEL_ID, _CONFIGURATION_ID, _PROFILE_ID),
)
async def list_conversations(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    page = query.page(
        status=query.several("status"),
        channelId=query.one("channelId"),
        configurationId=query.one("configurationId"),
        profileId=query.several("profileId"),
    )
    filters.check_conversations(page)
    found = await service.list_page(unit, account_id, page)
    return Json(found.envelope("conversations", await _all_on_wire(unit, found.items)))


@router.post(
    "",
    summary="Create a conversation with its participants",
    operation_id="CreateConversationWithConfig",
    status_code=201,
    response_model=ConversationResource,
    responses=errors(400, 404, 409, 415),
)
async def create(
    request: CreateConversationWithConfigRequest,
    account_id: AccountId,
    unit: InUnit,
    allow_insecure: AdmitsInsecure,
    links: Links,
) -> Response:
    if request.configuration is not None:
        callbacks = request.configuration.status_callbacks or ()
        configurations.check_callbacks(callbacks, allow_insecure=allow_insecure, pointer=_CALLBACKS)
    wish = await _creation(unit, account_id, request)
    created = await creation.create(unit, wish, linking=links)
    return Json(await _on_wire(unit, created), status_code=201)


@router.get(
    "/{id}",
    summary="Fetch a conversation",
    operation_id="FetchConversation",
    response_model=ConversationResource,
    responses=errors(404),
)
async def fetch(conversation: OfPath, unit: InUnit) -> Response:
    return Json(await _on_wire(unit, conversation))


@router.put(
    "/{id}",
    summary="Replace a conversation: what is left out is cleared",
    operation_id="UpdateConversationById",
    response_model=ConversationResource,
    responses=errors(400, 404, 415),
)
async def update(conversation: OfPath, request: UpdateConversationByIdRequest, unit: InUnit) -> Response:
    wish = Change(request.status, request.name, metadata=request.metadata or {})
    return Json(await _on_wire(unit, await changes.change(unit, conversation.account_id, conversation.id, wish)))


@router.patch(
    "/{id}",
    summary="Change a conversation: what is left out stays",
    operation_id="PatchConversationById",
    response_model=ConversationResource,
    responses=errors(400, 404, 415),
)
async def patch(
    conversation: OfPath, request: PatchConversationByIdRequest, unit: InUnit, allow_insecure: AdmitsInsecure
) -> Response:
    if request.configuration is not None:
        callbacks = request.configuration.status_callbacks or ()
        configurations.check_callbacks(callbacks, allow_insecure=allow_insecure, pointer=_CALLBACKS)
    wish = _wish(request)
    return Json(await _on_wire(unit, await changes.change(unit, conversation.account_id, conversation.id, wish)))


@router.delete(
    "/{id}",
    summary="Delete a conversation and everything that belongs to it",
    operation_id="DeleteConversationAsync",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 404, 409)},
)
async def delete(answer: AnswersOnce, conversation: OfPath) -> Response:
    return await answer.of(await deletion.delete(answer.unit, conversation.account_id, conversation.id))


async def _creation(unit: Unit, account_id: str, request: CreateConversationWithConfigRequest) -> Creation:
    """What a POST wants. Raises BadRequest, NotFound."""
    configuration, own_body, own_callbacks = await _settings(unit, account_id, request)
    introductions = [
        to_introduction(one, one.addresses or (), f"/participants/{position}")
        for position, one in enumerate(request.participants or ())
    ]
    return Creation(
        account_id,
        configuration,
        own_body,
        own_callbacks,
        request.name,
        request.metadata or {},
        tuple(introductions),
    )


async def _settings(
    unit: Unit, account_id: str, request: CreateConversationWithConfigRequest
) -> tuple[Configuration | None, Mapping[str, Any] | None, tuple[StatusCallback, ...] | None]:
    """The configuration that a POST names, the settings it gives, and the callbacks it gives beside a configuration."""
    given = request.configuration
    if request.configuration_id is None:
        if given is None:
            raise refused("/configurationId", "name a configuration here, or give its settings in configuration")
        return None, own_settings.whole(given), None
    configuration = await configurations.find(unit, account_id, request.configuration_id)
    if given is None:
        return configuration, None, None
    return configuration, own_settings.instead(given, configuration.body), _callbacks(given.status_callbacks)


def _wish(request: PatchConversationByIdRequest) -> Change:
    """What a PATCH wants: only what it names."""
    callbacks: tuple[StatusCallback, ...] | Keep | None = Keep.KEEP
    if request.configuration is not None and "status_callbacks" in request.configuration.model_fields_set:
        callbacks = _callbacks(request.configuration.status_callbacks)
    return Change(
        status=request.status,
        name=request.name if "name" in request.model_fields_set else Keep.KEEP,
        merged=request.metadata or {},
        callbacks=callbacks,
    )


def _callbacks(given: Iterable[StatusCallbackRequest] | None) -> tuple[StatusCallback, ...] | None:
    return None if given is None else tuple(StatusCallback(one.url, one.method) for one in given)


async def _on_wire(unit: Unit, conversation: Conversation) -> dict[str, Any]:
    (body,) = await _all_on_wire(unit, [conversation])
    return body


async def _all_on_wire(unit: Unit, conversations: Iterable[Conversation]) -> list[dict[str, Any]]:
    several = list(conversations)
    bodies = await configurations.bodies_of(unit, {one.pinned for one in several if one.pinned is not None})
    return [to_wire(one, bodies[one.pinned] if one.pinned else one.own_body or {}) for one in several]
