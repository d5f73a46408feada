"""Calls: remembered for their transcripts, and whose voice is heard."""

from itertools import product

import pytest

from orchestrator.kernel.ids import new_sid
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.calls import CALL, OTHER_CALL, said, tell_call, tell_fragment
from tests.support.factories import make_configuration
from tests.support.traffic import BY_ADDRESSES_AND_CHANNEL, KIRAN, US
from tests.support.webhooks import VOICE, error, post_form


async def test_the_ends_of_a_call_are_remembered_for_its_transcripts(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service)
    await tell_fragment(service, "it is about my parcel")
    conversation = await traffic.only_conversation(service)
    customer, agent = conversation["participants"]
    (spoken,) = await traffic.communications(service, conversation)
    assert spoken["author"] == {"address": KIRAN, "channel": "VOICE", "participantId": customer["id"]}
    assert spoken["recipients"] == [{"address": US, "channel": "VOICE", "participantId": agent["id"]}]
    assert (spoken["channelId"], spoken["resourceId"]) == (CALL, "GT" + "1" * 32 + "1")
    assert spoken["content"] == {
        "type": "TRANSCRIPTION",
        "text": "it is about my parcel",
        "transcription": {"channel": 0, "confidence": 0.97},
    }


async def test_calls_are_remembered_across_processes(service: Service, database_url: str) -> None:
    await make_configuration(service)
    await tell_call(service)
    async with running_service(database_url) as other:
        other.account = service.account
        await tell_fragment(other)
    assert await traffic.texts(service) == [["hello"]]


async def test_a_call_alone_is_no_conversation(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service)
    await tell_call(service, CallStatus="completed", CallDuration="12")
    assert await traffic.conversations(service) == []
    assert await traffic.uncaptured(service) == []


async def test_a_later_webhook_without_direction_does_not_unlearn_it(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service, From=US, To=KIRAN, Direction="outbound-api")
    await tell_call(service, From=US, To=KIRAN, Direction="", CallStatus="in-progress")
    await tell_fragment(service)
    assert [one["author"]["address"] for one in await said(service)] == [KIRAN]


async def test_ends_that_are_told_later_are_believed(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service, To="client:queue")
    await tell_fragment(service, "please hold", 1)
    await tell_call(service)
    await tell_fragment(service, "hello", 2)
    assert [one["recipients"][0]["address"] for one in await said(service)] == [US]


async def test_track_and_direction_tell_who_speaks(service: Service) -> None:
    await make_configuration(service)
    for sequence, (direction, track, author, channel) in enumerate(
        (
            ("inbound", "inbound_track", KIRAN, 0),
            ("inbound", "outbound_track", US, 1),
            ("outbound-api", "inbound_track", KIRAN, 0),
            ("outbound-api", "outbound_track", US, 1),
            ("outbound-dial", "inbound_track", KIRAN, 0),
            ("", "inbound_track", KIRAN, 0),
        )
    ):
        call = f"CA{sequence:032d}"
        ends = {"From": US, "To": KIRAN} if direction.startswith("outbound") else {"From": KIRAN, "To": US}
        await tell_call(service, CallSid=call, Direction=direction, **ends)
        await tell_fragment(service, sequence=sequence, CallSid=call, Track=track)
        spoken = (await said(service))[-1]
        assert (spoken["author"]["address"], spoken["channelId"]) == (author, call)
        assert spoken["content"]["transcription"]["channel"] == channel
    assert traffic.roles(await traffic.only_conversation(service)) == {KIRAN: "CUSTOMER", US: "AGENT"}


async def test_direction_alone_tells_the_customer_of_a_call(service: Service) -> None:
    await make_configuration(service, channelSettings={"VOICE": traffic.channel(("*", "*"))})
    await tell_call(service, From=US, To=KIRAN, Direction="outbound-api")
    await tell_fragment(service, "yes?", 1, Track="inbound_track")
    await tell_fragment(service, "your parcel", 2, Track="outbound_track")
    assert traffic.roles(await traffic.only_conversation(service)) == {KIRAN: "CUSTOMER", US: "AGENT"}
    assert await traffic.texts(service) == [["yes?", "your parcel"]]


@pytest.mark.parametrize(
    ("call_type", "caller"),
    [("CLIENT", "client:agent-1"), ("PUBLIC_SIP", "sip:desk@example.com"), ("PUBLIC_SIP", "sips:desk@example.com")],
)
async def test_calls_of_clients_and_sip_are_captured_only_by_rules_that_ask_for_them(
    service: Service, call_type: str, caller: str
) -> None:
    await make_configuration(service, channelSettings={"VOICE": traffic.channel(("*", "*"))})
    asking = {"VOICE": traffic.channel(("*", "*"), callType=call_type)}
    configuration_id = await make_configuration(service, channelSettings=asking)
    await tell_call(service, From=caller, To=US)
    await tell_fragment(service)
    await tell_call(service, CallSid=OTHER_CALL)
    await tell_fragment(service, "by telephone", CallSid=OTHER_CALL, TranscriptionSid="GT" + "2" * 32)
    captured = {one["configurationId"]: one for one in await traffic.conversations(service)}
    assert len(captured) == 2
    (spoken,) = await traffic.communications(service, captured[configuration_id])
    assert spoken["author"]["address"] == caller


async def test_a_client_has_no_identifier(service: Service) -> None:
    asking = {"VOICE": traffic.channel(("*", US), callType="CLIENT")}
    await make_configuration(service, channelSettings=asking)
    await tell_call(service, From="client:kiran", To=US)
    await tell_fragment(service)
    customer = traffic.member(await traffic.only_conversation(service), "client:kiran")
    assert (customer["type"], customer["profileId"]) == ("CUSTOMER", None)
    assert (await traffic.only_trace(service))["diagnostics"] == [530001]


async def test_two_calls_of_one_pair_are_one_conversation_with_two_channel_ids(service: Service) -> None:
    await make_configuration(service, conversationGroupingType=BY_ADDRESSES_AND_CHANNEL)
    await traffic.speech(service, KIRAN, US, "first call", call_sid=CALL)
    await traffic.speech(service, KIRAN, US, "second call", call_sid=OTHER_CALL)
    assert [one["channelId"] for one in await said(service)] == [CALL, OTHER_CALL]


async def test_an_impossible_address_of_a_call_is_named(service: Service) -> None:
    form = {"AccountSid": service.account.account_id, "CallSid": new_sid("CA"), "From": KIRAN, "To": US}
    before = await traffic.landed_counts(service)
    for field, address in product(("From", "To"), ("+abc", "x" * 255)):
        body = error(await post_form(service, {**form, field: address}, path=VOICE), 400, 20001)
        assert body["params"]["field"] == f"/{field}"
    assert await traffic.landed_counts(service) == before
