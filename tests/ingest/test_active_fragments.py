"""Speech of calls that say where they belong: it lands there without a rule, and elsewhere by rules as ever."""

import asyncio
import json

import pytest

from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import (
    CALL,
    CONFIGURATION,
    CONVERSATION,
    OTHER_CALL,
    SILENT,
    addresses,
    create,
    fragment,
    other_process,
    poll,
    said,
    tell_call,
    tell_fragment,
)
from tests.support.factories import make_configuration
from tests.support.traffic import BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, KIRAN, US
from tests.support.webhooks import VOICE, error, post_form, post_json


async def spoken_in(service: Service, conversation_id: str) -> list[str]:
    """The texts of one conversation."""
    found = await traffic.communications(service, {"id": conversation_id})
    return [one["content"]["text"] for one in found]


async def test_fragments_land_where_their_call_belongs(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, **{CONFIGURATION: configuration_id})
    await tell_fragment(service, "hello", 1)
    await tell_fragment(service, "how can I help?", 2, Track="outbound_track", **{CONFIGURATION: configuration_id})
    question, answer = await said(service)
    assert [question["author"]["address"], answer["author"]["address"]] == [KIRAN, US]
    assert {question["channelId"], answer["channelId"]} == {CALL}
    found = await traffic.trace(service, question)
    assert (found["rule"], found["attribute"]) == (None, {"name": CONFIGURATION, "value": configuration_id})
    assert (found["configurationId"], found["configurationVersion"]) == (configuration_id, 1)
    assert found["key"] == f"addresses {KIRAN} {US}"
    assert found["sides"] == {"author": "CUSTOMER", "recipient": "AGENT", "toldBy": "direction"}


