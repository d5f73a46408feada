"""What is refused: a message is not sent and the field is named, or nothing is there; nothing is left behind."""

import json
from typing import Any

import pytest

from orchestrator.kernel.ids import PARTICIPANT, new_id
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.performing import (
    SMS_OF_KIRAN,
    SMS_OF_US,
    ask,
    asked,
    between_kiran_and_us,
    make_conversation,
    path,
    sending,
    with_kiran,
)
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

STRANGER = new_id(PARTICIPANT)
NO_CONVERSATION = "conv_conversation_01kgh3m8qce0m9x2t6v4b7r5zn"
NO_ACTION = "conv_action_01kgh3m8qce0m9x2t6v4b7r5zn"
TEMPLATE = "HX0123456789abcdef0123456789abcdef"


async def refused(service: Service, conversation: dict[str, Any], body: Any) -> dict[str, Any]:
    """The refusal of a request, which changed nothing."""
    before = await traffic.row_counts(service)
    problem = refusal(await service.api.post(path(conversation), json=body), 400, 20001)
    assert await traffic.row_counts(service) == before
    return problem


def naming(payload: dict[str, Any]) -> dict[str, Any]:
    return {"type": "SEND_MESSAGE", "payload": payload}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "/type"),
        ({"type": "SEND_MESSAGE"}, "/payload"),
        ({"type": "START_FLOW", "payload": {"flowId": "FW0"}}, "/type"),
        ({"type": "send_message", "payload": sending()}, "/type"),
        (naming(sending(from_=None)), "/payload/from"),
        (naming(sending(to=None)), "/payload/to"),
        (naming(sending(to=[])), "/payload/to"),
        (naming(sending(to=[SMS_OF_KIRAN] * 101)), "/payload/to"),
        (naming(sending(to=SMS_OF_KIRAN)), "/payload/to"),
        (naming(sending(content=None)), "/payload/content"),
        (naming(sending(content={})), "/payload/content"),
        (naming(sending(content={"text": None})), "/payload/content"),
        (naming(sending(content={"text": " \n"})), "/payload/content"),
        (naming(sending(content={"mediaUrls": []})), "/payload/content"),
        (naming(sending(content={"variables": {"name": "Kiran"}})), "/payload/content"),
        (naming(sending(content={"text": "hello", "type": "TEXT"})), "/payload/content/type"),
        (naming(sending(content={"text": "nul \x00"})), "/payload/content/text"),
        (naming(sending(content={"text": 7})), "/payload/content/text"),
        (naming(sending(content={"contentId": "HX123"})), "/payload/content/contentId"),
        (naming(sending(content={"contentId": "MG" + TEMPLATE[2:]})), "/payload/content/contentId"),
        (naming(sending(content={"contentId": TEMPLATE, "variables": {"1": 1}})), "/payload/content/variables/1"),
        (naming(sending(content={"mediaUrls": ["ftp://example.com/a"]})), "/payload/content/mediaUrls/0"),
        (naming(sending(content={"mediaUrls": ["https://"]})), "/payload/content/mediaUrls/0"),
        (naming(sending(content={"mediaUrls": ["https://example.com/a b"]})), "/payload/content/mediaUrls/0"),
        (naming(sending(content={"mediaUrls": ["https://[::1/a"]})), "/payload/content/mediaUrls/0"),
        (naming(sending(channelSettings="none")), "/payload/channelSettings"),
        (naming(sending(channelSettings={"a": [{"b": "\x00"}]})), "/payload/channelSettings"),
        (naming(sending(channelSettings={"\x00": 1})), "/payload/channelSettings"),
        (naming(sending(channelSettings={"a": 2**64})), "/payload/channelSettings"),
        (naming(sending(from_={"channel": "PIGEON", "address": "x"})), "/payload/from/channel"),
        (naming(sending(from_={})), "/payload/from"),
        (naming(sending(from_={"channel": "SMS"})), "/payload/from"),
        (naming(sending(from_={"address": US})), "/payload/from"),
        (naming(sending(from_={"channel": "SMS", "address": ""})), "/payload/from"),
        (naming(sending(from_={"channel": "SMS", "address": "+1"})), "/payload/from"),
        (naming(sending(from_={"participantId": STRANGER})), "/payload/from"),
        (naming(sending(from_={"participantId": ""})), "/payload/from"),
        (naming(sending(to=[SMS_OF_KIRAN, {"participantId": STRANGER, "channel": "SMS"}])), "/payload/to/1"),
        (naming(sending(to=[{"channel": "WHATSAPP", "address": f"whatsapp:{KIRAN}"}])), "/payload/to/0"),
        (naming(sending(to=[{"channel": "SMS", "address": f"tel:{US}"}])), "/payload/to/0"),
        (naming(sending(to=[SMS_OF_KIRAN, SMS_OF_KIRAN])), "/payload/to/1"),
    ],
)
async def test_a_wrong_field_is_named(service: Service, body: Any, field: str) -> None:
    problem = await refused(service, await between_kiran_and_us(service), body)
    assert problem["params"]["field"] == field
    assert problem["message"].startswith(f"{field}: ")


