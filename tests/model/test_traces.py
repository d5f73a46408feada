"""Every landing of a long run can be worked out again from its trace alone, and all that did not land is explained."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from orchestrator import phones
from orchestrator.communications import store, tracing
from orchestrator.domain.explaining import sentences
from orchestrator.domain.messages import InboundMessage
from orchestrator.ingest import twilio, voice
from orchestrator.ingest.batch import Batcher
from orchestrator.ingest.identifying import Policy
from orchestrator.ingest.landing import Outcome
from orchestrator.ingest.pipeline import ingest
from orchestrator.kernel.ids import MEMORY_STORE, new_id, new_sid
from orchestrator.lifecycle.sweep import sweep_all
from tests.model.derivation import Configurations, Derivation, Sent, capturing, explained
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.factories import configuration_body, make_configuration
from tests.support.traffic import BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE, channel

OURS = ("+16505550199", "+16505550100")
STRANGER = "+16505550111"
"""Whose number no rule names."""
CUSTOMERS = (
    *(f"+1555123{number:04d}" for number in range(24)),
    "+5511987654321",
    "+551187654321",  # the same phone as the one before
)
AT_ONCE = 50
"""Messages that come at one moment."""
WAITS = (0, 0, 1, 4, 9, 10, 25, 59, 61)
"""Minutes between two such moments."""


class Run:
    """An account, its traffic, and what is known of it."""

    def __init__(self, service: Service, clock: StoppedClock) -> None:
        self.service = service
        self.clock = clock
        self.chance = random.Random(20260203)
        self.configurations = Configurations()
        self.derivation = Derivation(self.configurations)
        self.store = new_id(MEMORY_STORE)
        self.sent: dict[str, Sent] = {}
        self.sweeps: list[Any] = []

    async def configure(self) -> None:
        """Configurations of every grouping type, on different channels, with wildcards and literals."""
        ours, other = (traffic.both_ways(number) for number in OURS)
        everyone = channel(("*", "*"), inactive=None, closed=30)
        clients = channel(*ours, inactive=10, closed=20, callType="CLIENT")
        kinds: list[tuple[str, dict[str, Any]]] = [
            (BY_ADDRESSES_AND_CHANNEL, {"SMS": channel(*ours), "WHATSAPP": channel(*ours), "VOICE": channel(*ours)}),
            (BY_ADDRESSES, {"SMS": channel(*ours, inactive=5, closed=45), "RCS": channel(*ours)}),
            (BY_PROFILE, {"SMS": channel(*other, *ours), "WHATSAPP": channel(*other), "VOICE": clients}),
            (BY_PROFILE, {"WHATSAPP": everyone, "RCS": channel(*ours, inactive=10, closed=None)}),
        ]
        for number, (grouping, channels) in enumerate(kinds):
            await self.save(None, f"Number {number}", grouping, channels)

    async def save(self, configuration_id: str | None, name: str, grouping: str, channels: dict[str, Any]) -> None:
        settings = {
            "displayName": name,
            "conversationGroupingType": grouping,
            "channelSettings": channels,
            "memoryStoreId": self.store,
        }
        if configuration_id is None:
            configuration_id = await make_configuration(self.service, **settings)
        else:
            path = f"/v2/ControlPlane/Configurations/{configuration_id}"
            answer = await self.service.api.put(path, json=configuration_body(**settings))
            assert answer.status_code == 202, answer.text
        self.configurations.history.setdefault(configuration_id, []).append((self.clock.now(), settings))

    async def reconfigure(self) -> None:
        """From now on the first one captures less, and closes sooner."""
        configuration_id, [(_, settings)] = next(iter(self.configurations.history.items()))
        channels = {"SMS": channel(("*", OURS[0]), inactive=2, closed=8), "VOICE": channel(*traffic.both_ways())}
        await self.save(configuration_id, "Renamed", settings["conversationGroupingType"], channels)

    async def introduce(self) -> None:
        """Some customers have two numbers."""
        for one, other in zip(CUSTOMERS[:8:2], CUSTOMERS[1:8:2], strict=True):
            path = f"/v1/Stores/{self.store}/Profiles"
            made = await self.service.api.post(path, json={"traits": {"Contact": {"phone": one}}})
            profile = made.json()["id"]
            body = {"idType": "phone", "value": other}
            added = await self.service.api.post(f"{path}/{profile}/Identifiers", json=body)
            assert added.status_code == 202, added.text
            for number in (one, other):
                self.derivation.people.introduce(self.store, number, profile)

    def messages(self) -> Iterator[InboundMessage]:
        """What comes at one moment."""
        for _ in range(AT_ONCE):
            kind = self.chance.choice(("SMS", "SMS", "WHATSAPP", "RCS", "VOICE"))
            customer, ours = self.chance.choice(CUSTOMERS), self.chance.choice((*OURS, STRANGER))
            if kind == "VOICE":
                yield self.call(self.chance.choice((customer, "client:ann")), ours)
            else:
                yield self.message(kind, *self.chance.sample((customer, ours), 2))

    def message(self, kind: Any, sender: str, to: str) -> InboundMessage:
        fields = phones.message(kind, sender, to, "hello").fields
        sid, now = fields["MessageSid"], self.clock.now()
        self.sent[sid] = Sent(sid, kind, fields["From"], fields["To"], now)
        message = twilio.message({"AccountSid": self.service.account.account_id, **fields})
        assert message is not None
        return message

    def call(self, sender: str, to: str) -> InboundMessage:
        sid = new_sid("CA")
        call_type = "CLIENT" if sender.startswith("client:") else "PSTN"
        self.sent[sid] = Sent(sid, "VOICE", sender, to, self.clock.now(), call_type)
        told = {"AccountSid": self.service.account.account_id, **phones.call(sender, to, sid=sid).fields}
        said = phones.fragment(sid, "hello", transcription_sid=new_sid("GT")).fields
        return voice.event(voice.call(told), voice.said(said))

    async def play(self, count: int) -> None:
        """Let traffic come, in batches as the webhooks make them; many have several messages of one conversation."""
        await self.configure()
        await self.introduce()
        batcher = Batcher(self.land, size=64, lanes=2, lane_of=lambda message: message.resource_id)
        for step in range(count // AT_ONCE):
            self.clock.advance(minutes=self.chance.choice(WAITS), seconds=1)
            if step == count // AT_ONCE // 2:
                await self.reconfigure()
            if self.chance.random() < 0.6:
                await sweep_all(self.service.units)
                self.sweeps.append(self.clock.now())
            await asyncio.gather(*(batcher.submit(message) for message in self.messages()))

    async def land(self, messages: Sequence[InboundMessage]) -> list[tuple[Outcome, ...]]:
        async with self.service.units.begin() as unit:
            return await ingest(unit, messages, Policy())

    async def landed(self) -> list[tuple[dict[str, Any], Sent]]:
        """The trace of each communication, as the API tells it, with what was sent; in the order of time."""
        query = "select * from communications where account_id = $1 order by created_at"
        said = [store.from_row(row) for row in await self.service.fetch(query, self.service.account.account_id)]
        async with self.service.units.begin() as unit:
            names = await tracing.names_of(unit, said)
        return [(tracing.complete(one, names), self.sent[str(one.channel_id)]) for one in said]

    async def nowhere(self) -> dict[str, dict[str, Any]]:
        """What was not captured, by what was sent."""
        return {trace["channelId"]: trace for trace in await traffic.uncaptured(self.service)}


@pytest.mark.parametrize(
    "count", [1_000, pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(600)])], ids=["some", "many"]
)
async def test_every_landing_follows_from_its_trace(service: Service, count: int) -> None:
    run = Run(service, stop_clock(service))
    await run.play(count)
    landed, nowhere = await run.landed(), await run.nowhere()
    derive(run, landed)
    assert {"KEY_WAS_FREE", "HOLDER_HAS_ENDED", "HOLDS_KEY", "WAS_INACTIVE"} == run.derivation.outcomes.keys()
    reached: dict[str, set[str]] = {}
    for trace, sent in landed:
        assert len(sentences(trace)) >= 4
        reached.setdefault(sent.sid, set()).add(trace["configurationId"])
    for sid, sent in run.sent.items():
        current = run.configurations.at(sent.at)
        assert reached.get(sid, set()) == capturing(current, sent).keys()
        assert (sid in nowhere) == (sid not in reached)
        if sid in nowhere:
            explained(nowhere[sid], sent, current)
    assert len(run.sent) == count
    assert nowhere


def derive(run: Run, landed: list[tuple[dict[str, Any], Sent]]) -> None:
    """Work all landings out again, moment by moment, with the sweeps between them."""
    by_moment: dict[Any, list[tuple[dict[str, Any], Sent]]] = {}
    for trace, sent in landed:
        by_moment.setdefault(sent.at, []).append((trace, sent))
    for moment in sorted({*by_moment, *run.sweeps}):
        if moment in run.sweeps:
            run.derivation.sweep(moment)
        run.derivation.hear(by_moment.get(moment, []), moment)