async def test_fragments_land_in_the_conversation_that_their_call_names(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    made = await create(service, configuration_id)
    await tell_call(service, **{CONVERSATION: made["id"]})
    await tell_fragment(service)
    (spoken,) = await said(service)
    found = await traffic.trace(service, spoken)
    assert found["attribute"] == {"name": CONVERSATION, "value": made["id"]}
    assert (found["rule"], found["key"], found["configurationId"]) == (None, None, configuration_id)
    assert found["profile"]["outcome"] == "found"


async def test_settings_of_its_own_are_no_configuration(service: Service) -> None:
    made = await create(service, configuration={"conversationGroupingType": BY_ADDRESSES_AND_CHANNEL})
    await make_configuration(service)
    await tell_call(service, **{CONVERSATION: made["id"]})
    await tell_fragment(service)
    assert await traffic.texts(service) == [["hello"], ["hello"]]
    (spoken,) = await traffic.communications(service, made)
    found = await traffic.trace(service, spoken)
    assert (found["configurationId"], found["configurationVersion"], found["diagnostics"]) == (None, None, [530001])


async def test_a_fragment_may_be_the_first_to_say_where_its_call_belongs(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_fragment(service, From=KIRAN, To=US, Direction="inbound", **{CONFIGURATION: configuration_id})
    await tell_fragment(service, "again", 2)
    conversation = await traffic.only_conversation(service)
    assert [addresses(one) for one in conversation["participants"]] == [{"VOICE": CALL}] * 2
    assert await traffic.texts(service) == [["hello", "again"]]
    assert await traffic.event_types(service) == [
        "CONVERSATION_CREATED",
        *["PARTICIPANT_ADDED"] * 2,
        *["COMMUNICATION_CREATED"] * 2,
    ]


async def test_a_process_that_knows_the_call_learns_where_it_belongs_from_another(service: Service) -> None:
    first, second = [await make_configuration(service, channelSettings=SILENT) for _ in range(2)]
    await tell_call(service)
    await tell_fragment(service, "nobody listens", 1)
    async with other_process(service) as other:
        for sequence, configuration_id in ((2, first), (3, second)):
            await tell_call(other, **{CONFIGURATION: configuration_id})
            await tell_fragment(service, f"fragment {sequence}", sequence)
    assert await traffic.texts(service) == [["fragment 2"], ["fragment 3"]]
    assert [one["configurationId"] for one in await traffic.conversations(service)] == [first, second]


async def test_what_is_told_later_wins_and_absence_keeps_it(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    made = await create(service, await make_configuration(service, channelSettings=SILENT))
    await tell_call(service, **{CONFIGURATION: configuration_id})
    await tell_fragment(service, "one", 1)
    await tell_fragment(service, "two", 2, **{CONVERSATION: made["id"]})
    await tell_call(service, CallStatus="in-progress", StirVerstat="x")
    await tell_fragment(service, "three", 3)
    await tell_call(service, **{CONFIGURATION: configuration_id})
    await tell_fragment(service, "four", 4)
    assert await spoken_in(service, made["id"]) == ["two", "three"]
    assert sorted(await traffic.texts(service)) == [["one", "four"], ["two", "three"]]


async def test_ends_that_are_told_anew_with_an_attribute_are_believed(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, To="client:queue")
    await tell_call(service, **{CONFIGURATION: configuration_id})
    await tell_fragment(service)
    (spoken,) = await said(service)
    assert spoken["recipients"][0]["address"] == US


async def test_rules_of_other_configurations_capture_their_own_copy(service: Service) -> None:
    named, other = [await make_configuration(service) for _ in range(2)]
    await tell_call(service, **{CONFIGURATION: named})
    assert [one["configurationId"] for one in await traffic.conversations(service)] == [named]
    await tell_fragment(service)
    copies = await traffic.conversations(service)
    assert [one["configurationId"] for one in copies] == [named, other]
    assert await traffic.texts(service) == [["hello"], ["hello"]]
    ((first,), (second,)) = await traffic.everything_said(service)
    assert (await traffic.trace(service, first))["attribute"]["value"] == named
    found = await traffic.trace(service, second)
    assert (found["rule"]["position"], "attribute" in found) == (1, False)
    assert addresses(traffic.member(copies[1], KIRAN)) == {"VOICE": None}


async def test_the_configuration_of_a_named_conversation_captures_no_second_copy(service: Service) -> None:
    configuration_id = await make_configuration(service)
    other = await make_configuration(service)
    made = await create(service, configuration_id)
    await tell_call(service, **{CONVERSATION: made["id"]})
    await tell_fragment(service)
    assert [one["configurationId"] for one in await traffic.conversations(service)] == [configuration_id, other]
    assert await traffic.texts(service) == [["hello"], ["hello"]]


async def test_clients_need_no_rule_that_asks_for_them(service: Service) -> None:
    configuration_id = await make_configuration(service)
    await tell_call(service, From="client:kiran", **{CONFIGURATION: configuration_id})
    await tell_fragment(service)
    assert await traffic.texts(service) == [["hello"]]
    assert (await traffic.only_trace(service))["diagnostics"] == [530001]


async def test_addresses_that_rules_name_are_ours(service: Service) -> None:
    await make_configuration(service, channelSettings={"SMS": traffic.channel(*traffic.both_ways())})
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, Direction="", **{CONFIGURATION: configuration_id})
    await tell_fragment(service)
    assert (await traffic.only_trace(service))["sides"]["toldBy"] == "rule"
    assert traffic.roles(await traffic.only_conversation(service)) == {KIRAN: "CUSTOMER", US: "AGENT"}


async def test_once_the_named_conversation_is_closed_rules_decide(service: Service) -> None:
    made = await create(service, await make_configuration(service, conversationGroupingType=BY_ADDRESSES))
    await tell_call(service, **{CONVERSATION: made["id"]})
    await tell_fragment(service, "one", 1)
    await traffic.change(service, made, status="CLOSED")
    await tell_fragment(service, "two", 2)
    assert await traffic.texts(service) == [["one"], ["two"]]
    _, (spoken,) = await traffic.everything_said(service)
    assert (await traffic.trace(service, spoken))["rule"]["position"] == 1


async def test_once_the_named_conversation_is_closed_and_no_rule_matches_a_trace_remains(service: Service) -> None:
    made = await create(service, await make_configuration(service, channelSettings=SILENT))
    await tell_call(service, **{CONVERSATION: made["id"]})
    service.clock.advance(minutes=60)
    await tell_fragment(service)
    assert await traffic.texts(service) == [[]]
    (found,) = await traffic.uncaptured(service)
    assert (found["channelId"], found["attribute"]) == (CALL, {"name": CONVERSATION, "value": made["id"]})


async def test_once_the_configuration_is_deleted_other_rules_decide(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, **{CONFIGURATION: configuration_id})
    await traffic.change(service, await traffic.only_conversation(service), status="CLOSED")
    path = f"/v2/ControlPlane/Configurations/{configuration_id}"
    assert (await service.api.delete(path)).status_code == 202
    await tell_fragment(service, "one", 1)
    assert len(await traffic.uncaptured(service)) == 1
    await make_configuration(service)
    await tell_fragment(service, "two", 2)
    assert await traffic.texts(service) == [[], ["two"]]


async def test_a_repeated_fragment_is_answered_like_the_first(service: Service) -> None:
    made = await create(service, await make_configuration(service, channelSettings=SILENT))
    told = {CONVERSATION: made["id"], "From": KIRAN, "To": US, "Direction": "inbound"}
    await tell_fragment(service, **told)
    await traffic.change(service, made, status="CLOSED")
    before = await traffic.row_counts(service)
    await tell_fragment(service, **told)
    assert await traffic.row_counts(service) == before


async def test_fragments_in_json_land_too(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service)
    body = {"AccountSid": service.account.account_id, **fragment(), "conversationConfiguration": configuration_id}
    assert (await post_json(service, json.dumps(body).encode(), path=VOICE)).status_code == 200
    assert len(await poll(service)) == 1
    assert await traffic.texts(service) == [["hello"]]


@pytest.mark.parametrize("wrong", [{"Track": "both"}, {"TranscriptionData": "{"}, {"SequenceId": ""}])
async def test_a_wrong_fragment_tells_nothing_of_its_call(service: Service, wrong: dict[str, str]) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    before = await traffic.landed_counts(service)
    ends = {"From": KIRAN, "To": US, "Direction": "inbound"}
    for told in ({}, {CONFIGURATION: configuration_id}):
        form = {"AccountSid": service.account.account_id, **fragment(), **ends, **told, **wrong}
        error(await post_form(service, form, path=VOICE), 400, 20001)
    assert await traffic.landed_counts(service) == before


async def test_a_refused_call_harms_no_other(service: Service) -> None:
    configuration_id = await make_configuration(service)
    form = {**fragment(), "From": KIRAN, "To": US, "Direction": "inbound", CONVERSATION: "conv_conversation_0"}
    refused, *others = await asyncio.gather(
        service.post_webhook(VOICE, form),
        *(service.receive_message(KIRAN, US, f"message {number}") for number in range(5)),
        service.post_webhook(
            VOICE, {**form, CONVERSATION: "", CONFIGURATION: configuration_id, "CallSid": OTHER_CALL, "SequenceId": "2"}
        ),
    )
    assert (refused.status_code, {answer.status_code for answer in others}) == (400, {200})
    assert [sorted(texts) for texts in await traffic.texts(service)] == [
        ["hello", *(f"message {number}" for number in range(5))]
    ]
