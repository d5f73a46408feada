"""Authors and recipients that a caller names: found among the participants, or made to join."""

import asyncio
from typing import Any

from tests.features.test_communication_writes import (
    Body,
    conversation_under,
    end,
    new_conversation,
    news,
    path_of,
    post,
    say,
    text,
)
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.memory import new_phone, new_profile, new_store
from tests.support.refusals import refusal
from tests.support.traffic import BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE, KIRAN, US

CREATED = "COMMUNICATION_CREATED"


async def participants(service: Service, conversation: Body) -> list[Body]:
    found: list[Body] = (await traffic.get(service, f"/v2/Conversations/{conversation['id']}"))["participants"]
    return found


async def held(service: Service, conversation: Body) -> set[str]:
    """The grouping keys that a conversation holds."""
    rows = await service.fetch("select key from conversation_keys where conversation_id = $1", conversation["id"])
    return {row["key"] for row in rows}


async def test_participants_are_found_however_their_address_is_written(service: Service) -> None:
    both = [end(KIRAN), end(f"whatsapp:{KIRAN}", "WHATSAPP")]
    agent = {"type": "AI_AGENT", "addresses": [end(US), end(US, "WHATSAPP")]}
    conversation = await new_conversation(service, {"type": "CUSTOMER", "addresses": both}, agent)
    customer, ours = (one["id"] for one in conversation["participants"])
    written = [
        (end("+1 (555) 123-4567"), end("tel:+1-650-555-0199")),
        (end(KIRAN, "WHATSAPP"), end(f"whatsapp:{US}", "WHATSAPP")),
        (end("WhatsApp:+1 555 123 4567", "WHATSAPP"), end(US)),
    ]
    for author, recipient in written:
        said = await say(service, conversation, author=author, recipients=[recipient])
        assert said["author"] == {**author, "participantId": customer}, "the address is shown as it was given"
        assert said["recipients"] == [{**recipient, "participantId": ours}]
    assert [event.type for event in await news(service, conversation, 3)] == [CREATED] * 3
    assert await participants(service, conversation) == conversation["participants"]


async def test_somebody_known_on_another_channel_gains_the_address(service: Service) -> None:
    conversation = await new_conversation(service)
    customer, agent = conversation["participants"]
    author, recipient = end(f"whatsapp:{KIRAN}", "WHATSAPP"), end(f"whatsapp:{US}", "WHATSAPP")
    said = await say(service, conversation, author=author, recipients=[recipient])
    assert [said["author"]["participantId"], said["recipients"][0]["participantId"]] == [customer["id"], agent["id"]]
    first, second, told = await news(service, conversation, 3)
    assert (told.type, told.data) == (CREATED, said)
    for event, owner, gained in ((first, customer, author), (second, agent, recipient)):
        assert event.type == "PARTICIPANT_UPDATED"
        assert event.data["id"] == owner["id"]
        assert event.data["addresses"] == [*owner["addresses"], {**gained, "channelId": None}]
    assert await participants(service, conversation) == [first.data, second.data]
    again = await say(service, conversation, author=author, recipients=[recipient])
    assert [event.data for event in await news(service, conversation, 6)] == [again]


async def test_somebody_new_joins_as_unknown(service: Service) -> None:
    conversation = await new_conversation(service)
    stranger, other = new_phone(), new_phone()
    said = await say(service, conversation, author=end(stranger), recipients=[end(US), end(other)])
    *joined, told = await news(service, conversation, 3)
    assert [event.type for event in joined] == ["PARTICIPANT_ADDED"] * 2
    assert (told.type, told.data) == (CREATED, said)
    for event, address in zip(joined, (stranger, other), strict=True):
        assert (event.data["name"], event.data["type"], event.data["profileId"]) == (address, "UNKNOWN", None)
        assert event.data["addresses"] == [{**end(address), "channelId": None}]
    now = await participants(service, conversation)
    assert now == [*conversation["participants"], *(event.data for event in joined)]
    shown = [said["author"], *said["recipients"]]
    assert [one["participantId"] for one in shown] == [now[2]["id"], now[1]["id"], now[3]["id"]]