async def test_only_the_one_type_is_accepted_and_the_refusal_says_so(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    problem = await refused(service, conversation, {"type": "START_FLOW", "payload": {"flowId": "FW0"}})
    assert "SEND_MESSAGE" in problem["message"]


@pytest.mark.parametrize("channel", ["VOICE", "VIDEO", "EMAIL"])
async def test_on_some_channels_nothing_is_sent(service: Service, channel: str) -> None:
    addresses = [{"channel": channel, "address": "one@example.com" if channel == "EMAIL" else "+15550000001"}]
    conversation = await make_conversation(service, {"type": "AGENT", "addresses": addresses})
    (agent,) = conversation["participants"]
    for sender in (addresses[0], {"participantId": agent["id"], "channel": channel}, {"participantId": agent["id"]}):
        problem = await refused(service, conversation, naming(sending(from_=sender)))
        assert problem["message"] == f"/payload/from: {channel} is not sendable; send on SMS, RCS, WHATSAPP, CHAT"


async def test_a_participant_who_cannot_be_met_there(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    customer = traffic.member(conversation, KIRAN)["id"]
    to = [{"participantId": customer, "channel": "WHATSAPP"}]
    problem = await refused(service, conversation, naming(sending(to=to)))
    assert problem["message"] == f"/payload/to/0: participant {customer} has no address on WHATSAPP"


async def test_an_address_beside_a_participant_must_be_one(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    customer = traffic.member(conversation, KIRAN)["id"]
    to = [{"participantId": customer, "channel": "SMS", "address": "+1"}]
    assert (await refused(service, conversation, naming(sending(to=to))))["params"]["field"] == "/payload/to/0"


async def test_nobody_writes_to_themselves(service: Service) -> None:
    """Nor from one address of theirs to another."""
    addresses = [SMS_OF_US, {"channel": "SMS", "address": "+16505550200"}]
    conversation = await make_conversation(service, {"type": "AGENT", "addresses": addresses})
    (agent,) = conversation["participants"]
    ends = [{"participantId": agent["id"], **address} for address in addresses]
    problem = await refused(service, conversation, naming(sending(from_=ends[0], to=[ends[1]])))
    assert problem["params"]["field"] == "/payload/to/0"


@pytest.mark.parametrize("settings", [None, {}, {"channelId": ""}, {"channelId": 7}, {"channelId": "c" * 257}])
async def test_a_chat_message_needs_its_chat(service: Service, settings: dict[str, Any] | None) -> None:
    sender, recipient = {"channel": "CHAT", "address": "agent-1"}, {"channel": "CHAT", "address": "Kiran"}
    conversation = await with_kiran(service, recipient)
    payload = sending(from_=sender, to=[recipient], channelSettings=settings)
    problem = await refused(service, conversation, naming(payload))
    assert problem["params"]["field"] == "/payload/channelSettings/channelId"


async def test_a_closed_conversation_gets_no_messages(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    await traffic.change(service, conversation, status="CLOSED")
    problem = await refused(service, conversation, naming(sending()))
    assert "CLOSED" in problem["message"]


async def test_one_whose_time_is_over_gets_none_either(service: Service) -> None:
    """Whether or not that has been written down yet."""
    clock = stop_clock(service)
    conversation = await between_kiran_and_us(service)
    clock.advance(minutes=59)
    await asked(service, conversation)
    clock.advance(minutes=1)
    await refused(service, conversation, naming(sending()))


@pytest.mark.parametrize("conversation_id", ["x", NO_CONVERSATION, "conv_conversation_%00"])
async def test_an_unknown_conversation_is_told_before_a_wrong_body(service: Service, conversation_id: str) -> None:
    refusal(await ask(service, {"id": conversation_id}, sending()), 404, 20404)
    refusal(await service.api.post(path({"id": conversation_id}), json={}), 404, 20404)
    refusal(await service.api.get(f"{path({'id': conversation_id})}/conv_action_x"), 404, 20404)


async def test_only_json_is_read(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    response = await service.api.post(path(conversation), data={"type": "SEND_MESSAGE"})
    refusal(response, 415, 20415)


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"a": ' + "[" * 300 + "]" * 300 + "}"])
async def test_settings_that_cannot_be_stored(service: Service, text: str) -> None:
    conversation = await between_kiran_and_us(service)
    before = await traffic.row_counts(service)
    body = json.dumps(naming(sending(channelSettings="here"))).replace('"here"', text)
    response = await service.api.post(path(conversation), content=body, headers={"Content-Type": "application/json"})
    assert refusal(response, 400, 20001)["params"]["field"] == "/payload/channelSettings"
    assert await traffic.row_counts(service) == before


@pytest.mark.parametrize(
    "action_id",
    ["x", NO_ACTION, "conv_action_\x00", NO_CONVERSATION],
)
async def test_an_unknown_action_is_not_found(service: Service, action_id: str) -> None:
    conversation = await between_kiran_and_us(service)
    refusal(await service.api.get(f"{path(conversation)}/{action_id.replace(chr(0), '%00')}"), 404, 20404)


async def test_an_action_is_found_in_its_conversation_and_account_only(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    other = await make_conversation(service)
    action = await asked(service, conversation)
    refusal(await service.api.get(f"{path(other)}/{action['id']}"), 404, 20404)
    async with service.client(await service.new_account()) as stranger:
        refusal(await stranger.get(f"{path(conversation)}/{action['id']}"), 404, 20404)
        body = {"type": "SEND_MESSAGE", "payload": sending()}
        refusal(await stranger.post(path(conversation), json=body), 404, 20404)
    async with service.client() as nobody:
        refusal(await nobody.get(f"{path(conversation)}/{action['id']}"), 401, 20003)
