"""Kiran contacts us four times; the grouping type decides how many conversations that is (seed document)."""

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from orchestrator import phones
from orchestrator.cli.api import Api
from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.receiver import Callback, Receiver
from orchestrator.kernel.ids import new_sid

EXPECTED = {
    "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE": 4,
    "GROUP_BY_PARTICIPANT_ADDRESSES": 2,
    "GROUP_BY_PROFILE": 1,
}
"""Conversations by grouping type."""

PHONE, OTHER_PHONE = "+15551234567", "+15559876543"
_CONTACTS: tuple[tuple[phones.Channel, str, str], ...] = (
    ("SMS", PHONE, "Hello, my parcel 4711 has not arrived."),
    ("VOICE", PHONE, "I am calling about my parcel."),
    ("WHATSAPP", PHONE, "Any news of it?"),
    ("SMS", OTHER_PHONE, "It is Kiran again, from my other phone."),
)
_CALLBACKS_WITHIN = 10.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Landed:
    """One contact, and where it landed."""

    channel: str
    sender: str
    to: str
    communication_id: str
    conversation_id: str
    trace: dict[str, Any]


@dataclass(slots=True)
class Played:
    """What came of one grouping type."""

    grouping: str
    configuration_id: str
    landed: list[Landed] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Callbacks that did not come in time."""

    @property
    def conversations(self) -> list[str]:
        """Their ids, in the order in which they were opened."""
        return list(dict.fromkeys(one.conversation_id for one in self.landed))

    @property
    def succeeded(self) -> bool:
        signed = all(callback.signed for callback in self.callbacks)
        return len(self.conversations) == EXPECTED[self.grouping] and signed and not self.missing


async def play(api: Api, receiver: Receiver, grouping: str) -> Played:
    """Play the example with a memory store, a number and a configuration of its own; all of it is removed again."""
    ours = f"+1650555{random.randrange(10_000):04d}"  # noqa: S311 - any number will do
    async with AsyncExitStack() as undo:
        store_id = await _make_store(api)
        undo.push_async_callback(_remove, api, f"/v1/ControlPlane/Stores/{store_id}")
        if grouping == "GROUP_BY_PROFILE":
            await _link_phones(api, store_id)
        configuration = _configuration(grouping, store_id, ours, receiver.url)
        made = await api.post("/v2/ControlPlane/Configurations", configuration)
        played = Played(grouping, made["related"]["configurationId"])
        undo.push_async_callback(_remove, api, f"/v2/ControlPlane/Configurations/{played.configuration_id}")
        undo.push_async_callback(_try_to_close, api, played)
        for channel, sender, text in _CONTACTS:
            played.landed.append(await _contact(api, played, channel, sender, ours, text))
        await _close(api, played)
        await _collect(api, receiver, played)
        return played


async def _make_store(api: Api) -> str:
    accepted = await api.post("/v1/ControlPlane/Stores", {"displayName": f"demo-{random.randrange(10**9)}"})  # noqa: S311
    operation = await api.get(accepted["statusUrl"])
    return str(operation["result"]["id"])


async def _link_phones(api: Api, store_id: str) -> None:
    traits = {"Contact": {"firstName": "Kiran", "phone": PHONE}}
    profile = await api.post(f"/v1/Stores/{store_id}/Profiles", {"traits": traits})
    path = f"/v1/Stores/{store_id}/Profiles/{profile['id']}/Identifiers"
    await api.post(path, {"idType": "phone", "value": OTHER_PHONE})


def _configuration(grouping: str, store_id: str, ours: str, callback_url: str) -> dict[str, Any]:
    rules = [{"from": "*", "to": ours}, {"from": ours, "to": "*"}]
    return {
        "displayName": "Demo",
        "description": f"The demonstration of {grouping}",
        "conversationGroupingType": grouping,
        "memoryStoreId": store_id,
        "channelSettings": {channel: {"captureRules": rules} for channel in ("SMS", "VOICE", "WHATSAPP")},
        "statusCallbacks": [{"url": f"{callback_url}/{grouping}", "method": "POST"}],
    }


async def _contact(api: Api, played: Played, channel: phones.Channel, sender: str, ours: str, text: str) -> Landed:
    sid = await _receive(api, channel, sender, ours, text)
    # Other configurations of the account may have captured it too.
    found = (await api.get("/v2/Conversations", channelId=sid))["conversations"]
    own = [one["id"] for one in found if one["configurationId"] == played.configuration_id]
    if len(own) != 1:
        raise CommandFailed(f"the {channel} contact is in {len(own)} conversations of its configuration, not in one")
    (spoken,) = (await api.get(f"/v2/Conversations/{own[0]}/Communications", channelId=sid))["communications"]
    trace = (await api.get(f"/orchestrator/v1/Communications/{spoken['id']}/Trace"))["trace"]
    return Landed(
        channel, phones.addressed(channel, sender), phones.addressed(channel, ours), spoken["id"], own[0], trace
    )


async def _receive(api: Api, channel: phones.Channel, sender: str, to: str, text: str) -> str:
    """A message, or a call on which one sentence is said; returns its SID."""
    if channel != "VOICE":
        message_sid = new_sid("SM")
        await api.receive(phones.message(channel, sender, to, text, sid=message_sid))
        return message_sid
    call_sid = new_sid("CA")
    await api.receive(phones.call(sender, to, sid=call_sid))
    await api.receive(phones.fragment(call_sid, text, transcription_sid=new_sid("GT")))
    return call_sid


async def _collect(api: Api, receiver: Receiver, played: Played) -> None:
    """Wait for the callbacks of everything that happened, and note those that did not come."""
    due = {("CONVERSATION_CREATED", conversation_id) for conversation_id in played.conversations} | {
        ("CONVERSATION_UPDATED", conversation_id) for conversation_id in played.conversations
    }
    due |= {("COMMUNICATION_CREATED", one.communication_id) for one in played.landed}
    for conversation_id in played.conversations:
        conversation = await api.get(f"/v2/Conversations/{conversation_id}")
        due |= {("PARTICIPANT_ADDED", participant["id"]) for participant in conversation["participants"]}

    def missing() -> list[str]:
        callbacks = [one for conversation_id in played.conversations for one in receiver.of(conversation_id)]
        told = {(one.type, one.subject) for one in callbacks}
        return [f"{event} {subject}" for event, subject in sorted(due - told)] + gaps(callbacks)

    await receiver.until(lambda: not missing(), _CALLBACKS_WITHIN)
    played.missing = missing()
    played.callbacks = [one for conversation_id in played.conversations for one in receiver.of(conversation_id)]


def gaps(callbacks: Sequence[Callback]) -> list[str]:
    """Numbers that were left out: closing is a conversation's last event, so none can be missing after it."""
    numbers: dict[str, set[int]] = {}
    for one in callbacks:
        numbers.setdefault(one.conversation_id, set()).add(one.sequence)
    return [
        f"number {number} of {conversation_id}"
        for conversation_id, found in numbers.items()
        for number in range(1, max(found))
        if number not in found
    ]


async def _close(api: Api, played: Played) -> None:
    """Close what is open in the configuration; the newest conversations come first in the list."""
    found = await api.get("/v2/Conversations", status="ACTIVE,INACTIVE", pageSize="1000")
    for conversation in found["conversations"]:
        if conversation["configurationId"] == played.configuration_id:
            await api.patch(f"/v2/Conversations/{conversation['id']}", {"status": "CLOSED"})


async def _try_to_close(api: Api, played: Played) -> None:
    with suppress(CommandFailed):  # whatever went wrong before is what matters
        await _close(api, played)


async def _remove(api: Api, path: str) -> None:
    with suppress(CommandFailed):
        await api.delete(path)
