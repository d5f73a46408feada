"""Conversations that are ended while traffic waits for them, step by step."""

import asyncio

import pytest

from orchestrator.configurations import service as configurations
from orchestrator.conversations import service as conversations
from orchestrator.conversations.changes import Change, change
from orchestrator.conversations.model import Conversation
from orchestrator.domain.lifecycle import Status
from orchestrator.outbox.record import Outbox
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.memory import until_somebody_waits_for
from tests.support.traffic import KIRAN, OTHER_PHONE, US


async def open_again(service: Service, *senders: str) -> list[Conversation]:
    """The conversations where messages of these senders would land, in one unit."""
    async with service.units.begin() as unit:
        ((configuration,),) = (await configurations.current(unit, {service.account.account_id})).values()
        scope = (service.account.account_id, configuration.id)
        wanted = {(*scope, f"addresses {sender} {US}"): configuration for sender in senders}
        return list((await conversations.open_for(unit, Outbox(unit), wanted)).values())


async def while_ending(service: Service, *senders: str) -> list[Conversation]:
    """The same, for those who come while the first conversation is ended."""
    await make_configuration(service)
    for sender in senders:
        await traffic.message(service, sender, US)
    first, *_ = await traffic.conversations(service)
    async with service.units.begin() as unit:
        await change(unit, service.account.account_id, first["id"], Change(status=Status.CLOSED))
        coming = asyncio.create_task(open_again(service, *senders))
        await until_somebody_waits_for(unit)
    return await coming


async def test_one_message_opens_another_conversation(service: Service) -> None:
    (opened,) = await while_ending(service, KIRAN)
    assert opened.is_new


async def test_several_begin_again_and_hold_nothing_meanwhile(service: Service) -> None:
    """Whoever takes the key next may be waiting for one of the conversations that are locked already."""
    with pytest.raises(conversations.Overtaken):
        await while_ending(service, KIRAN, OTHER_PHONE)
    assert {one.is_new for one in await open_again(service, KIRAN, OTHER_PHONE)} == {True, False}
