"""Calls and what is said on them."""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from orchestrator.kernel.ids import new_sid
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.factories import make_configuration
from tests.support.traffic import BY_ADDRESSES_AND_CHANNEL, KIRAN, US
from tests.support.webhooks import VOICE, error, post_form, post_json

CALL, OTHER_CALL = "CA" + "1" * 32, "CA" + "2" * 32


async def tell_call(service: Service, **fields: str) -> None:
    """A call webhook."""
    form = {"CallSid": CALL, "From": KIRAN, "To": US, "CallStatus": "in-progress", "Direction": "inbound", **fields}
    answer = await service.post_webhook(VOICE, form)
    assert answer.status_code == 200, answer.text


def fragment(text: str = "hello", sequence: int = 1, **fields: str) -> dict[str, str]:
    """A final fragment of a transcript."""
    return {
        "CallSid": CALL,
        "TranscriptionEvent": "transcription-content",
        "TranscriptionSid": "GT" + "1" * 32,
        "TranscriptionData": json.dumps({"transcript": text, "confidence": 0.97}),
        "Track": "inbound_track",
        "SequenceId": str(sequence),
        "Final": "true",
        **fields,
    }


async def tell_fragment(service: Service, *args: Any, **fields: Any) -> None:
    answer = await service.post_webhook(VOICE, fragment(*args, **fields))
    assert answer.status_code == 200, answer.text


async def said(service: Service) -> list[dict[str, Any]]:
    """The communications of the one conversation."""
    return await traffic.communications(service, await traffic.only_conversation(service))


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


@pytest.mark.parametrize(
    ("direction", "track", "author", "channel"),
    [
        ("inbound", "inbound_track", "caller", 0),
        ("inbound", "outbound_track", "callee", 1),
        ("outbound-api", "inbound_track", "callee", 0),
        ("outbound-api", "outbound_track", "caller", 1),
        ("outbound-dial", "inbound_track", "callee", 0),
        ("", "inbound_track", "caller", 0),
    ],
)
async def test_track_and_direction_tell_who_speaks(
    service: Service, direction: str, track: str, author: str, channel: int
) -> None:
    await make_configuration(service)
    ends = {"From": US, "To": KIRAN} if direction.startswith("outbound") else {"From": KIRAN, "To": US}
    await tell_call(service, Direction=direction, **ends)
    await tell_fragment(service, Track=track)
    (spoken,) = await said(service)
    assert spoken["author"]["address"] == ends["From" if author == "caller" else "To"]
    assert spoken["content"]["transcription"]["channel"] == channel
    assert traffic.roles(await traffic.only_conversation(service)) == {KIRAN: "CUSTOMER", US: "AGENT"}


async def test_direction_alone_tells_the_customer_of_a_call(service: Service) -> None:
    await make_configuration(service, channelSettings={"VOICE": traffic.channel(("*", "*"))})
    await tell_call(service, From=US, To=KIRAN, Direction="outbound-api")
    await tell_fragment(service, "yes?", 1, Track="inbound_track")
    await tell_fragment(service, "your parcel", 2, Track="outbound_track")
    assert traffic.roles(await traffic.only_conversation(service)) == {KIRAN: "CUSTOMER", US: "AGENT"}
    assert await traffic.texts(service) == [["yes?", "your parcel"]]


async def test_only_final_fragments_count(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service)
    for event in ("transcription-started", "transcription-stopped", "transcription-error"):
        await tell_fragment(service, TranscriptionEvent=event)
    await tell_fragment(service, "it is ab", Final="false")
    await tell_fragment(service, "it is about my parcel", Final="true")
    assert await traffic.texts(service) == [["it is about my parcel"]]


async def test_silence_is_no_communication(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service)
    for data in ('{"transcript": ""}', '{"transcript": "  "}', "{}", '{"transcript": null}'):
        await tell_fragment(service, TranscriptionData=data)
    assert await traffic.conversations(service) == []


async def test_a_fragment_of_an_unknown_call_leaves_a_trace_and_can_land_later(service: Service) -> None:
    await make_configuration(service)
    before = traffic.landings("none", "uncaptured")
    await tell_fragment(service)
    assert traffic.landings("none", "uncaptured") == before + 1
    (found,) = await traffic.uncaptured(service)
    assert found == {
        "outcome": "UNCAPTURED",
        "reason": "no webhook has told the From and To of its call",
        "CallSid": CALL,
        "TranscriptionEvent": "transcription-content",
        "SequenceId": "1",
        "Track": "inbound_track",
    }
    await tell_fragment(service)
    assert len(await traffic.uncaptured(service)) == 1
    await tell_call(service)
    await tell_fragment(service)
    assert await traffic.texts(service) == [["hello"]]


