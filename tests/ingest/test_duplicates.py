"""A second delivery with the same provider id changes nothing at all and is answered like the first."""

import asyncio
from datetime import timedelta

import httpx

from orchestrator.kernel.ids import new_sid
from orchestrator.lifecycle.reap import reap
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.traffic import KIRAN, OTHER_PHONE, US


def same_answer(one: httpx.Response, other: httpx.Response) -> bool:
    """Whether nobody can tell two answers apart, but for the id of the request."""
    ours = {"twilio-request-id"}
    headers = [
        {name: value for name, value in each.headers.items() if name.lower() not in ours} for each in (one, other)
    ]
    return (one.status_code, one.content, headers[0]) == (other.status_code, other.content, headers[1])


async def test_a_repeated_message_changes_nothing(service: Service) -> None:
    await make_configuration(service)
    captured, uncaptured = [(KIRAN, US), (US, KIRAN), (f"whatsapp:{KIRAN}", f"whatsapp:{US}")], (KIRAN, OTHER_PHONE)
    for sender, to in (*captured, uncaptured):
        sid = new_sid("SM")
        first = await service.receive_message(sender, to, MessageSid=sid)
        before = await traffic.row_counts(service)
        said = await traffic.everything_said(service)
        service.clock.advance(minutes=5)
        second = await service.receive_message(sender, to, "another text", MessageSid=sid)
        assert first.status_code == 200
        assert same_answer(first, second)
        assert await traffic.row_counts(service) == before
        assert await traffic.everything_said(service) == said


async def test_a_repeated_message_does_not_restart_the_timers(service: Service) -> None:
    await make_configuration(service)
    sid = await traffic.message(service, KIRAN, US)
    account_id = service.account.account_id
    query = "select channel_activity, next_transition_at, event_sequence from conversations where account_id = $1"
    before = await service.fetch(query, account_id)
    service.clock.advance(minutes=5)
    await traffic.message(service, KIRAN, US, MessageSid=sid)
    assert await service.fetch(query, account_id) == before


async def test_a_message_repeated_after_its_conversation_was_closed_changes_nothing(service: Service) -> None:
    await make_configuration(service)
    sid = new_sid("SM")
    first = await service.receive_message(KIRAN, US, MessageSid=sid)
    closed = await traffic.change(service, await traffic.only_conversation(service), status="CLOSED")
    before = await traffic.row_counts(service)
    second = await service.receive_message(KIRAN, US, MessageSid=sid)
    assert same_answer(first, second)
    assert await traffic.row_counts(service) == before
    assert await traffic.only_conversation(service) == closed


async def test_a_repeated_message_without_text_leaves_one_trace(service: Service) -> None:
    await make_configuration(service)
    sid = new_sid("SM")
    first = await service.receive_message(KIRAN, US, "", MessageSid=sid, NumMedia="1")
    before = await traffic.row_counts(service)
    second = await service.receive_message(KIRAN, US, "", MessageSid=sid, NumMedia="1")
    assert same_answer(first, second)
    assert await traffic.row_counts(service) == before


async def test_the_same_message_many_times_at_once_is_one_communication(service: Service) -> None:
    await make_configuration(service)
    sid = new_sid("SM")
    answers = await asyncio.gather(*(service.receive_message(KIRAN, US, MessageSid=sid) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert await traffic.texts(service) == [["hello"]]
    assert await traffic.event_types(service) == [
        "CONVERSATION_CREATED",
        "PARTICIPANT_ADDED",
        "PARTICIPANT_ADDED",
        "COMMUNICATION_CREATED",
    ]


async def test_once_its_receipt_is_gone_a_message_updates_the_communication_it_is(service: Service) -> None:
    await make_configuration(service)
    sid = await traffic.message(service, US, KIRAN, "first wording", MessageStatus="delivered")
    ((before,),) = await traffic.everything_said(service)
    service.clock.advance(minutes=5)
    await reap(
        service.units, receipts=timedelta(minutes=1), uncaptured=timedelta(days=1), diagnostics=timedelta(days=1)
    )
    await traffic.message(service, US, KIRAN, "second wording", MessageSid=sid, MessageStatus="sent")
    ((after,),) = await traffic.everything_said(service)
    text = {"type": "TEXT", "text": "second wording"}
    assert after == {**before, "content": text, "updatedAt": after["updatedAt"]}
    last = (await traffic.events(service))[-1]
    assert (last.type, last.sequence, last.data) == ("COMMUNICATION_UPDATED", 5, after)


async def test_accounts_may_use_the_same_message_sid(service: Service) -> None:
    await make_configuration(service)
    stranger, sid = await service.new_account(), new_sid("SM")
    form = {"AccountSid": stranger.account_id, "MessageSid": sid, "From": KIRAN, "To": US, "Body": "theirs"}
    answer = await service.post_webhook("/ingest/twilio/messages", form, signed_by=stranger.auth_token)
    assert answer.status_code == 200
    await traffic.message(service, KIRAN, US, "ours", MessageSid=sid)
    assert await traffic.texts(service) == [["ours"]]
