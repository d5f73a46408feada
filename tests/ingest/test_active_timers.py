"""The timers of conversations where calls belong: speech counts, and a call alone only to wake them up."""

from datetime import timedelta

from orchestrator.lifecycle.sweep import sweep_all
from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import (
    CALL,
    CONFIGURATION,
    CONVERSATION,
    OTHER_CALL,
    SILENT,
    create,
    other_process,
    poll,
    said,
    tell_call,
    tell_fragment,
)
from tests.support.clock import stop_clock
from tests.support.factories import make_configuration
from tests.support.traffic import KIRAN, US


async def test_a_call_wakes_an_inactive_conversation_once(service: Service) -> None:
    clock = stop_clock(service)
    told = {CONFIGURATION: await make_configuration(service, channelSettings=SILENT)}
    await tell_call(service, **told)
    clock.advance(minutes=10)
    await sweep_all(service.units)
    assert await poll(service) == []
    await tell_call(service, CallSid=OTHER_CALL, **told)
    (found,) = await poll(service, OTHER_CALL)
    assert (await traffic.event_types(service))[3:] == [*["CONVERSATION_UPDATED"] * 2, *["PARTICIPANT_UPDATED"] * 2]
    clock.advance(minutes=9)
    await tell_call(service, CallSid=OTHER_CALL, CallStatus="completed", **told)
    clock.advance(minutes=1)
    await sweep_all(service.units)
    (conversation,) = await traffic.conversations(service)
    assert (conversation["id"], conversation["status"]) == (found, "INACTIVE")
    await tell_call(service, CallSid=OTHER_CALL, CallStatus="completed", **told)
    assert (await traffic.only_conversation(service))["status"] == "INACTIVE"


async def test_a_call_that_was_attached_when_its_ends_were_told_wakes_nothing_again(service: Service) -> None:
    told = {CONFIGURATION: await make_configuration(service, channelSettings=SILENT)}
    await tell_call(service, From="", To="", **told)
    await tell_call(service)
    await traffic.change(service, await traffic.only_conversation(service), status="INACTIVE")
    async with other_process(service) as other:
        await tell_call(other, CallStatus="completed")
    assert (await traffic.only_conversation(service))["status"] == "INACTIVE"


async def test_timers_of_a_new_conversation_run_from_its_creation(service: Service) -> None:
    clock = stop_clock(service)
    told = {CONFIGURATION: await make_configuration(service, channelSettings=SILENT)}
    await tell_call(service, **told)
    query = "select channel_activity, next_transition_at from conversations where account_id = $1"
    (row,) = await service.fetch(query, service.account.account_id)
    assert (row["channel_activity"], row["next_transition_at"]) == ({}, clock.moment + timedelta(minutes=10))


async def test_a_call_does_not_hold_an_active_conversation_open(service: Service) -> None:
    clock = stop_clock(service)
    configuration_id = await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    clock.advance(minutes=9)
    await tell_call(service, **{CONFIGURATION: configuration_id})
    clock.advance(minutes=1)
    await sweep_all(service.units)
    assert (await traffic.only_conversation(service))["status"] == "INACTIVE"


async def test_a_call_after_the_closing_time_opens_a_new_conversation(service: Service) -> None:
    told = {CONFIGURATION: await make_configuration(service, channelSettings=SILENT)}
    await tell_call(service, **told)
    service.clock.advance(minutes=60)
    await tell_call(service, CallSid=OTHER_CALL, **told)
    old, new = await traffic.conversations(service)
    assert (old["status"], new["status"]) == ("CLOSED", "ACTIVE")
    assert await poll(service, OTHER_CALL) == [new["id"]]


async def test_speech_reopens_the_conversation_that_its_call_names(service: Service) -> None:
    made = await create(service, await make_configuration(service, channelSettings=SILENT))
    await tell_call(service, **{CONVERSATION: made["id"]})
    await traffic.change(service, made, status="INACTIVE")
    await tell_fragment(service)
    assert await poll(service) == [made["id"]]
    (spoken,) = await said(service)
    assert (await traffic.trace(service, spoken))["outcome"] == "REOPENED"


async def test_a_conversation_that_opens_for_speech_after_a_close_is_found_by_its_call(service: Service) -> None:
    told = {CONFIGURATION: await make_configuration(service, channelSettings=SILENT)}
    await tell_call(service, **told)
    await traffic.change(service, await traffic.only_conversation(service), status="CLOSED")
    await tell_call(service, CallStatus="in-progress", **told)
    assert await poll(service) == []
    await tell_fragment(service)
    _, new = await traffic.conversations(service)
    assert await poll(service) == [new["id"]]
    assert {one["addresses"][0]["channelId"] for one in new["participants"]} == {CALL}
