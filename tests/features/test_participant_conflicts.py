"""Whose an address is, whose a pair of addresses is, and who a participant turns out to be."""

from typing import Any

import pytest

from tests.features.test_participant_writes import pair, put, replaced
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import (
    agent,
    close,
    conflict,
    create,
    customer,
    join,
    keys_of,
    on,
    people,
    sms,
    someone,
    whatsapp,
)
from tests.support.factories import make_configuration
from tests.support.memory import identifiers_of, new_phone, new_profile, new_store
from tests.support.refusals import refusal
from tests.support.traffic import BY_PROFILE, KIRAN, OTHER_PHONE, US

NOBODY = "+15550001111"
MINE, THEIRS = "mem_profile_01kgh3m8qce0m9x2t6v4b7r5zn", "mem_profile_01kgh3m8qce0m9x2t6v4b7r5zp"


class TestAddresses:
    async def test_one_belongs_to_one_participant(self, service: Service) -> None:
        conversation = await pair(service)
        kiran, us = conversation["participants"]
        before = await traffic.row_counts(service)
        for number in (KIRAN, f"tel:{KIRAN}", "+1 (555) 123-4567"):
            taken = [sms(NOBODY), sms(number)]
            conflict(await service.api.post(people(conversation), json=customer(*taken)), kiran)
            conflict(await put(service, us, **{**us, "addresses": taken}), kiran)
        assert await traffic.row_counts(service) == before
        assert await traffic.only_conversation(service) == conversation

    async def test_one_that_was_given_up_is_free(self, service: Service) -> None:
        conversation = await pair(service)
        kiran, us = conversation["participants"]
        await replaced(service, us, type="AGENT", addresses=[])
        taken = await replaced(service, kiran, type="CUSTOMER", addresses=[sms(US)])
        assert [own["address"] for own in taken["addresses"]] == [US]
        await replaced(service, us, type="AGENT", addresses=[sms(KIRAN)])
        assert await keys_of(service, conversation) == {f"addresses {KIRAN} {US}"}