async def test_somebody_new_whom_the_store_knows_joins_as_a_customer(service: Service) -> None:
    store_id, phone = await new_store(service), new_phone()
    profile_id = await new_profile(service, store_id, phone=phone)
    conversation = await new_conversation(service, memoryStoreId=store_id)
    for author in (end(phone), end(f"whatsapp:{phone}", "WHATSAPP")):
        said = await say(service, conversation, author=author)
        *_, customer = await participants(service, conversation)
        assert (customer["type"], customer["profileId"]) == ("CUSTOMER", profile_id)
        assert said["author"]["participantId"] == customer["id"]
    assert len(customer["addresses"]) == 2


async def test_another_number_of_the_customer_is_gained_by_the_customer(service: Service) -> None:
    store_id, phone, other_phone = await new_store(service), new_phone(), new_phone()
    profile_id = await new_profile(service, store_id, phone=phone)
    added = await service.api.post(
        f"/v1/Stores/{store_id}/Profiles/{profile_id}/Identifiers", json={"idType": "phone", "value": other_phone}
    )
    assert added.is_success, added.text
    customer = {"type": "CUSTOMER", "addresses": [end(phone)]}
    agent = {"type": "AGENT", "addresses": [end(US)]}
    conversation = await new_conversation(service, customer, agent, memoryStoreId=store_id)
    said = await say(service, conversation, author=end(other_phone))
    assert said["author"]["participantId"] == conversation["participants"][0]["id"]
    assert [event.type for event in await news(service, conversation, 3)] == ["PARTICIPANT_UPDATED", CREATED]


async def test_a_newcomers_keys_are_held_from_now_on(service: Service) -> None:
    for grouping in (BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE):
        us, stranger = new_phone(), new_phone()
        rules = {"SMS": traffic.channel(*traffic.both_ways(us))}
        agent = {"type": "AGENT", "addresses": [end(us)]}
        conversation = await new_conversation(
            service,
            agent,
            conversationGroupingType=grouping,
            channelSettings=rules,
            memoryStoreId=await new_store(service),
        )
        assert await held(service, conversation) == set()
        await say(service, conversation, author=end(stranger), recipients=[end(us)])
        assert len(await held(service, conversation)) == 1
        if grouping != BY_PROFILE:  # by profile, the traffic itself makes a profile, and its key
            await traffic.message(service, stranger, us, "by traffic")
            assert len(await traffic.communications(service, conversation)) == 2


async def test_a_known_newcomer_brings_the_key_of_the_profile(service: Service) -> None:
    store_id, phone = await new_store(service), new_phone()
    profile_id = await new_profile(service, store_id, phone=phone)
    agent = {"type": "AGENT", "addresses": [end(US)]}
    conversation = await new_conversation(service, agent, conversationGroupingType=BY_PROFILE, memoryStoreId=store_id)
    await say(service, conversation, author=end(phone))
    assert await held(service, conversation) == {f"profile {profile_id}"}
    await traffic.message(service, phone, US, "by traffic")
    assert len(await traffic.communications(service, conversation)) == 2


async def test_an_address_gained_on_another_channel_brings_its_key(service: Service) -> None:
    conversation = await new_conversation(service, conversationGroupingType=BY_ADDRESSES_AND_CHANNEL)
    before = await held(service, conversation)
    await say(service, conversation, author=end(f"whatsapp:{KIRAN}", "WHATSAPP"), recipients=[end(US, "WHATSAPP")])
    assert await held(service, conversation) == {*before, f"channel WHATSAPP {KIRAN} {US}"}


async def test_a_key_that_another_conversation_holds_stays_there(service: Service) -> None:
    configuration_id = await make_configuration(service)
    stranger = new_phone()
    agent = {"type": "AGENT", "addresses": [end(US)]}
    holder = await conversation_under(
        service, configuration_id, {"type": "CUSTOMER", "addresses": [end(stranger)]}, agent
    )
    conversation = await conversation_under(
        service, configuration_id, {"type": "CUSTOMER", "addresses": [end(KIRAN)]}, agent
    )
    keys = [await held(service, one) for one in (holder, conversation)]
    other = new_phone()
    await say(service, conversation, author=end(stranger), recipients=[end(US), end(other)])
    assert [one["name"] for one in await participants(service, conversation)] == [KIRAN, US, stranger, other]
    assert await held(service, holder) == keys[0]
    free = {" ".join(["addresses", *sorted((other, facing))]) for facing in (KIRAN, US, stranger)}
    assert await held(service, conversation) == keys[1] | free
    await traffic.message(service, stranger, US, "by traffic")
    assert [one["content"]["text"] for one in await traffic.communications(service, holder)] == ["by traffic"]


