"""Transcripts: which fragments are communications, and in which order."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import CALL, fragment, said, tell_call, tell_fragment
from tests.support.factories import make_configuration
from tests.support.traffic import KIRAN, US
from tests.support.webhooks import VOICE, error, post_form, post_json


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
        "from": None,
        "to": None,
        "fields": {
            "CallSid": CALL,
            "TranscriptionEvent": "transcription-content",
            "TranscriptionSid": "GT" + "1" * 32,
            "SequenceId": "1",
            "Track": "inbound_track",
        },
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
    spoken: dict[str, Any] = {
        **fragment(sequence=7),
        "SequenceId": 7,
        "Final": True,
        "TranscriptionData": {"transcript": "a\x00b"},
    }
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
    before = await traffic.landed_counts(service)
    for field, value in ((field, value) for field, values in WRONG.items() for value in values):
        form = {"AccountSid": service.account.account_id, **fragment(), field: value}
        body = error(await post_form(service, form, path=VOICE), 400, 20001)
        assert body["params"]["field"] == f"/{field}"
    assert await traffic.landed_counts(service) == before
