"""Open conversations follow profiles that become one, and that are taken apart again (contract: memory.md 6.5, 6.6)."""

from typing import Any

import pytest

from orchestrator.kernel.ids import PROFILE, new_id
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import PATH, agent, close, conflict, create, customer, join, keys_held, post, sms
from tests.support.factories import make_configuration
from tests.support.memory import new_profile, new_store
from tests.support.traffic import BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE, KIRAN, OTHER_PHONE, US

THIRD_PHONE = "+15557770003"


async def met(service: Service, *numbers: str, grouping: str = BY_PROFILE) -> tuple[str, list[str], str]:
    """Somebody new writes from each number: the store, the profiles, and the configuration."""
    store = await new_store(service)
    configuration = await make_configuration(service, conversationGroupingType=grouping, memoryStoreId=store)
    for number in numbers:
        await traffic.message(service, number, US, number)
    return store, [(await profiles(service, number))[-1] for number in numbers], configuration


async def profiles(service: Service, number: str) -> list[str]:
    """The profiles of whoever has a number, conversation by conversation."""
    found = await traffic.conversations(service)
    owners = [
        one for each in found for one in each["participants"] if number in [own["address"] for own in one["addresses"]]
    ]
    return [owner["profileId"] for owner in owners]


async def merge(service: Service, store: str, profile: str, number: str) -> None:
    """Give a profile the number of another one."""
    path = f"/v1/Stores/{store}/Profiles/{profile}/Identifiers"
    answer = await service.api.post(path, json={"idType": "phone", "value": number})
    assert answer.status_code == 202, answer.text


async def statuses(service: Service) -> list[str]:
    return [one["status"] for one in await traffic.conversations(service)]


@pytest.mark.parametrize(
    ("grouping", "landed"),
    [
        (BY_PROFILE, [[KIRAN], [OTHER_PHONE, "again", "too"]]),
        (BY_ADDRESSES, [[KIRAN, "again"], [OTHER_PHONE, "too"]]),
        (BY_ADDRESSES_AND_CHANNEL, [[KIRAN, "again"], [OTHER_PHONE, "too"]]),
    ],
)
async def test_whoever_is_merged_away_is_the_survivor_in_open_conversations(
    service: Service, grouping: str, landed: list[list[str]]
) -> None:
    store, (kiran, _), _ = await met(service, KIRAN, OTHER_PHONE, grouping=grouping)
    survivors, followers = await traffic.conversations(service)
    before = await traffic.events(service, survivors)
    await merge(service, store, kiran, OTHER_PHONE)
    assert await profiles(service, OTHER_PHONE) == [kiran]
    assert await traffic.events(service, survivors) == before
    told = (await traffic.events(service, followers))[-1]
    _, after = await traffic.conversations(service)
    assert (told.type, told.data) == ("PARTICIPANT_UPDATED", traffic.member(after, OTHER_PHONE))
    await traffic.message(service, KIRAN, US, "again")
    await traffic.message(service, OTHER_PHONE, US, "too")
    assert await traffic.texts(service) == landed
    assert await statuses(service) == ["ACTIVE", "ACTIVE"]


async def test_the_latest_communication_decides_and_the_next_one_inherits(service: Service) -> None:
    store, (first, second, third), _ = await met(service, KIRAN, OTHER_PHONE, THIRD_PHONE)
    await traffic.message(service, KIRAN, US, "latest")
    await merge(service, store, second, THIRD_PHONE)
    await merge(service, store, first, THIRD_PHONE)
    assert third not in [*await profiles(service, OTHER_PHONE), *await profiles(service, THIRD_PHONE)]
    one, other, last = await traffic.conversations(service)
    for number, conversation in ((OTHER_PHONE, one), (KIRAN, last), (THIRD_PHONE, other)):
        await traffic.message(service, number, US, "where")
        assert (await traffic.communications(service, conversation))[-1]["content"]["text"] == "where"
        await close(service, conversation)
    await traffic.message(service, KIRAN, US, "new")
    assert (await traffic.texts(service))[3:] == [["new"]]
    assert await statuses(service) == ["CLOSED", "CLOSED", "CLOSED", "ACTIVE"]


