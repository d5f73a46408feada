"""`orchestrator send`: real traffic by real ways, and a true tale of what became of it."""

from typing import Any

import pytest

from orchestrator.cli.reasons import news
from orchestrator.cli.send.command import NOT_CAPTURED
from tests.cli.terminal import Terminal, typed
from tests.support import traffic
from tests.support.factories import make_configuration
from tests.support.traffic import BY_PROFILE, KIRAN, US, both_ways, channel

SMS = ("send", "sms", "--from", KIRAN, "--to", US)
VOICE = ("send", "voice", "--from", KIRAN, "--to", US)


def outcomes(message: dict[str, Any]) -> list[str]:
    return [landing["outcome"] for landing in message["landings"]]


async def test_messages_go_out_repeated_doubled_and_in_disorder(terminal: Terminal) -> None:
    await make_configuration(terminal.service)
    done = await terminal.typed(
        *SMS, "first", "second", "--repeat", "2", "--duplicate", "3", "--out-of-order", "--json"
    )
    assert (done.code, done.err, done.json["captured"]) == (0, "", True)
    messages = done.json["messages"]
    assert [one["text"] for one in messages] == ["first (1)", "second (1)", "first (2)", "second (2)"]
    assert [outcomes(one) for one in messages] == [["JOINED"], ["JOINED"], ["JOINED"], ["NEW"]]
    assert {one["posted"] for one in messages} == {3}
    assert await traffic.texts(terminal.service) == [["second (2)", "first (2)", "second (1)", "first (1)"]]
    conversation = await traffic.only_conversation(terminal.service)
    assert {one["landings"][0]["conversationId"] for one in messages} == {conversation["id"]}


async def test_a_call_is_spoken_on_out_of_order_and_goes_on(terminal: Terminal) -> None:
    await make_configuration(terminal.service, channelSettings={"VOICE": channel(*both_ways())})
    done = await terminal.typed(*VOICE, "one", "two", "--out-of-order", "--json")
    assert done.code == 0, done.err
    call_sid = done.json["callSid"]
    assert [one["resourceId"][-1] for one in done.json["messages"]] == ["1", "2"]
    again = await terminal.typed("send", "voice", "--call", call_sid, "--as", "agent", "three", "--json")
    assert [outcomes(one) for one in again.json["messages"]] == [["JOINED"]]
    ((two, one, three),) = await traffic.everything_said(terminal.service)
    assert [said["content"]["text"] for said in (one, two, three)] == ["one", "two", "three"]
    assert [said["author"]["address"] for said in (one, two, three)] == [KIRAN, KIRAN, US]
    assert {said["channelId"] for said in (one, two, three)} == {call_sid}


async def test_the_customer_speaks_on_a_call_that_we_made(terminal: Terminal) -> None:
    await make_configuration(terminal.service, channelSettings={"VOICE": channel(*both_ways())})
    ours = ("send", "voice", "--from", US, "--to", KIRAN, "--direction", "outbound")
    assert (await terminal.typed(*ours, "hello?")).code == 0
    ((said,),) = await traffic.everything_said(terminal.service)
    assert said["author"]["address"] == KIRAN


async def test_what_nothing_captures_ends_with_a_code_of_its_own(terminal: Terminal) -> None:
    await make_configuration(terminal.service, channelSettings={"WHATSAPP": channel(*both_ways())})
    done = await terminal.typed(*SMS, "hello")
    assert done.code == NOT_CAPTURED == 3
    assert "  ✗ Not captured: no configuration has a capture rule for SMS.\n      “Support” has no" in done.out
    as_json = (await terminal.typed(*SMS, "hello", "--json")).json
    assert as_json["captured"] is False
    assert as_json["messages"][0]["uncaptured"]["from"] == KIRAN
    assert (await terminal.typed("send", "whatsapp", *SMS[2:], "hello")).code == 0


async def test_every_configuration_that_captured_it_is_shown_with_its_reasons(terminal: Terminal) -> None:
    await make_configuration(terminal.service, displayName="One", conversationGroupingType=BY_PROFILE)
    await make_configuration(terminal.service, displayName="Two")
    out = ("send", "sms", "--from", US, "--to", KIRAN, "--direction", "outbound", "--status", "read")
    shown = (await terminal.typed(*out, "first\x1b[31m", "second")).out
    assert shown.startswith(f"SMS {US} → {KIRAN}\n\n“first [31m”  SM")
    assert shown.count("captured by 2 configurations") == 2
    for conversation in await traffic.conversations(terminal.service):
        assert shown.count(f"  ✓ {conversation['id']}") == 2
        assert f"ACTIVE, “{conversation['configuration']['displayName']}”, READ\n" in shown
    assert shown.count("It opened conversation") == shown.count("It joined conversation") == 2
    assert shown.count(f"Captured by rule 1 of SMS (from {US} to *)") == 2  # not told again of the second message


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("sms", "--from", KIRAN, "hello"), "give both --from and --to"),
        (("voice", "hello"), "give both --from and --to, or --call of a call that the service knows"),
        (("sms", "--call", "CA1", "--from", KIRAN, "--to", US, "hello"), "--call and --as are for voice"),
        (("voice", "--from", KIRAN, "--to", US, "hello", " "), "say something"),
        (("sms", "--from", f"whatsapp:{KIRAN}", "--to", US, "hello"), "--from: the prefix of whatsapp:+1555"),
        (("voice", "--status", "read", "--from", KIRAN, "--to", US, "hello"), "--status is for messages"),
    ],
)
def test_what_does_not_fit_together_is_told_in_one_line(arguments: tuple[str, ...], wrong: str) -> None:
    done = typed("send", *arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert wrong in done.err


async def test_what_the_service_refuses_is_told_in_one_line(terminal: Terminal) -> None:
    done = await terminal.typed("send", "sms", "--from", "+1", "--to", US, "hello")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "/From: '+1' starts like an international number" in done.err


def test_what_was_told_is_not_told_again() -> None:
    told = ["Captured by rule 1.", "The customer is Kiran.", "It joined the conversation."]
    assert news(told, []) == told
    assert news(told, told[:2]) == told[2:]
    assert news(told, told) == told[2:], "where it landed is always told"
