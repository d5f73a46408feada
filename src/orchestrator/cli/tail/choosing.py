"""Which events are wanted, beyond what the service itself filters by: channel, configuration, time."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.cli.api import Api, Refused
from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.lists import Resource

_REMEMBERED = 10_000
"""Conversations."""
_PAUSE = 1.0
"""Seconds between attempts to reach the service."""


@dataclass(slots=True)
class Choice:
    """All of these conditions hold."""

    api: Api
    channel: str | None = None
    """Of what was said, or of an address of the participant; conversations are on none."""
    configuration_id: str | None = None
    since: datetime | None = None
    _configurations: dict[str, str | None] = field(default_factory=dict)

    async def includes(self, event: Resource) -> bool:
        """Raises Refused when the service does not tell which configuration it is."""
        if self.since is not None and datetime.fromisoformat(event["timestamp"]) < self.since:
            return False
        if self.channel is not None and self.channel not in channels_of(event["data"]):
            return False
        return self.configuration_id is None or await self._configuration_of(event) == self.configuration_id

    async def _configuration_of(self, event: Resource) -> str | None:
        """The configuration that the event's conversation counts for; it never changes."""
        conversation_id, known = event["conversationId"], self._configurations
        if "configurationId" in event["data"]:  # only conversations have it
            known[conversation_id] = event["data"]["configurationId"]
        elif conversation_id not in known:
            known[conversation_id] = await self._asked(conversation_id)
        found = known[conversation_id]
        while len(known) > _REMEMBERED:
            del known[next(iter(known))]
        return found

    async def _asked(self, conversation_id: str) -> str | None:
        while True:
            try:
                conversation = await self.api.get(f"/v2/Conversations/{conversation_id}")
            except Refused as error:
                if error.status == 404:
                    return None  # deleted since
                raise
            except CommandFailed:
                await asyncio.sleep(_PAUSE)  # the service is away, and the stream will wait for it too
            else:
                found: str | None = conversation["configurationId"]
                return found


def channels_of(data: Resource) -> set[str]:
    """The channels of a communication or a participant; a conversation has none."""
    said_on = {data["author"]["channel"]} if "author" in data else set()
    return said_on | {address["channel"] for address in data.get("addresses", ())}
