"""What a scenario is played on: its own store, numbers, profiles and configurations, and what is known of it so far."""

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.cli.api import Api
from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.receiver import Receiver
from orchestrator.cli.scenarios.model import Given, Profile
from orchestrator.cli.scenarios.names import is_name
from orchestrator.cli.scenarios.outcomes import Outcome
from orchestrator.cli.scenarios.references import rendered
from orchestrator.phones import Webhook

CONFIGURATIONS = "/v2/ControlPlane/Configurations"


@dataclass
class Stage:
    """Everything of one run. What it made is removed at the end, unless it is to be kept."""

    api: Api
    receiver: Receiver
    things: dict[str, Any] = field(default_factory=dict)
    """What references stand for, by name."""
    configurations: dict[str, str] = field(default_factory=dict)
    """Names of the scenario's configurations by their ids."""
    conversations: list[str] = field(default_factory=list)
    """Ids of those that are known, in the order in which they became so."""
    made: set[str] = field(default_factory=set)
    """Ids of those that the scenario made itself, whose settings need not be a configuration's."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """What came of the steps that have a name."""
    told: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How many callbacks of a conversation, accepted and refused, have been expected already."""
    spoken: dict[str, int] = field(default_factory=dict)
    """How much was said, by call SID."""
    began: dict[str, datetime] = field(default_factory=dict)
    """From when on the times in a call are counted, by its SID."""
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    """What the provider posted, by message SID."""

    def rendered(self, value: Any) -> Any:
        """With what its references stand for. Raises UnknownReference."""
        return rendered(value, self.things)

    def address(self, given: str) -> str:
        """That of a phone by its name, or the one that is given."""
        return str(self.things[given]) if is_name(given) else str(self.rendered(given))

    def met(self, conversation_id: str) -> bool:
        """Whether a conversation is new to the scenario, which knows it from now on."""
        if conversation_id in self.conversations:
            return False
        self.conversations.append(conversation_id)
        return True

    def label(self, conversation_id: str) -> str:
        """What people call it: A is the first one, B the next, after Z comes AA."""
        place, letters = self.conversations.index(conversation_id) + 1, ""
        while place:
            place, letter = divmod(place - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return letters

    def owns(self, conversation: dict[str, Any]) -> bool:
        """Whether it is a conversation of the scenario; an instance may have others."""
        return conversation["configurationId"] in self.configurations or conversation["id"] in self.made

    async def own_conversations(self) -> list[dict[str, Any]]:
        """The newest first."""
        found = (await self.api.get("/v2/Conversations", pageSize="1000"))["conversations"]
        return [one for one in found if self.owns(one)]


@asynccontextmanager
async def set_stage(
    api: Api, receiver: Receiver, name: str, given: Given, *, shared: bool, keep: bool
) -> AsyncIterator[Stage]:
    """Make what is given. On a shared instance phones have fresh numbers. Raises CommandFailed."""
    async with AsyncExitStack() as undo:
        stage = Stage(api, receiver)
        stage.things |= {"run": f"{random.randrange(10**9):09d}", "callbacks": f"{receiver.url}/{name}"}  # noqa: S311
        stage.things |= fresh(given.phones) if shared else given.phones
        store = await _make_store(api, f"{name[:20]}-{stage.things['run']}")
        stage.things["store"] = store
        if not keep:
            undo.push_async_callback(_remove, api, f"/v1/ControlPlane/Stores/{store}")
            undo.push_async_callback(_clear, stage)
        for address in given.numbers:
            await _register(stage, undo if not keep else None, stage.address(address))
        for profile_name, profile in given.profiles.items():
            stage.things[profile_name] = await _make_profile(stage, profile)
        for configuration_name, body in given.configurations.items():
            await _configure(stage, configuration_name, name, body)
        yield stage


def fresh(phones: dict[str, str]) -> dict[str, str]:
    """The same phones with numbers that no other run has: of +1, among those that are nobody's (555-0100 to -0199)."""
    taken: set[str] = set()
    return {name: _fresh(taken) if number.startswith("+1") else number for name, number in phones.items()}


def _fresh(taken: set[str]) -> str:
    while True:
        number = f"+1{random.randrange(200, 1000)}55501{random.randrange(100):02d}"  # noqa: S311 - any will do
        if number not in taken:
            taken.add(number)
            return number


async def _make_store(api: Api, name: str) -> str:
    accepted = await api.post("/v1/ControlPlane/Stores", {"displayName": name})
    operation = await api.get(accepted["statusUrl"])
    return str(operation["result"]["id"])


async def _register(stage: Stage, undo: AsyncExitStack | None, address: str) -> None:
    await stage.api.post("/orchestrator/v1/Numbers", {"address": address, "label": "a scenario"})
    if undo is not None:
        undo.push_async_callback(_remove, stage.api, f"/orchestrator/v1/Numbers/{address}")


async def _make_profile(stage: Stage, profile: Profile) -> dict[str, Any]:
    profiles = f"/v1/Stores/{stage.things['store']}/Profiles"
    made: dict[str, Any] = await stage.api.post(profiles, {"traits": stage.rendered(profile.traits)})
    for identifier in profile.identifiers:
        await stage.api.post(f"{profiles}/{made['id']}/Identifiers", stage.rendered(identifier))
    return made


async def _configure(stage: Stage, name: str, scenario: str, body: dict[str, Any]) -> None:
    """Make a configuration; what every one needs, and says nothing about the scenario, need not be given."""
    needed = {"displayName": name[:32], "description": f"{name} of {scenario}", "memoryStoreId": stage.things["store"]}
    accepted = await stage.api.post(CONFIGURATIONS, needed | stage.rendered(body))
    configuration_id = accepted["related"]["configurationId"]
    stage.configurations[configuration_id] = name
    stage.things[name] = await stage.api.get(f"{CONFIGURATIONS}/{configuration_id}")


async def _clear(stage: Stage) -> None:
    """Delete the conversations, then what could no longer be deleted while they were open."""
    with suppress(CommandFailed):  # whatever went wrong before is what matters
        found = [one["id"] for one in await stage.own_conversations()]
        await _remove_all(stage.api, (f"/v2/Conversations/{one}" for one in found))
    await _remove_all(stage.api, (f"{CONFIGURATIONS}/{one}" for one in stage.configurations))


async def _remove_all(api: Api, paths: Iterable[str]) -> None:
    for path in paths:
        await _remove(api, path)


async def _remove(api: Api, path: str) -> None:
    with suppress(CommandFailed):
        await api.delete(path)