async def test_events_of_an_unknown_call_that_say_nothing_leave_no_trace(service: Service) -> None:
    await tell_fragment(service, TranscriptionEvent="transcription-started")
    await tell_fragment(service, Final="false")
    assert await traffic.uncaptured(service) == []


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


async def test_a_repeated_fragment_is_ignored(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service)
    await tell_fragment(service, "hello")
    before = await traffic.row_counts(service)
    await tell_fragment(service, "hello again")
    assert await traffic.row_counts(service) == before
    assert await traffic.texts(service) == [["hello"]]


async def test_fragments_are_listed_in_the_order_in_which_they_were_said(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service)
    start = datetime(2026, 2, 3, 9, 15, 4, 120_000, tzinfo=UTC)
    for sequence in (3, 1, 2):
        moment = start + timedelta(milliseconds=300 * sequence)
        stamp = moment.isoformat().replace("+00:00", "Z")
        await tell_fragment(service, f"fragment {sequence}", sequence, Timestamp=stamp)
    assert await traffic.texts(service) == [["fragment 1", "fragment 2", "fragment 3"]]
    assert {one["occurredAt"] for one in await said(service)} == {"2026-02-03T09:15:04Z", "2026-02-03T09:15:05Z"}


async def test_timers_run_from_when_a_fragment_was_received(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service)
    await tell_fragment(service, Timestamp="2020-01-01T00:00:00Z")
    (row,) = await service.fetch(
        "select next_transition_at from conversations where account_id = $1", service.account.account_id
    )
    assert timedelta(minutes=9) < row["next_transition_at"] - service.clock.now() <= timedelta(minutes=10)


async def test_confidence_is_kept_where_it_is_one(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service)
    for sequence, told in enumerate((0.5, 1, 0, "0.9", 1.5, -1, True, None)):
        data = json.dumps({"transcript": "hello", "confidence": told})
        await tell_fragment(service, sequence=sequence, TranscriptionData=data, TranscriptionEngine="google")
    details = [one["content"]["transcription"] for one in await said(service)]
    assert [one.get("confidence") for one in details] == [0.5, 1, 0, None, None, None, None, None]
    assert {one["engine"] for one in details} == {"google"}


async def test_transcripts_come_as_json_too(service: Service) -> None:
    await make_configuration(service)
    body = {"AccountSid": service.account.account_id, "CallSid": CALL, "From": KIRAN, "To": US}
    assert (await post_json(service, json.dumps(body).encode(), path=VOICE)).status_code == 200
    spoken = {**fragment(sequence=7), "SequenceId": 7, "Final": True, "TranscriptionData": {"transcript": "a\x00b"}}
    body = {"AccountSid": service.account.account_id, **spoken}
    assert (await post_json(service, json.dumps(body).encode(), path=VOICE)).status_code == 200
    assert await traffic.texts(service) == [["a\ufffdb"]]


WRONG = {
    "TranscriptionData": ("", "{", "[]", '"text"', "null", '{"transcript": {"a": 1}}'),
    "Track": ("both_tracks", "INBOUND"),
    "Timestamp": ("yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
    "TranscriptionSid": ("", "x" * 256),
    "SequenceId": ("", "x" * 256),
}


async def test_a_wrong_field_of_a_fragment_is_named(service: Service) -> None:
    await make_configuration(service)
    await tell_call(service)
    before = await traffic.row_counts(service)
    for field, value in ((field, value) for field, values in WRONG.items() for value in values):
        form = {"AccountSid": service.account.account_id, **fragment(), field: value}
        body = error(await post_form(service, form, path=VOICE), 400, 20001)
        assert body["params"]["field"] == f"/{field}"
    assert await traffic.row_counts(service) == before


async def test_an_impossible_address_of_a_call_is_named(service: Service) -> None:
    form = {"AccountSid": service.account.account_id, "CallSid": new_sid("CA"), "From": KIRAN, "To": US}
    before = await traffic.row_counts(service)
    for field, address in product(("From", "To"), ("+abc", "x" * 255)):
        body = error(await post_form(service, {**form, field: address}, path=VOICE), 400, 20001)
        assert body["params"]["field"] == f"/{field}"
    assert await traffic.row_counts(service) == before