async def test_conversations_that_welcome_each_others_customers_do_not_wait_for_each_other(service: Service) -> None:
    configuration_id = await make_configuration(service)
    agent = {"type": "AGENT", "addresses": [end(US)]}
    for _ in range(8):
        phones = [new_phone(), new_phone()]
        one, other = [
            await conversation_under(service, configuration_id, {"type": "CUSTOMER", "addresses": [end(phone)]}, agent)
            for phone in phones
        ]
        answers = await asyncio.gather(
            post(service, one, author=end(phones[1])), post(service, other, author=end(phones[0]))
        )
        assert [answer.status_code for answer in answers] == [201, 201]


async def test_a_key_whose_holder_is_overdue_is_free(service: Service) -> None:
    configuration_id = await make_configuration(service)
    stranger = new_phone()
    agent = {"type": "AGENT", "addresses": [end(US)]}
    holder = await conversation_under(
        service, configuration_id, {"type": "CUSTOMER", "addresses": [end(stranger)]}, agent
    )
    service.clock.advance(minutes=60)
    conversation = await conversation_under(service, configuration_id, agent)
    (key,) = await held(service, holder)
    await say(service, conversation, author=end(stranger))
    assert await held(service, conversation) == {key}
    assert (await traffic.events(service, holder))[-1].data["status"] == "CLOSED"


async def test_an_inactive_conversation_is_reopened_before_anybody_joins(service: Service) -> None:
    conversation = await new_conversation(service)
    await traffic.change(service, conversation, status="INACTIVE")
    await say(service, conversation, author=end(new_phone()), recipients=[end(US), end(KIRAN, "VOICE")])
    assert [event.type for event in await news(service, conversation, 4)] == [
        "CONVERSATION_UPDATED",
        "PARTICIPANT_ADDED",
        "PARTICIPANT_UPDATED",
        CREATED,
    ]


async def test_a_conversation_without_configuration_and_store(service: Service) -> None:
    answer = await service.api.post("/v2/Conversations", json={"configuration": {}})
    conversation: Body = answer.json()
    said = await say(service, conversation)
    assert [one["type"] for one in await participants(service, conversation)] == ["UNKNOWN", "UNKNOWN"]
    ids = [one["id"] for one in await participants(service, conversation)]
    assert [said["author"]["participantId"], said["recipients"][0]["participantId"]] == ids


async def test_somebody_may_write_to_themselves(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation, author=end("+15550000009"), recipients=[end("+1 555 000 0009")])
    assert said["author"]["participantId"] == said["recipients"][0]["participantId"]
    assert len(await participants(service, conversation)) == 3


async def test_a_conversation_does_not_grow_beyond_its_keys(service: Service) -> None:
    conversation = await new_conversation(service)

    def crowd(first: int) -> list[Body]:
        return [end(f"+1556{number:07d}") for number in range(first, first + 100)]

    await say(service, conversation, recipients=crowd(0))
    before = await traffic.row_counts(service)
    refused = refusal(await post(service, conversation, recipients=crowd(100)), 400, 20001)
    assert refused["details"] == {"limit": 10_000}
    assert await traffic.row_counts(service) == before


async def test_every_kind_of_address_takes_part(service: Service) -> None:
    conversation = await new_conversation(service)
    addresses: list[tuple[Any, str]] = [
        (end("kiran@example.com", "EMAIL"), "Kiran@Example.com"),
        (end("rcs:brand_acme_agent", "RCS"), "brand_acme_agent"),
        (end("client:agent-1", "VOICE"), "agent-1"),
        (end("sip:ann@example.com", "VOICE"), "sip:ann@EXAMPLE.com:5060;transport=tcp"),
        (end("kiran", "CHAT"), "kiran"),
        (end("kiran", "VIDEO"), "kiran"),
    ]
    for author, again in addresses:
        first = await say(service, conversation, author=author, channelId="CH1", content=text("hello"))
        second = await say(service, conversation, author={**author, "address": again}, channelId="CH1")
        assert first["author"]["participantId"] == second["author"]["participantId"], author
    assert len(await participants(service, conversation)) == 2 + 5, "one kiran chats and calls"
    everything = await service.api.get(path_of(conversation))
    assert len(everything.json()["communications"]) == 12
