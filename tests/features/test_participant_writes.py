"""Adding and replacing participants over REST."""

from typing import Any

import httpx
import pytest

from orchestrator.kernel.ids import PARTICIPANT, PROFILE, new_id
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.conversations import (
    agent,
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
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, OTHER_PHONE, US

DESK = "+16505550100"


async def pair(service: Service, **body: Any) -> dict[str, Any]:
    """A conversation of Kiran and us."""
    body = body or {"configurationId": await make_configuration(service)}
    return await create(service, customer(sms(KIRAN), name="Kiran"), agent(sms(US)), **body)


async def put(service: Service, participant: dict[str, Any], **body: Any) -> httpx.Response:
    """Replace a participant."""
    path = f"/v2/Conversations/{participant['conversationId']}/Participants/{participant['id']}"
    return await service.api.put(path, json=body)


async def replaced(service: Service, participant: dict[str, Any], **body: Any) -> dict[str, Any]:
    """A participant who is replaced as asked for, as everybody sees it from then on."""
    answer = await put(service, participant, **body)
    assert answer.status_code == 200, answer.text
    path = f"/v2/Conversations/{participant['conversationId']}"
    after: dict[str, Any] = answer.json()
    assert await traffic.get(service, f"{path}/Participants/{participant['id']}") == after
    assert after in (await traffic.get(service, path))["participants"]
    return after


class TestAdding:
    async def test_the_answer_is_the_participant_as_it_is_fetched_and_told(self, service: Service) -> None:
        conversation = await pair(service)
        service.clock.advance(seconds=30)
        joined = await join(service, conversation, someone("HUMAN_AGENT", on("CHAT", "Ann", "CH1"), sms(DESK)))
        assert joined == {
            "id": joined["id"],
            "conversationId": conversation["id"],
            "accountId": service.account.account_id,
            "name": "Ann",
            "type": "HUMAN_AGENT",
            "profileId": None,
            "addresses": [
                {"channel": "CHAT", "address": "Ann", "channelId": "CH1"},
                {"channel": "SMS", "address": DESK, "channelId": None},
            ],
            "createdAt": joined["createdAt"],
            "updatedAt": joined["createdAt"],
        }
        after = await traffic.get(service, f"/v2/Conversations/{conversation['id']}")
        assert after == {**conversation, "participants": [*conversation["participants"], joined]}
        assert await traffic.get(service, f"{people(conversation)}/{joined['id']}") == joined
        *_, last = await traffic.events(service)
        assert (last.type, last.sequence, last.data) == ("PARTICIPANT_ADDED", 4, joined)

    async def test_somebody_without_addresses_or_a_name(self, service: Service) -> None:
        conversation = await pair(service)
        joined = await join(service, conversation, {"addresses": [], "name": None, "type": None, "colour": "red"})
        assert (joined["name"], joined["type"], joined["addresses"]) == (joined["id"], "UNKNOWN", [])

    async def test_traffic_with_somebody_who_was_added_lands_here(self, service: Service) -> None:
        conversation = await pair(service)
        await join(service, conversation, customer(sms(OTHER_PHONE)))
        assert await keys_of(service, conversation) == {f"addresses {KIRAN} {US}", f"addresses {OTHER_PHONE} {US}"}
        await traffic.message(service, US, OTHER_PHONE)
        assert len(await traffic.communications(service, await traffic.only_conversation(service))) == 1

    async def test_the_same_number_on_another_channel_may_be_somebody_else(self, service: Service) -> None:
        conversation = await pair(service)
        joined = await join(service, conversation, customer(whatsapp(KIRAN)))
        assert joined["profileId"] == conversation["participants"][0]["profileId"]

    async def test_timers_do_not_start_anew(self, service: Service) -> None:
        conversation = await pair(service)
        service.clock.advance(minutes=59)
        await join(service, conversation, customer(sms(OTHER_PHONE)))
        service.clock.advance(minutes=1)
        answer = await service.api.post(people(conversation), json=someone(None))
        assert "CLOSED" in refusal(answer, 400, 20001)["message"]

    async def test_a_profile_that_is_given_is_kept_for_anybody_and_counts_for_customers(self, service: Service) -> None:
        given = new_id(PROFILE)
        configuration = await make_configuration(service, conversationGroupingType=traffic.BY_PROFILE)
        conversation = await pair(service, configurationId=configuration)
        ours = await join(service, conversation, someone("AI_AGENT", sms(DESK), profileId=given))
        assert (ours["type"], ours["profileId"]) == ("AI_AGENT", given)
        assert not [key for key in await keys_of(service, conversation) if given in key]
        theirs = await join(service, conversation, someone("UNKNOWN", sms(OTHER_PHONE), profileId=given))
        assert (theirs["type"], theirs["profileId"]) == ("CUSTOMER", given)
        assert [key for key in await keys_of(service, conversation) if given in key]

    @pytest.mark.parametrize("profile_id", ["", "me", "mem_profile_", "mem_profile_81kgh3k1w8fmkrxj2c5a9d7e6b", 1])
    async def test_a_profile_id_that_is_none(self, service: Service, profile_id: object) -> None:
        conversation = await pair(service)
        answer = await service.api.post(people(conversation), json=customer(profileId=profile_id))
        assert refusal(answer, 400, 20001)["params"]["field"] == "/profileId"


class TestReplacing:
    async def test_what_is_left_out_goes_back_to_its_default_but_addresses_stay(self, service: Service) -> None:
        kiran, _ = (await pair(service))["participants"]
        service.clock.advance(seconds=30)
        bare = await replaced(service, kiran)
        assert bare == {**kiran, "name": KIRAN, "updatedAt": bare["updatedAt"]}, "the profile was found again"
        assert bare["updatedAt"] > kiran["updatedAt"]
        ours = await replaced(service, kiran, type="HUMAN_AGENT", name="Ann")
        assert (ours["type"], ours["profileId"], ours["name"]) == ("HUMAN_AGENT", None, "Ann")
        assert ours["addresses"] == kiran["addresses"]

    async def test_an_unknown_one_whom_nobody_knows_has_no_profile(self, service: Service) -> None:
        _, us = (await pair(service))["participants"]
        unknown = await replaced(service, us, name="x", addresses=None)
        assert (unknown["type"], unknown["profileId"], unknown["addresses"]) == ("UNKNOWN", None, us["addresses"])

    async def test_what_was_fetched_can_be_sent_back(self, service: Service) -> None:
        conversation = await pair(service)
        kiran, us = conversation["participants"]
        foreign = {"id": new_id(PARTICIPANT), "conversationId": "x", "accountId": None, "createdAt": 5, "updatedAt": ""}
        before = await traffic.row_counts(service)
        for one in (kiran, us):
            assert await replaced(service, one, **one) == one
            assert await replaced(service, one, **{**one, **foreign}) == one
        assert await traffic.row_counts(service) == before, "no change is no event"
        service.clock.advance(seconds=30)
        edited = await replaced(service, kiran, **{**kiran, **foreign, "name": "Ann"})
        assert edited == {**kiran, "name": "Ann", "updatedAt": edited["updatedAt"]}
        assert edited["updatedAt"] > kiran["updatedAt"]
        *_, last = await traffic.events(service)
        assert (last.type, last.sequence, last.data) == ("PARTICIPANT_UPDATED", 4, edited)
        assert (await traffic.get(service, f"/v2/Conversations/{conversation['id']}"))["updatedAt"] == (
            conversation["updatedAt"]
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"type": "HUMAN_AGENT"},
            {"addresses": [sms(DESK)]},
            {"addresses": [on("SMS", US, "SM1")]},
            {"addresses": [on("SMS", f"tel:{US}")]},
            {"addresses": [sms(US), sms(DESK)]},
            {"addresses": []},
            {"name": "Ann"},
        ],
    )
    async def test_every_change_is_one_event(self, service: Service, change: dict[str, Any]) -> None:
        conversation = await pair(service)
        _, us = conversation["participants"]
        before = await traffic.event_types(service)
        for _ in range(2):
            await replaced(service, us, **{**us, **change})
        assert await traffic.event_types(service) == [*before, "PARTICIPANT_UPDATED"]
        await keys_of(service, conversation)

    async def test_the_time_of_a_change_does_not_go_back(self, service: Service) -> None:
        """A request that has waited is older than the one that it waited for."""
        clock = stop_clock(service)
        _, us = (await pair(service))["participants"]
        clock.advance(seconds=-30)
        assert (await replaced(service, us, **{**us, "name": "Ann"}))["updatedAt"] == us["updatedAt"]

    async def test_the_order_of_addresses_is_the_callers(self, service: Service) -> None:
        _, us = (await pair(service))["participants"]
        addresses = [on(channel, f"x{number}") for number in range(8) for channel in ("RCS", "CHAT", "VIDEO")]
        for order in (addresses, addresses[::-1], addresses[5:] + addresses[:5]):
            after = await replaced(service, us, addresses=order)
            assert [(one["channel"], one["address"]) for one in after["addresses"]] == [
                (one["channel"], one["address"]) for one in order
            ]
            assert after["name"] == order[0]["address"]

    async def test_traffic_follows_the_addresses(self, service: Service) -> None:
        conversation = await pair(service)
        kiran, _ = conversation["participants"]
        await replaced(service, kiran, **{**kiran, "addresses": [sms(OTHER_PHONE)]})
        assert await keys_of(service, conversation) == {f"addresses {OTHER_PHONE} {US}"}
        await traffic.message(service, OTHER_PHONE, US, "new")
        await traffic.message(service, KIRAN, US, "old")
        assert await traffic.texts(service) == [["new"], ["old"]]

    async def test_nothing_is_held_for_somebody_without_addresses(self, service: Service) -> None:
        conversation = await pair(service)
        kiran, _ = conversation["participants"]
        bare = await replaced(service, kiran, **{**kiran, "addresses": []})
        assert (bare["addresses"], bare["profileId"]) == ([], kiran["profileId"])
        assert await keys_of(service, conversation) == set()
        again = await create(
            service, customer(sms(KIRAN)), agent(sms(US)), configurationId=conversation["configurationId"]
        )
        conflict(await put(service, kiran, addresses=[sms(KIRAN)]), again)

    async def test_who_faces_whom_follows_the_types(self, service: Service) -> None:
        conversation = await pair(service)
        kiran, _ = conversation["participants"]
        third = await join(service, conversation, someone("UNKNOWN", sms(DESK)))
        with_us, with_desk, among_us = (
            f"addresses {two}" for two in (f"{KIRAN} {US}", f"{KIRAN} {DESK}", f"{DESK} {US}")
        )
        assert await keys_of(service, conversation) == {with_us, with_desk, among_us}
        await replaced(service, third, type="AGENT")
        assert await keys_of(service, conversation) == {with_us, with_desk}
        await replaced(service, kiran, type="AI_AGENT")
        assert await keys_of(service, conversation) == set()
