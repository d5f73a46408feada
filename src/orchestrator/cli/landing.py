"""What became of a message or of what was said on a call: where it landed, and why; or why nothing captured it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.cli.api import Api
from orchestrator.cli.lists import Resource, all_of

_AT_ONCE = 8
"""Requests."""


@dataclass(frozen=True, slots=True)
class Landing:
    """One conversation that it is part of; there is one for each configuration that captured it."""

    conversation: Resource
    communication: Resource
    trace: Resource | None
    """None for what did not come from provider traffic."""

    def as_json(self) -> dict[str, Any]:
        conversation = self.conversation
        return {
            "outcome": self.trace and self.trace["outcome"],
            "conversationId": conversation["id"],
            "conversationStatus": conversation["status"],
            "configurationId": conversation["configurationId"],
            "communicationId": self.communication["id"],
            "deliveryStatus": self.communication["recipients"][0].get("deliveryStatus"),
            "trace": self.trace,
        }


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one message, or of one fragment of a call."""

    resource_id: str
    """The provider's id of it."""
    landings: Sequence[Landing]
    uncaptured: Resource | None = None
    """The trace of one that landed nowhere; None too where the service knows nothing of it."""

    @property
    def is_captured(self) -> bool:
        return bool(self.landings)


async def fate_of(api: Api, message_sid: str) -> Fate:
    """What became of a message. Raises CommandFailed."""
    (fate,) = await fates_of(api, message_sid, [message_sid])
    return fate


async def fates_of(api: Api, channel_id: str, resource_ids: Sequence[str]) -> list[Fate]:
    """What became of what was said on a call or chat, in the order of these ids. Raises CommandFailed.

    A message is its own channel. Everything is asked over the public API, in the account's name.
    """
    landings = await _landings(api, channel_id, set(resource_ids))
    return [
        Fate(one, landings[one]) if landings[one] else Fate(one, (), await _uncaptured(api, one))
        for one in resource_ids
    ]


async def _landings(api: Api, channel_id: str, resource_ids: set[str]) -> dict[str, list[Landing]]:
    found: dict[str, list[Landing]] = {one: [] for one in resource_ids}
    for conversation in (await all_of(api, "/v2/Conversations", "conversations", channelId=channel_id))[::-1]:
        path = f"/v2/Conversations/{conversation['id']}/Communications"
        said = await all_of(api, path, "communications", channelId=channel_id)
        wanted = [one for one in said if one["resourceId"] in resource_ids]
        for one, trace in zip(wanted, await traces(api, [one["id"] for one in wanted]), strict=True):
            found[one["resourceId"]].append(Landing(conversation, one, trace))
    return found


async def traces(api: Api, communication_ids: Sequence[str]) -> list[Resource | None]:
    """Why communications landed where they did, in this order. Raises CommandFailed."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def trace(communication_id: str) -> Resource | None:
        async with free:
            answer = await api.get(f"/orchestrator/v1/Communications/{communication_id}/Trace")
        found: Resource | None = answer["trace"]
        return found

    return await asyncio.gather(*(trace(one) for one in communication_ids))


async def _uncaptured(api: Api, resource_id: str) -> Resource | None:
    found = (await api.get("/orchestrator/v1/Uncaptured", resourceId=resource_id, pageSize="1"))["uncaptured"]
    return found[0]["trace"] if found else None