async def test_who_waits_for_a_key_has_it_when_its_holder_is_deleted_or_overdue(service: Service) -> None:
    store, (kiran, *_), configuration = await met(service, KIRAN, OTHER_PHONE, THIRD_PHONE)
    await merge(service, store, kiran, OTHER_PHONE)
    await merge(service, store, kiran, THIRD_PHONE)
    first, second, third = await traffic.conversations(service)
    answer = await service.api.delete(f"{PATH}/{third['id']}")
    assert answer.status_code == 202
    anew = customer(sms(KIRAN)), agent(sms(US))
    conflict(await post(service, *anew, configurationId=configuration), second)
    service.clock.advance(minutes=30)
    await service.api.post(
        f"{PATH}/{first['id']}/Communications",
        json={
            "author": {"channel": "SMS", "address": KIRAN},
            "recipients": [{"channel": "SMS", "address": US}],
            "content": {"type": "TEXT", "text": "said"},
        },
    )
    service.clock.advance(minutes=40)
    conflict(await post(service, *anew, configurationId=configuration), first)
    service.clock.advance(minutes=61)
    created = await create(service, *anew, configurationId=configuration)
    assert await statuses(service) == ["CLOSED", "CLOSED", "ACTIVE"]
    held = await keys_held(service.fetch, service.account.account_id)
    assert held == {(configuration, f"profile {kiran}", created["id"])}
    assert await waiting(service) == []


async def waiting(service: Service) -> list[tuple[str, str]]:
    """Who waits for which key."""
    query = "select key, conversation_id from waiting_keys where account_id = $1"
    return [tuple(row) for row in await service.fetch(query, service.account.account_id)]


async def test_whoever_is_somebody_else_by_now_waits_no_more(service: Service) -> None:
    store, (kiran, _), _ = await met(service, KIRAN, OTHER_PHONE)
    await merge(service, store, kiran, OTHER_PHONE)
    first, _ = await traffic.conversations(service)
    assert await waiting(service) == [(f"profile {kiran}", first["id"])]
    other = await new_profile(service, store, phone=THIRD_PHONE)
    them = traffic.member(first, KIRAN)
    answer = await service.api.put(f"{PATH}/{first['id']}/Participants/{them['id']}", json={**them, "profileId": other})
    assert answer.status_code == 200, answer.text
    assert await waiting(service) == []
    await traffic.message(service, THIRD_PHONE, US, "mine")
    assert await traffic.texts(service) == [[KIRAN, "mine"], [OTHER_PHONE]]


async def test_closed_conversations_keep_the_old_id(service: Service) -> None:
    store, (kiran, other), _ = await met(service, KIRAN, OTHER_PHONE)
    _, theirs = await traffic.conversations(service)
    await close(service, theirs)
    before = await traffic.events(service)
    await merge(service, store, kiran, OTHER_PHONE)
    assert await profiles(service, OTHER_PHONE) == [other]
    assert await traffic.events(service) == before
    await traffic.message(service, OTHER_PHONE, US, "again")
    assert await traffic.texts(service) == [[KIRAN, "again"], [OTHER_PHONE]]


async def test_a_conversation_that_is_overdue_is_closed_before_it_could_follow(service: Service) -> None:
    store, (kiran, other), _ = await met(service, KIRAN, OTHER_PHONE)
    service.clock.advance(minutes=61)
    await merge(service, store, kiran, OTHER_PHONE)
    assert await statuses(service) == ["CLOSED", "CLOSED"]
    assert await profiles(service, OTHER_PHONE) == [other]


