"""Plays the traffic: many customers at once, everything that is answered is noted."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from orchestrator.cli.prove.client import CONNECTIONS, Client
from orchestrator.cli.prove.customers import CLOSED, INACTIVE, OUR_NUMBERS, Burst, Customer, Message
from orchestrator.kernel.ids import MEMORY_STORE, new_id

SPEED = 60
"""How fast the service's clock runs: a minute passes in a second."""
_MINUTE = 60.0 / SPEED
"""Seconds."""


@dataclass
class Played:
    """What was sent, and answered in the end."""

    configurations: dict[str, str] = field(default_factory=dict)
    """Grouping types by the ids of the configurations."""
    answered: set[str] = field(default_factory=set)
    """The provider's ids of messages."""
    reported_early: set[str] = field(default_factory=set)
    """Those whose delivery was answered before they were sent."""
    repeated: int = 0
    """Messages that were posted more than once on purpose."""
    linked: list[Customer] = field(default_factory=list)
    """Customers whose phones were found to be one person's."""


class Play:
    """One account's traffic."""

    def __init__(self, client: Client, on_answer: Callable[[int], None] = lambda answered: None) -> None:
        self._client = client
        self._on_answer = on_answer
        self._store_id = new_id(MEMORY_STORE)
        self.played = Played()

    async def configure(self, callback_url: str) -> None:
        """Make a configuration for each of our numbers; all know people from the same store."""
        for number, grouping in OUR_NUMBERS.items():
            body = configuration(number, grouping, self._store_id, callback_url)
            made = (await self._client.call("POST", "/v2/ControlPlane/Configurations", body)).body
            self.played.configurations[made["related"]["configurationId"]] = grouping

    async def run(self, customers: Iterable[Customer], *, at_once: int = CONNECTIONS) -> None:
        """Let everybody say what they have to say, so many at a time. Raises CommandFailed."""
        waiting = iter(customers)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(self._take_turns(waiting))
        except* Exception as failed:
            raise failed.exceptions[0] from None

    async def _take_turns(self, waiting: Iterator[Customer]) -> None:
        for customer in waiting:
            await self._let_speak(customer)

    async def _let_speak(self, customer: Customer) -> None:
        later: list[Message] = []
        for burst in customer.bursts:
            await asyncio.sleep(burst.after * _MINUTE)
            await self._send_all(customer, burst)
            for message in later:
                await self._post(message)
            later = [message for message in burst.messages if message.later]
        for message in later:
            await self._post(message)

    async def _send_all(self, customer: Customer, burst: Burst) -> None:
        async with asyncio.TaskGroup() as group:
            for message in burst.messages:
                group.create_task(self._send(message))
            if burst.links:
                group.create_task(self._link(customer))

    async def _send(self, message: Message) -> None:
        if message.reported_early:
            await self._client.webhook(*message.report)
            self.played.reported_early.add(message.resource_id)
        await asyncio.gather(*(self._post(message) for _ in range(message.at_once)))
        self.played.answered.add(message.resource_id)
        self.played.repeated += message.at_once + message.later > 1
        self._on_answer(len(self.played.answered))
        if message.is_ours and not message.reported_early:
            await self._client.webhook(*message.report)

    async def _post(self, message: Message) -> None:
        for path, form in message.posts:
            await self._client.webhook(path, form)

    async def _link(self, customer: Customer) -> None:
        """Give the profile of the first phone the second one too: if that has a profile, the two become one."""
        first, second = customer.phones
        found = await self._client.call("POST", f"{self._profiles}/Lookup", {"idType": "phone", "value": first})
        if found.body["profiles"]:
            profile_id = found.body["profiles"][0]
        else:
            traits = {"traits": {"Contact": {"phone": first}}}
            profile_id = (await self._client.call("POST", self._profiles, traits)).body["id"]
        while True:
            path = f"{self._profiles}/{profile_id}/Identifiers"
            linked = await self._client.call("POST", path, {"idType": "phone", "value": second})
            if linked.status != 308:
                break
            profile_id = linked.headers["Canonical-Profile-Id"]  # it has become part of another meanwhile
        self.played.linked.append(customer)

    @property
    def _profiles(self) -> str:
        return f"/v1/Stores/{self._store_id}/Profiles"


def configuration(number: str, grouping: str, store_id: str, callback_url: str) -> dict[str, object]:
    """The body of a configuration that captures all that one number receives and sends."""
    settings = {
        "statusTimeouts": {"inactive": INACTIVE, "closed": CLOSED},
        "captureRules": [{"from": "*", "to": number}, {"from": number, "to": "*"}],
    }
    return {
        "displayName": f"Proof {number[1:]}",
        "description": f"Everything of {number}, {grouping}",
        "conversationGroupingType": grouping,
        "memoryStoreId": store_id,
        "channelSettings": dict.fromkeys(("SMS", "VOICE", "WHATSAPP"), settings),
        "statusCallbacks": [{"url": callback_url, "method": "POST"}],
    }
