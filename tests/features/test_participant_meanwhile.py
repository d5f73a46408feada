"""Participants that change while others wait for their conversation, step by step."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from orchestrator.conversations import membership
from orchestrator.conversations import service as conversations
from orchestrator.domain.linking import LINKED
from orchestrator.participants.schemas import UpdateParticipantInConversationRequest, to_introduction
from tests.features.test_participant_writes import DESK, pair, put
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import conflict, customer, keys_of, people, sms
from tests.support.memory import until_somebody_waits_for
from tests.support.traffic import KIRAN, OTHER_PHONE, US


async def while_replacing(
    service: Service, participant: dict[str, Any], body: dict[str, Any], meanwhile: Coroutine[Any, Any, Any]
) -> Any:
    """Replace a participant, and let somebody come before that is committed; returns what they get."""
    request = UpdateParticipantInConversationRequest.model_validate(body)
    async with service.units.begin() as unit:
        seen = await conversations.find(unit, participant["accountId"], participant["conversationId"])
        introduction = to_introduction(request, request.addresses or (), "")
        await membership.revise(unit, seen, participant["id"], introduction, keep_addresses=False, linking=LINKED)
        coming = asyncio.create_task(meanwhile)
        await until_somebody_waits_for(unit)
    return await coming


async def test_a_message_to_an_address_that_is_given_up_opens_another_conversation(service: Service) -> None:
    conversation = await pair(service)
    kiran, _ = conversation["participants"]
    moved = {**kiran, "addresses": [sms(OTHER_PHONE)]}
    await while_replacing(service, kiran, moved, traffic.message(service, KIRAN, US, "old"))
    await traffic.message(service, OTHER_PHONE, US, "new")
    assert await traffic.texts(service) == [["new"], ["old"]]
    assert await keys_of(service, conversation) == {f"addresses {OTHER_PHONE} {US}"}


async def test_a_message_to_an_address_that_is_taken_on_joins(service: Service) -> None:
    conversation = await pair(service)
    kiran, _ = conversation["participants"]
    more = {**kiran, "addresses": [sms(KIRAN), sms(OTHER_PHONE)]}
    await while_replacing(service, kiran, more, traffic.message(service, OTHER_PHONE, US, "new"))
    assert await traffic.texts(service) == [["new"]]
    assert len(await keys_of(service, conversation)) == 2


async def test_somebody_who_joins_while_we_move_holds_only_what_is_meant_then(service: Service) -> None:
    conversation = await pair(service)
    _, us = conversation["participants"]
    moved = {**us, "addresses": [sms(DESK)]}
    joining = service.api.post(people(conversation), json=customer(sms(OTHER_PHONE)))
    answer = await while_replacing(service, us, moved, joining)
    assert answer.status_code == 201
    pairs = (sorted((them, DESK)) for them in (KIRAN, OTHER_PHONE))
    assert await keys_of(service, conversation) == {"addresses {} {}".format(*one) for one in pairs}


@pytest.mark.parametrize("later", [sms(OTHER_PHONE), sms(KIRAN)])
async def test_a_change_that_comes_second_counts(service: Service, later: dict[str, Any]) -> None:
    conversation = await pair(service)
    kiran, us = conversation["participants"]
    await while_replacing(
        service, us, {**us, "addresses": [sms(DESK)]}, put(service, kiran, **{**kiran, "addresses": [later]})
    )
    pair_of_now = sorted((later["address"], DESK))
    assert await keys_of(service, conversation) == {"addresses {} {}".format(*pair_of_now)}


async def test_an_address_that_somebody_takes_meanwhile_is_theirs(service: Service) -> None:
    conversation = await pair(service)
    kiran, us = conversation["participants"]
    taken = {**kiran, "addresses": [sms(KIRAN), sms(DESK)]}
    conflict(await while_replacing(service, kiran, taken, put(service, us, **{**us, "addresses": [sms(DESK)]})), kiran)
    assert len(await keys_of(service, conversation)) == 2