async def test_a_profile_that_a_caller_names_is_the_one_it_is_part_of(service: Service) -> None:
    store, (kiran, other), configuration = await met(service, KIRAN, OTHER_PHONE)
    pinned = await create(
        service, agent(sms(US), profileId=other), customer(sms(THIRD_PHONE)), configurationId=configuration
    )
    await merge(service, store, kiran, OTHER_PHONE)
    ours = await traffic.get(service, f"{PATH}/{pinned['id']}/Participants/{pinned['participants'][0]['id']}")
    assert ours["profileId"] == kiran
    for conversation in await traffic.conversations(service):
        await close(service, conversation)
    stranger = new_id(PROFILE)
    created = await create(
        service,
        customer(sms(THIRD_PHONE), profileId=other),
        customer(sms(KIRAN), profileId=stranger),
        agent(sms(US), profileId=other),
        configurationId=configuration,
    )
    assert [one["profileId"] for one in created["participants"]] == [kiran, stranger, kiran]
    joined = await join(service, created, customer(sms(OTHER_PHONE), profileId=other))
    assert joined["profileId"] == kiran
    path = f"{PATH}/{created['id']}/Participants/{created['participants'][1]['id']}"
    answer = await service.api.put(path, json={**created["participants"][1], "profileId": other})
    assert answer.json()["profileId"] == kiran, answer.text
    await traffic.message(service, OTHER_PHONE, US, "mine")
    assert await traffic.texts(service) == [[KIRAN], [OTHER_PHONE], [], ["mine"]]


async def undo(service: Service, store: str) -> list[dict[str, Any]]:
    """Undo the last merge; returns the conflicts."""
    path = f"/orchestrator/v1/Stores/{store}/Merges"
    last, *_ = (await traffic.get(service, path))["merges"]
    answer = await service.api.post(f"{path}/{last['id']}/Undo")
    assert answer.status_code == 200, answer.text
    conflicts: list[dict[str, Any]] = answer.json()["conflicts"]
    return conflicts


async def test_whoever_was_merged_away_is_back_after_a_split(service: Service) -> None:
    store, (kiran, other), configuration = await met(service, KIRAN, OTHER_PHONE)
    await merge(service, store, kiran, OTHER_PHONE)
    assert await undo(service, store) == []
    first, second = await traffic.conversations(service)
    assert await profiles(service, KIRAN) == [kiran]
    assert await profiles(service, OTHER_PHONE) == [other]
    told = (await traffic.events(service, second))[-1]
    assert (told.type, told.data) == ("PARTICIPANT_UPDATED", traffic.member(second, OTHER_PHONE))
    assert await keys_held(service.fetch, service.account.account_id) == {
        (configuration, f"profile {kiran}", first["id"]),
        (configuration, f"profile {other}", second["id"]),
    }
    assert await waiting(service) == []
    await traffic.message(service, KIRAN, US, "mine")
    assert await traffic.texts(service) == [[KIRAN, "mine"], [OTHER_PHONE]]


async def test_whoever_came_since_goes_where_all_addresses_belong(service: Service) -> None:
    store, (kiran, other), _ = await met(service, KIRAN, OTHER_PHONE)
    await merge(service, store, kiran, OTHER_PHONE)
    for conversation in await traffic.conversations(service):
        await close(service, conversation)
    await traffic.message(service, OTHER_PHONE, US, "new")
    assert await profiles(service, OTHER_PHONE) == [kiran, kiran]
    assert await undo(service, store) == []
    assert await profiles(service, OTHER_PHONE) == [kiran, other]
    await traffic.message(service, OTHER_PHONE, US, "again")
    await traffic.message(service, KIRAN, US, "mine")
    assert (await traffic.texts(service))[2:] == [["new", "again"], ["mine"]]


async def test_whoever_is_known_by_addresses_of_both_stays_and_is_told_of(service: Service) -> None:
    store, (kiran, other), _ = await met(service, KIRAN, OTHER_PHONE)
    await merge(service, store, kiran, OTHER_PHONE)
    await traffic.message(service, KIRAN, US, "here too")
    _, both = await traffic.conversations(service)
    unclear = traffic.member(both, OTHER_PHONE)
    assert [own["address"] for own in unclear["addresses"]] == [OTHER_PHONE, KIRAN]
    (told,) = await undo(service, store)
    assert {name: value for name, value in told.items() if value is not None} == {
        "kind": "participant",
        "conversationId": both["id"],
        "participantId": unclear["id"],
        "addresses": [{"channel": "SMS", "address": OTHER_PHONE}],
    }
    assert await profiles(service, OTHER_PHONE) == [kiran]
    await traffic.message(service, OTHER_PHONE, US, "mine")
    assert await profiles(service, OTHER_PHONE) == [kiran, other]
    assert await traffic.texts(service) == [[KIRAN], [OTHER_PHONE, "here too"], ["mine"]]
