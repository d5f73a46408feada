"""Recognising customers from traffic: `memory.identity`, used directly with units of work."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from orchestrator.domain.addresses import Channel, parse
from orchestrator.domain.identity import Identifier, recognition
from orchestrator.domain.linking import Linking
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.unit import Units
from orchestrator.memory import identity
from orchestrator.memory.identity import Resolution, Subject
from orchestrator.memory.service import adopt_store
from tests.support.app import Service
from tests.support.memory import (
    identifiers_of,
    new_phone,
    new_profile,
    new_store,
    post_profile,
    profile_traits,
    rows_of_store,
    until_somebody_waits_for,
)


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


@pytest.fixture
async def many_units(database_url: str) -> AsyncIterator[Units]:
    """Enough connections for a real crowd."""
    engine = create_engine(database_url, pool_size=25)
    yield Units(engine, Clock())
    await engine.dispose()


def subject(account_id: str, store: str, channel: Channel, address: str, *, link: bool = True) -> Subject:
    recognised_by = recognition(parse(channel, address), linking=Linking(phone_and_whatsapp=link))
    assert recognised_by is not None
    return Subject(account_id, store, recognised_by)


async def recognise(service: Service, subjects: Iterable[Subject], *, create: bool = True) -> list[Resolution]:
    """Resolve subjects in one unit of work, as a batch of traffic does."""
    wanted = list(subjects)
    async with service.units.begin() as unit:
        find = identity.recognise_or_create if create else identity.recognise
        resolved = await find(unit, wanted)
    return [resolved[one] for one in wanted]


async def test_a_stranger_gets_a_profile_and_is_found_by_it(service: Service, store: str) -> None:
    phone = new_phone()
    caller = subject(service.account.account_id, store, Channel.VOICE, phone)
    [unknown] = await recognise(service, [caller], create=False)
    assert unknown == Resolution(None, "unknown")
    assert await rows_of_store(service, store) == [[], [], []]

    [created] = await recognise(service, [caller])
    assert created.profile_id is not None
    assert (created.outcome, created.identifier) == ("created", Identifier("phone", phone))
    assert await identifiers_of(service, store, created.profile_id) == {"phone": [phone]}
    assert await profile_traits(service, store, created.profile_id) == {"Contact": {"phone": phone}}

    for create in (True, False):
        [found] = await recognise(service, [caller], create=create)
        assert found == Resolution(created.profile_id, "found", Identifier("phone", phone))


async def test_a_profile_made_over_the_api_is_found(service: Service, store: str) -> None:
    account = service.account.account_id
    profile_id = await new_profile(
        service, store, phone="(555) 123-4567", email="K@Example.com", chat="client:kiran", firstName="Kiran"
    )
    for one in (
        subject(account, store, Channel.SMS, "+15551234567"),
        subject(account, store, Channel.RCS, "rcs:+15551234567"),
        subject(account, store, Channel.WHATSAPP, "whatsapp:+15551234567"),
        subject(account, store, Channel.EMAIL, "k@example.com"),
        subject(account, store, Channel.CHAT, "client:kiran"),
    ):
        assert (await recognise(service, [one]))[0].profile_id == profile_id


async def test_whatsapp_after_sms_finds_the_profile_and_links_itself(service: Service, store: str) -> None:
    account, phone = service.account.account_id, new_phone()
    [by_sms] = await recognise(service, [subject(account, store, Channel.SMS, phone)])
    # Looking up is enough to link: nothing has to be created.
    whatsapp = subject(account, store, Channel.WHATSAPP, f"whatsapp:{phone}")
    [by_whatsapp] = await recognise(service, [whatsapp], create=False)
    assert by_whatsapp == Resolution(by_sms.profile_id, "found", Identifier("phone", phone))
    assert by_sms.profile_id is not None
    held = await identifiers_of(service, store, by_sms.profile_id)
    assert held == {"phone": [phone], "whatsapp": [f"whatsapp:{phone}"]}
    [again] = await recognise(service, [whatsapp])
    assert again == Resolution(by_sms.profile_id, "found", Identifier("whatsapp", f"whatsapp:{phone}"))


async def test_sms_after_whatsapp_finds_the_profile(service: Service, store: str) -> None:
    account, phone = service.account.account_id, new_phone()
    [by_whatsapp] = await recognise(service, [subject(account, store, Channel.WHATSAPP, phone)])
    assert (by_whatsapp.outcome, by_whatsapp.identifier) == ("created", Identifier("phone", phone))
    [by_sms] = await recognise(service, [subject(account, store, Channel.SMS, phone)])
    assert by_sms == Resolution(by_whatsapp.profile_id, "found", Identifier("phone", phone))
    assert by_sms.profile_id is not None
    held = await identifiers_of(service, store, by_sms.profile_id)
    assert held == {"phone": [phone], "whatsapp": [f"whatsapp:{phone}"]}


async def test_a_whatsapp_profile_gains_the_phone(service: Service, store: str) -> None:
    phone = new_phone()
    profile_id = await new_profile(service, store, whatsapp=phone)
    account = service.account.account_id
    assert (await recognise(service, [subject(account, store, Channel.WHATSAPP, phone)]))[0].profile_id == profile_id
    assert (await recognise(service, [subject(account, store, Channel.SMS, phone)]))[0].profile_id == profile_id


async def test_an_identifier_of_somebody_else_stays_there(service: Service, store: str) -> None:
    phone = new_phone()
    by_whatsapp = await new_profile(service, store, whatsapp=phone)
    by_phone = await new_profile(service, store, phone=phone)
    before = await rows_of_store(service, store)
    account = service.account.account_id
    both = [subject(account, store, Channel.WHATSAPP, phone), subject(account, store, Channel.SMS, phone)]
    assert [one.profile_id for one in await recognise(service, both)] == [by_whatsapp, by_phone]
    assert await rows_of_store(service, store) == before


async def test_without_linking_sms_and_whatsapp_are_two_people(service: Service, store: str) -> None:
    account, phone = service.account.account_id, new_phone()
    channels = (Channel.SMS, Channel.WHATSAPP)
    resolved = await recognise(service, [subject(account, store, one, phone, link=False) for one in channels])
    assert [one.outcome for one in resolved] == ["created", "created"]
    assert resolved[0].profile_id != resolved[1].profile_id


async def test_one_person_several_times_in_a_batch(service: Service, store: str) -> None:
    account, phone, known = service.account.account_id, new_phone(), new_phone()
    profile_id = await new_profile(service, store, phone=known)
    batch = [
        subject(account, store, Channel.WHATSAPP, phone),
        subject(account, store, Channel.SMS, known),
        subject(account, store, Channel.SMS, phone),
        subject(account, store, Channel.CHAT, "kiran"),
    ]
    by_whatsapp, found, by_sms, by_chat = await recognise(service, batch)
    assert (found.outcome, found.profile_id) == ("found", profile_id)
    assert by_whatsapp.profile_id == by_sms.profile_id is not None
    assert by_chat.profile_id not in {None, profile_id, by_sms.profile_id}
    assert await identifiers_of(service, store, by_sms.profile_id) == {
        "phone": [phone],
        "whatsapp": [f"whatsapp:{phone}"],
    }


async def test_a_crowd_on_one_new_number_makes_one_profile(service: Service, store: str, many_units: Units) -> None:
    account, phone = service.account.account_id, new_phone()
    channels = (Channel.SMS, Channel.VOICE, Channel.WHATSAPP)

    async def arrive(number: int) -> str | None:
        one = subject(account, store, channels[number % 3], phone)
        async with many_units.begin() as unit:
            return (await identity.recognise_or_create(unit, [one]))[one].profile_id

    found = await asyncio.gather(*(arrive(number) for number in range(50)))
    assert len(set(found)) == 1
    assert found[0] is not None
    profiles, identifiers, traits = await rows_of_store(service, store)
    assert (len(profiles), len(identifiers)) == (1, 2)
    assert len(traits) in (1, 2), "whoever came first brought what it had"
    held = await identifiers_of(service, store, found[0])
    assert held == {"phone": [phone], "whatsapp": [f"whatsapp:{phone}"]}


async def test_batches_with_the_same_strangers_in_mixed_order(service: Service, store: str, many_units: Units) -> None:
    account, phones = service.account.account_id, [new_phone() for _ in range(20)]

    async def arrive(number: int) -> list[str | None]:
        order = phones[number:] + phones[:number]
        channel = (Channel.SMS, Channel.WHATSAPP)[number % 2]
        batch = {phone: subject(account, store, channel, phone) for phone in order}
        async with many_units.begin() as unit:
            resolved = await identity.recognise_or_create(unit, list(batch.values()))
        return [resolved[batch[phone]].profile_id for phone in phones]

    answers = await asyncio.gather(*(arrive(number) for number in range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert len(set(answers[0])) == 20
    profiles, identifiers, _ = await rows_of_store(service, store)
    assert (len(profiles), len(identifiers)) == (20, 40)


async def test_traffic_and_the_api_agree_on_a_new_person(service: Service, store: str) -> None:
    for _ in range(10):
        phone = new_phone()
        one = subject(service.account.account_id, store, Channel.SMS, phone)
        [arrived], created = await asyncio.gather(
            recognise(service, [one]), new_profile(service, store, phone=phone, firstName="Kiran")
        )
        assert arrived.profile_id == created
        assert await profile_traits(service, store, created) == {"Contact": {"phone": phone, "firstName": "Kiran"}}


async def test_the_api_gives_way_to_traffic_that_waits_for_it(service: Service, store: str) -> None:
    """Traffic holds what the API wants next, and wants what the API holds."""
    account, known, new = service.account.account_id, new_phone(), new_phone()
    profile_id = await new_profile(service, store, phone=known)
    async with service.units.begin() as unit:
        await identity.recognise(unit, [subject(account, store, Channel.WHATSAPP, known)])
        posted = asyncio.create_task(post_profile(service, store, {"Contact": {"phone": new, "whatsapp": known}}))
        await until_somebody_waits_for(unit)
        stranger = subject(account, store, Channel.SMS, new)
        resolved = await identity.recognise_or_create(unit, [stranger])
    response = await posted
    assert (response.status_code, response.json()["id"]) == (202, profile_id)
    merged = await service.fetch("select id from profiles where merged_into = $1", profile_id)
    assert [row["id"] for row in merged] == [resolved[stranger].profile_id]


async def test_a_store_that_is_missing_or_deleted_or_failed(service: Service, store: str) -> None:
    account, phone = service.account.account_id, new_phone()
    deleted, failed = await new_store(service), await new_store(service)
    await new_profile(service, deleted, phone=phone)
    await service.api.delete(f"/v1/ControlPlane/Stores/{deleted}")
    await service.fetch("update memory_stores set status = 'FAILED' where id = $1", failed)
    stores = (deleted, failed, "mem_store_00000000000000000000000000", store)
    for create in (True, False):
        batch = [subject(account, one, Channel.SMS, phone) for one in stores]
        *missing, present = await recognise(service, batch, create=create)
        assert missing == [Resolution(None, "store-missing")] * 3
        assert present.profile_id is not None
    assert await rows_of_store(service, deleted) == [[], [], []]


async def test_accounts_with_the_same_store_id_do_not_see_each_other(service: Service, store: str) -> None:
    phone, another = new_phone(), await service.new_account()
    async with service.units.begin() as unit:
        await adopt_store(unit, another.account_id, store)
    mine, theirs = await recognise(
        service,
        [subject(account, store, Channel.SMS, phone) for account in (service.account.account_id, another.account_id)],
    )
    assert (mine.outcome, theirs.outcome) == ("created", "created")
    assert mine.profile_id != theirs.profile_id
    lookup = {"idType": "phone", "value": phone}
    for account, expected in ((service.account, mine), (another, theirs)):
        async with service.client(account) as api:
            response = await api.post(f"/v1/Stores/{store}/Profiles/Lookup", json=lookup)
            assert response.json()["profiles"] == [expected.profile_id]
            listed = await api.get(f"/v1/Stores/{store}/Profiles")
            assert listed.json()["profiles"] == [expected.profile_id]
    async with service.client(another) as api:
        assert (await api.delete(f"/v1/ControlPlane/Stores/{store}")).status_code == 202
    assert mine.profile_id is not None
    assert await identifiers_of(service, store, mine.profile_id) == {"phone": [phone]}


async def test_nobody_to_recognise(service: Service) -> None:
    assert await recognise(service, []) == []