class TestPairs:
    @pytest.fixture
    async def two(self, service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
        """Conversations of Kiran with us, and of the other phone with us."""
        first = await pair(service)
        configuration_id = first["configurationId"]
        other = await create(service, customer(sms(OTHER_PHONE)), agent(sms(US)), configurationId=configuration_id)
        return first, other

    async def test_one_belongs_to_one_open_conversation(
        self, service: Service, two: tuple[dict[str, Any], dict[str, Any]]
    ) -> None:
        first, other = two
        kiran, _ = first["participants"]
        before = await traffic.row_counts(service)
        conflict(await service.api.post(people(first), json=customer(sms(NOBODY), sms(OTHER_PHONE))), other)
        conflict(await service.api.post(people(first), json=someone(None, on("VOICE", OTHER_PHONE))), other)
        conflict(await put(service, kiran, **{**kiran, "addresses": [sms(KIRAN), whatsapp(OTHER_PHONE)]}), other)
        assert await traffic.row_counts(service) == before
        assert await traffic.conversations(service) == [first, other]

    async def test_a_type_can_be_in_the_way_too(
        self, service: Service, two: tuple[dict[str, Any], dict[str, Any]]
    ) -> None:
        first, other = two
        colleague = await join(service, first, agent(sms(OTHER_PHONE)))
        conflict(await put(service, colleague, type="CUSTOMER"), other)
        conflict(await put(service, colleague), other)
        assert await traffic.get(service, f"{people(first)}/{colleague['id']}") == colleague
        await replaced(service, colleague, type="HUMAN_AGENT")

    async def test_inactive_is_in_the_way_and_closed_is_not(
        self, service: Service, two: tuple[dict[str, Any], dict[str, Any]]
    ) -> None:
        first, other = two
        kiran, _ = first["participants"]
        both = {**kiran, "addresses": [sms(KIRAN), sms(OTHER_PHONE)]}
        await traffic.change(service, other, status="INACTIVE")
        conflict(await put(service, kiran, **both), other)
        await close(service, other)
        await replaced(service, kiran, **both)
        assert len(await keys_of(service, first)) == 2

    async def test_one_past_its_closing_time_is_closed_and_makes_room(
        self, service: Service, two: tuple[dict[str, Any], dict[str, Any]]
    ) -> None:
        first, other = two
        service.clock.advance(minutes=30)
        await traffic.message(service, KIRAN, US)
        service.clock.advance(minutes=30)
        await join(service, first, customer(sms(OTHER_PHONE)))
        assert [one["status"] for one in await traffic.conversations(service)] == ["ACTIVE", "CLOSED"]
        assert (await traffic.event_types(service, other))[-1] == "CONVERSATION_UPDATED"
        assert len(await keys_of(service, first)) == 2


async def by_profile(service: Service, *participants: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A store, and a conversation of these."""
    store_id = await new_store(service)
    configuration_id = await make_configuration(service, conversationGroupingType=BY_PROFILE, memoryStoreId=store_id)
    return store_id, await create(service, *participants, configurationId=configuration_id)


async def profiles(service: Service, store_id: str) -> int:
    rows = await service.fetch(
        "select from profiles where account_id = $1 and store_id = $2", service.account.account_id, store_id
    )
    return len(rows)


class TestIdentity:
    async def test_a_customer_is_found_or_made(self, service: Service) -> None:
        store_id, conversation = await by_profile(service)
        known = await new_profile(service, store_id, phone=KIRAN)
        found = await join(service, conversation, customer(whatsapp(KIRAN)))
        assert found["profileId"] == known
        assert (await identifiers_of(service, store_id, known))["whatsapp"] == [f"whatsapp:{KIRAN}"]
        phone = new_phone()
        made = await join(service, conversation, customer(on("VIDEO", "x"), sms(phone), on("CHAT", "ann")))
        assert await identifiers_of(service, store_id, made["profileId"]) == {"phone": [phone], "chat": ["ann"]}
        assert await profiles(service, store_id) == 2

    async def test_an_unknown_one_is_only_looked_up(self, service: Service) -> None:
        store_id, conversation = await by_profile(service)
        known = await new_profile(service, store_id, phone=KIRAN)
        for unknown in (someone("UNKNOWN", sms(KIRAN)), someone(None, on("VIDEO", "x"), on("VOICE", KIRAN))):
            joined = await join(service, conversation, unknown)
            assert (joined["type"], joined["profileId"]) == ("CUSTOMER", known)
        stranger = await join(service, conversation, someone("UNKNOWN", sms(OTHER_PHONE)))
        assert (stranger["type"], stranger["profileId"]) == ("UNKNOWN", None)
        assert await profiles(service, store_id) == 1

    async def test_our_side_has_no_profile_but_the_one_that_is_given(self, service: Service) -> None:
        store_id, conversation = await by_profile(service)
        await new_profile(service, store_id, phone=US)
        for of_type in ("AGENT", "AI_AGENT", "HUMAN_AGENT"):
            joined = await join(service, conversation, someone(of_type, profileId=MINE))
            assert (joined["type"], joined["profileId"]) == (of_type, MINE)
            after = await replaced(service, joined, type=of_type, addresses=[sms(US)])
            assert after["profileId"] is None
            await replaced(service, joined, type=of_type, addresses=[])
        assert await profiles(service, store_id) == 1

    async def test_a_profile_that_the_caller_names_is_taken_as_it_is(self, service: Service) -> None:
        store_id, conversation = await by_profile(service)
        await new_profile(service, store_id, phone=KIRAN)
        named = await join(service, conversation, customer(sms(KIRAN), profileId=THEIRS))
        assert named["profileId"] == THEIRS
        unknown = await join(service, conversation, someone("UNKNOWN", sms(NOBODY), profileId=MINE))
        assert (unknown["type"], unknown["profileId"]) == ("CUSTOMER", MINE)
        assert await keys_of(service, conversation) == {f"profile {THEIRS}", f"profile {MINE}"}
        assert await profiles(service, store_id) == 1

    async def test_without_a_profile_in_the_body_the_addresses_tell_again(self, service: Service) -> None:
        store_id, conversation = await by_profile(service, customer(sms(KIRAN)))
        (kiran,) = conversation["participants"]
        other = await new_profile(service, store_id, phone=OTHER_PHONE)
        moved = await replaced(service, kiran, type="CUSTOMER", addresses=[sms(OTHER_PHONE)])
        assert moved["profileId"] == other
        assert await keys_of(service, conversation) == {f"profile {other}"}
        back = await replaced(service, kiran, type="CUSTOMER", addresses=[sms(KIRAN)])
        assert back == {**kiran, "updatedAt": back["updatedAt"]}
        kept = await replaced(service, kiran, type="CUSTOMER", addresses=[sms(KIRAN)], profileId=other)
        assert kept["profileId"] == other

    async def test_traffic_follows_the_profile(self, service: Service) -> None:
        store_id, conversation = await by_profile(service, customer(sms(KIRAN)), agent(sms(US)))
        kiran, _ = conversation["participants"]
        other = await new_profile(service, store_id, phone=OTHER_PHONE)
        await replaced(service, kiran, **{**kiran, "profileId": other})
        await traffic.message(service, OTHER_PHONE, US, "theirs")
        await traffic.message(service, KIRAN, US, "Kiran's")
        assert await traffic.texts(service) == [["theirs"], ["Kiran's"]]

    async def test_a_profile_belongs_to_one_open_conversation(self, service: Service) -> None:
        store_id, conversation = await by_profile(service, customer(sms(KIRAN)))
        known = await new_profile(service, store_id, phone=OTHER_PHONE)
        other = await create(service, customer(sms(OTHER_PHONE)), configurationId=conversation["configurationId"])
        (kiran,) = conversation["participants"]
        conflict(await put(service, kiran, **{**kiran, "profileId": known}), other)
        conflict(await service.api.post(people(conversation), json=someone(None, whatsapp(OTHER_PHONE))), other)
        assert await traffic.conversations(service) == [conversation, other]

    async def test_a_store_that_is_gone_stops_nobody(self, service: Service) -> None:
        store_id, conversation = await by_profile(service, customer(sms(KIRAN)), agent(sms(US)))
        kiran, _ = conversation["participants"]
        assert (await service.api.delete(f"/v1/ControlPlane/Stores/{store_id}")).is_success
        joined = await join(service, conversation, customer(sms(OTHER_PHONE)))
        assert (joined["type"], joined["profileId"]) == ("CUSTOMER", None)
        bare = await replaced(service, kiran, type="CUSTOMER")
        assert bare["profileId"] is None
        assert await keys_of(service, conversation) == {
            f"addresses {KIRAN} {US}",
            f"addresses {OTHER_PHONE} {US}",
        }


async def test_the_reconciliation_of_tac(service: Service) -> None:
    """After the first message TAC makes its own side an AI_AGENT and the customer a CUSTOMER; a 409 it gives up on."""
    store_id = await new_store(service)
    await make_configuration(
        service,
        conversationGroupingType=BY_PROFILE,
        memoryStoreId=store_id,
        channelSettings={"SMS": traffic.channel(("*", "*"))},
    )
    sid = await traffic.message(service, KIRAN, US)
    opened = await traffic.only_conversation(service, channelId=sid)
    kiran, us = opened["participants"]
    for one in (kiran, us):
        await replaced(service, one, name=one["name"], type="UNKNOWN", addresses=one["addresses"])
    addresses = [{"channel": one["channel"], "address": one["address"]} for one in us["addresses"]]
    ours = await replaced(service, us, name=us["name"], type="AI_AGENT", addresses=addresses)
    assert (ours["type"], ours["name"]) == ("AI_AGENT", US)
    profile_id = await new_profile(service, store_id, phone=KIRAN)
    addresses = [{"channel": one["channel"], "address": one["address"]} for one in kiran["addresses"]]
    body = {"name": kiran["name"], "type": "CUSTOMER", "profileId": profile_id, "addresses": addresses}
    theirs = await replaced(service, kiran, **body)
    assert (theirs["type"], theirs["profileId"]) == ("CUSTOMER", profile_id)
    late = await service.api.post(people(opened), json={"type": "AI_AGENT", "addresses": [sms(US)]})
    conflict(late, ours)
    await traffic.message(service, KIRAN, US)
    joined = await traffic.only_conversation(service)
    assert joined["participants"] == [theirs, ours]
    assert len(await traffic.communications(service, joined)) == 2
    refusal(await put(service, ours, type="BOT"), 400, 20001)
