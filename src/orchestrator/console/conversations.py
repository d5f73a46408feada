"""Conversations: the list, and one of them with all that happened in it."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.api import Answer
from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page, path_to
from orchestrator.console.timeline import timeline
from orchestrator.domain.addresses import Channel
from orchestrator.domain.lifecycle import Status

router = APIRouter(prefix="/console/conversations", route_class=SignedIn, include_in_schema=False)

_PER_PAGE = 50
_LOOKED_THROUGH = 500
"""So many conversations are looked through at once for those on a channel: the API has no such filter."""
_SHOWN = 1000
"""Most events and communications of one conversation that are shown."""


@router.get("")
async def list_conversations(page: InPage) -> Response:
    configuration, channel = page.query("configuration"), page.query("channel")
    found, configurations = await page.together(
        page.get(
            "/v2/Conversations",
            status=page.query("status"),
            configurationId=configuration,
            channelId=page.query("channelId"),
            pageSize=_LOOKED_THROUGH if channel else _PER_PAGE,
            pageToken=page.query("pageToken"),
        ),
        page.ask("/v2/ControlPlane/Configurations", pageSize=_SHOWN),
    )
    listed = found.body["conversations"]
    return await page.show(
        "conversations.html",
        live=True,
        found=found,
        conversations=[one for one in listed if channel is None or channel in channels_of(one)],
        configurations=configurations.body["configurations"] if configurations.succeeded else [],
        chosen={
            "status": page.query("status"),
            "configuration": configuration,
            "channel": channel,
            "channelId": page.query("channelId"),
        },
        statuses=[status.value for status in Status],
        channels=[channel.value for channel in Channel],
    )


@router.get("/{conversation_id}")
async def show_conversation(page: InPage, conversation_id: str) -> Response:
    path = path_to("/v2/Conversations/{}", conversation_id)
    conversation, said, events, deliveries, countdown = await page.together(
        page.get(path),
        page.ask(path + "/Communications", pageSize=_SHOWN),
        page.ask("/orchestrator/v1/Events", conversationId=conversation_id, pageSize=_SHOWN),
        page.ask("/orchestrator/v1/Deliveries", conversationId=conversation_id),
        page.ask("/orchestrator/v1/Clock", conversationId=conversation_id),
    )
    communications = said.body["communications"] if said.succeeded else []
    trace = await _trace(page, communications)
    return await page.show(
        "conversation.html",
        live=conversation.body["status"] != Status.CLOSED,
        conversation=conversation,
        said=said,
        events=events,
        deliveries=deliveries,
        countdown=countdown,
        trace=trace.body["trace"] if trace is not None and trace.succeeded else None,
        timeline=timeline(communications, events.body["events"] if events.succeeded else []),
    )


async def _trace(page: Page, communications: list[dict[str, Any]]) -> Answer | None:
    """Why the conversation is there: the trace of what was said first."""
    if not communications:
        return None
    return await page.ask(path_to("/orchestrator/v1/Communications/{}/Trace", communications[0]["id"]))


def channels_of(conversation: dict[str, Any]) -> list[str]:
    """The channels on which its participants have addresses."""
    return sorted({end["channel"] for one in conversation["participants"] for end in one["addresses"]})
