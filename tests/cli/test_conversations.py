"""`orchestrator conversations`, `deliveries` and `redeliver`: what there is, what happened, and all of it once more."""

from datetime import datetime, timedelta

import pytest

from orchestrator import phones
from orchestrator.kernel.clock import rest_time
from tests.cli.terminal import Terminal, typed
from tests.support import traffic
from tests.support.delivery import deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import receiver
from tests.support.traffic import KIRAN, OTHER_PHONE, US


async def receive(terminal: Terminal, *messages: tuple[str, str, str]) -> None:
    """Messages come in: sender, recipient, text."""
    async with terminal.api() as api:
        for sender, to, text in messages:
            await api.receive(phones.message("SMS", sender, to, text))


async def test_conversations_are_listed_and_chosen(terminal: Terminal) -> None:
    configuration_id = await make_configuration(terminal.service, displayName="Support")
    await receive(terminal, (KIRAN, US, "one"), (OTHER_PHONE, US, "two"))
    first, second = await traffic.conversations(terminal.service)
    table = (await terminal.typed("conversations")).out
    assert f"│ Support       │ CUSTOMER SMS {OTHER_PHONE} │" in table
    assert table.index(second["id"]) < table.index(first["id"])
    closed = await terminal.service.api.patch(f"/v2/Conversations/{first['id']}", json={"status": "CLOSED"})
    assert closed.status_code == 200
    for options, found in (
        (("--status", "closed", "--status", "inactive"), [first["id"]]),
        (("--configuration", configuration_id, "--limit", "1"), [second["id"]]),
        (("--configuration", "conv_configuration_x"), []),
        (("--channel-id", "SMx"), []),
    ):
        shown = (await terminal.typed("conversations", *options, "--json")).json["conversations"]
        assert [one["id"] for one in shown] == found


async def test_a_conversation_is_told_with_reasons_and_what_is_due(terminal: Terminal) -> None:
    await make_configuration(terminal.service)
    await receive(terminal, (KIRAN, US, "one"), (US, KIRAN, "two"))
    conversation = await traffic.only_conversation(terminal.service)
    shown = (await terminal.typed("conversations", conversation["id"])).out
    _, last = await traffic.communications(terminal.service, conversation)
    due = rest_time(datetime.fromisoformat(last["createdAt"]) + timedelta(minutes=10))
    assert f"  due            INACTIVE at {due}\n" in shown
    for line in (
        f"  participant    AGENT SMS {US}\n",
        "COMMUNICATION_CREATED  SMS +15551234567 → +16505550199: “one” DELIVERED\n      Captured by rule 2 of SMS",
        "“two” IN_PROGRESS\n      Captured by rule 1 of SMS",
    ):
        assert line in shown
    told = (await terminal.typed("conversations", conversation["id"], "--json", "--limit", "2")).json
    assert (told["earlier"], told["nextTransition"]["to"]) == (3, "INACTIVE")
    assert [one["sequence"] for one in told["timeline"]] == [4, 5]
    assert all(one["reasons"] for one in told["timeline"])


async def test_communications_outlive_their_events(terminal: Terminal) -> None:
    await make_configuration(terminal.service)
    await receive(terminal, (KIRAN, US, "one"), (KIRAN, US, "two"))
    conversation = await traffic.only_conversation(terminal.service)
    await terminal.service.fetch("delete from events where conversation_id = $1 and sequence < 5", conversation["id"])
    told = (await terminal.typed("conversations", conversation["id"], "--json")).json
    assert [(one["sequence"], one["data"]["content"]["text"]) for one in told["timeline"]] == [
        (None, "one"),
        (5, "two"),
    ]


async def test_an_unknown_conversation_is_told_in_one_line(terminal: Terminal) -> None:
    done = await terminal.typed("conversations", "no/thing")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "there is no conversation" in (await terminal.typed("conversations", "nothing")).err


async def test_deliveries_are_shown_and_made_once_more(terminal: Terminal) -> None:
    await forget_deliveries(terminal.service)
    async with receiver() as there:
        there.answer, there.body = (lambda _: 400), b"not\x1b today"
        await make_configuration(terminal.service, statusCallbacks=[there.callback()])
        await receive(terminal, (KIRAN, US, "one"))
        for _ in range(4):  # each event waits for the one before it
            await deliver(terminal.service)
        dead = (await terminal.typed("deliveries", "--status", "dead", "--callback", there.url(), "--json")).json
        ids = [one["id"] for one in dead["deliveries"]]
        assert len(ids) == 4
        table = (await terminal.typed("deliveries", "--limit", "1")).out
        assert "HTTP 400" in table
        assert (ids[0] in table, ids[1] in table) == (True, False)
        shown = (await terminal.typed("deliveries", ids[0])).out
        assert f"  callback      POST {there.url()}\n" in shown
        assert "HTTP 400 not today" in shown
        nothing = await terminal.typed("redeliver", "--failed", "--callback", "https://elsewhere.example.com")
        assert (nothing.code, nothing.out) == (0, "Nothing that was given up is left to send again.\n")
        there.answer = lambda _: 200
        again = await terminal.typed("redeliver", ids[-1], "--json")
        assert (again.json["id"], again.json["status"]) == (ids[-1], "PENDING")
        assert (await terminal.typed("redeliver", "--failed", "--since", "1h", "--json")).json == {"redelivered": 3}
        for _ in range(4):
            await deliver(terminal.service)
        query = ("--conversation", dead["deliveries"][0]["conversationId"], "--status", "delivered", "--json")
        delivered = (await terminal.typed("deliveries", *query)).json["deliveries"]
        assert [(one["id"], one["redeliveries"]) for one in delivered] == [(one, 1) for one in ids]


@pytest.mark.parametrize(
    "arguments",
    [
        ("redeliver",),
        ("redeliver", "orch_delivery_1", "--failed"),
        ("redeliver", "orch_delivery_1", "--since", "1h"),
        ("deliveries", "orch_delivery_1", "--status", "dead"),
        ("conversations", "conv_conversation_1", "--status", "closed"),
    ],
    ids=" ".join,
)
def test_what_does_not_fit_together_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    done = typed(*arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
