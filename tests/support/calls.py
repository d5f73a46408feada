"""Calls and their transcripts, as Twilio tells of them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.traffic import KIRAN, US
from tests.support.webhooks import VOICE

CALL, OTHER_CALL = "CA" + "1" * 32, "CA" + "2" * 32
CONFIGURATION, CONVERSATION = "ConversationConfiguration", "ConversationId"
"""The TwiML attributes by which a call says where it belongs."""
SILENT = {"VOICE": {"statusTimeouts": {"inactive": 10, "closed": 60}}}
"""Channel settings without a capture rule."""


@asynccontextmanager
async def other_process(service: Service) -> AsyncIterator[Service]:
    """Another process that serves the same account."""
    assert service.settings.database_url is not None
    async with running_service(service.settings.database_url) as other:
        other.account, other.clock = service.account, service.clock
        other.units.clock = service.units.clock
        yield other


def connected(**fields: str) -> dict[str, str]:
    """A call that connects."""
    return {"CallSid": CALL, "From": KIRAN, "To": US, "CallStatus": "in-progress", "Direction": "inbound", **fields}


async def tell_call(service: Service, **fields: str) -> None:
    """A call webhook."""
    answer = await service.post_webhook(VOICE, connected(**fields))
    assert answer.status_code == 200, answer.text


def fragment(text: str = "hello", sequence: int = 1, **fields: str) -> dict[str, str]:
    """A final fragment of a transcript."""
    return {
        "CallSid": CALL,
        "TranscriptionEvent": "transcription-content",
        "TranscriptionSid": "GT" + "1" * 32,
        "TranscriptionData": json.dumps({"transcript": text, "confidence": 0.97}),
        "Track": "inbound_track",
        "SequenceId": str(sequence),
        "Final": "true",
        **fields,
    }


async def tell_fragment(service: Service, *args: Any, **fields: Any) -> None:
    """A fragment's webhook."""
    answer = await service.post_webhook(VOICE, fragment(*args, **fields))
    assert answer.status_code == 200, answer.text


async def said(service: Service) -> list[dict[str, Any]]:
    """The communications of the one conversation."""
    return await traffic.communications(service, await traffic.only_conversation(service))


async def poll(service: Service, call_sid: str = CALL) -> list[str]:
    """The ids of what an agent finds that looks for the conversation of its call."""
    return [one["id"] for one in await traffic.conversations(service, channelId=call_sid, status="ACTIVE")]


async def create(service: Service, configuration_id: str | None = None, **body: Any) -> dict[str, Any]:
    """A conversation made over the API."""
    given = {"configurationId": configuration_id, **body} if configuration_id else body
    response = await service.api.post("/v2/Conversations", json=given)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


def addresses(participant: dict[str, Any]) -> dict[str, Any]:
    """The calls that a participant's addresses stand for, by channel."""
    return {owned["channel"]: owned["channelId"] for owned in participant["addresses"]}
