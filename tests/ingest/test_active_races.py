"""Events of calls that say where they belong, at the same instant, through two processes."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from orchestrator.ingest import voice
from orchestrator.ingest.identifying import Policy
from orchestrator.ingest.landing import Outcome
from orchestrator.ingest.pipeline import ingest
from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import CONFIGURATION, CONVERSATION, SILENT, connected, create, fragment, other_process, poll
from tests.support.factories import make_configuration
from tests.support.traffic import BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE, US
from tests.support.webhooks import VOICE

GROUPINGS = (BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE)
ROUNDS = 5


def call(number: int) -> str:
    return f"CA{number:032d}"


@pytest.mark.parametrize("grouping", GROUPINGS)
async def test_many_events_of_one_call_attach_it_once(service: Service, grouping: str) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT, conversationGroupingType=grouping)
    async with other_process(service) as other:
        for number in range(ROUNDS):
            customer = f"+1555000000{number}"
            event = connected(CallSid=call(number), From=customer, **{CONFIGURATION: configuration_id})
            speech = fragment(CallSid=call(number), TranscriptionSid=f"GT{number}", From=customer, To=US)
            told = {**speech, "Direction": "inbound", CONFIGURATION: configuration_id}
            forms = [event, told, {**event, "CallStatus": "ringing"}, {**told, "SequenceId": "2"}] * 2
            answers = await asyncio.gather(
                *((service, other)[place % 2].post_webhook(VOICE, form) for place, form in enumerate(forms))
            )
            assert {answer.status_code for answer in answers} == {200}
            assert len(await poll(service, call(number))) == 1
    assert await traffic.texts(service) == [["hello", "hello"]] * ROUNDS
    assert Counter(await traffic.event_types(service)) == {
        "CONVERSATION_CREATED": ROUNDS,
        "PARTICIPANT_ADDED": 2 * ROUNDS,
        "COMMUNICATION_CREATED": 2 * ROUNDS,
    }


async def test_the_two_halves_of_what_is_known_of_a_call_meet(service: Service) -> None:
    """One process is told where the call belongs, the other who calls whom."""
    told = {CONFIGURATION: await make_configuration(service, channelSettings=SILENT)}
    async with other_process(service) as other:
        for number in range(2 * ROUNDS):
            customer = f"+155500000{number:02d}"
            where = {"CallSid": call(number), **told}
            who = connected(CallSid=call(number), From=customer)
            answers = await asyncio.gather(service.post_webhook(VOICE, where), other.post_webhook(VOICE, who))
            assert {answer.status_code for answer in answers} == {200}
            assert len(await poll(service, call(number))) == 1


async def test_what_one_event_tells_holds_for_the_next_of_its_batch(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    told = connected(AccountSid=service.account.account_id, **{CONFIGURATION: configuration_id})
    known = replace(voice.call(told), attribute=None)
    batch = [voice.event(voice.call(told), None), voice.event(known, voice.said(fragment()))]
    async with service.units.begin() as unit:
        assert await ingest(unit, batch, Policy()) == [(Outcome.NEW,), (Outcome.NEW,)]
    assert await traffic.texts(service) == [["hello"]]


async def test_calls_that_name_conversations_beside_traffic_by_rules(service: Service) -> None:
    """Speech lands in the conversation it names and, by a rule, in a second one; messages land in both by rules."""
    first, second = [await make_configuration(service) for _ in range(2)]
    async with other_process(service) as other:
        for number in range(ROUNDS):
            customer = f"+1555000000{number}"
            made = await create(service, (first, second)[number % 2])
            speech = fragment(CallSid=call(number), TranscriptionSid=f"GT{number}", From=customer, To=US)
            told = {**speech, "Direction": "inbound", CONVERSATION: made["id"]}
            answers = await asyncio.gather(
                service.post_webhook(VOICE, told),
                other.receive_message(customer, US, "by sms"),
                other.post_webhook(VOICE, {**told, "SequenceId": "2"}),
                service.receive_message(customer, US, "by sms"),
            )
            assert {answer.status_code for answer in answers} == {200}
            spoken = [one["content"]["text"] for one in await traffic.communications(service, made)]
            assert spoken.count("hello") == 2
    for conversation in await traffic.conversations(service):
        sequences = [event.sequence for event in await traffic.events(service, conversation)]
        assert sequences == list(range(1, len(sequences) + 1))
    texts = [text for of_one in await traffic.texts(service) for text in of_one]
    assert Counter(texts) == {"hello": 4 * ROUNDS, "by sms": 4 * ROUNDS}
