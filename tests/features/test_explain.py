"""A dry run of the ingress: it tells what really happens then, and leaves nothing behind."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import CONVERSATION, SILENT, create, tell_call
from tests.support.clock import stop_clock
from tests.support.factories import make_configuration
from tests.support.refusals import refusal
from tests.support.traffic import BY_PROFILE, KIRAN, US

PATH = "/orchestrator/v1/Explain"
HOOK = "https://hooks.example.com/"
WHATSAPP = {"WHATSAPP": traffic.channel(*traffic.both_ways())}


async def explained(service: Service, **question: Any) -> dict[str, Any]:
    """The answer; nothing of it remains."""
    before = await traffic.contents(service), landings()
    body = {"channel": "SMS", "from": KIRAN, "to": US, **question}
    response = await service.api.post(PATH, json=body)
    assert response.status_code == 200, response.text
    assert (await traffic.contents(service), landings()) == before
    answer: dict[str, Any] = response.json()
    assert answer["sentences"]
    return answer


def landings() -> dict[tuple[str, ...], float]:
    """The metrics of traffic."""
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in REGISTRY.collect()
        if family.name.startswith(("orchestrator_landings", "orchestrator_ingest"))
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def comparable(trace: dict[str, Any], *, real: bool) -> dict[str, Any]:
    """A trace without what only a real landing, or only a dry run, can have."""
    shown = {name: value for name, value in trace.items() if name not in ("dryRun", "openSince", "alsoIn")}
    if trace["outcome"] == "NEW":
        shown["conversationId"] = None
    if trace["profile"] and trace["profile"]["outcome"] == "created":
        shown["profile"] = {**trace["profile"], "profileId": None}
        if real and trace["key"].startswith("profile "):
            shown["key"] = "profile (new)"
    return shown


async def test_it_tells_what_then_happens(service: Service) -> None:
    clock = stop_clock(service)
    await make_configuration(service)
    await make_configuration(service, displayName="By profile", conversationGroupingType=BY_PROFILE)
    outcomes = []
    for minutes, prefix in ((0, ""), (1, "whatsapp:"), (10, ""), (59, ""), (61, "whatsapp:")):
        clock.advance(minutes=minutes)
        if minutes == 10:
            for one in await traffic.conversations(service):
                await traffic.change(service, one, status="INACTIVE")
        told = await explained(service, channel="WHATSAPP" if prefix else "SMS")
        sid = await traffic.message(service, prefix + KIRAN, prefix + US)
        said = [one for of_one in await traffic.everything_said(service) for one in of_one if one["resourceId"] == sid]
        real = [comparable(await traffic.trace(service, one), real=True) for one in said]
        assert [comparable(one, real=False) for one in told["landings"]] == real
        assert told["outcome"] == "CAPTURED"
        outcomes.append({one["outcome"] for one in told["landings"]})
    assert outcomes == [{"NEW"}, {"JOINED"}, {"REOPENED"}, {"JOINED"}, {"NEW"}]
    assert {one["because"] for one in told["landings"]} == {"HOLDER_HAS_ENDED"}


async def test_it_tells_who_would_be_told(service: Service) -> None:
    await make_configuration(service, statusCallbacks=[{"url": HOOK, "method": "POST"}])
    told = await explained(service)
    types = ["CONVERSATION_CREATED", "PARTICIPANT_ADDED", "PARTICIPANT_ADDED", "COMMUNICATION_CREATED"]
    assert told["callbacks"] == [{"url": HOOK, "method": "POST", "eventTypes": types}]
    assert told["landings"][0]["profile"]["profileId"] is None
    await traffic.message(service, KIRAN, US)
    assert (await explained(service))["callbacks"][0]["eventTypes"] == ["COMMUNICATION_CREATED"]


async def test_it_tells_why_others_do_not_capture(service: Service) -> None:
    support = await make_configuration(service)
    await make_configuration(service, displayName="Sales", channelSettings=WHATSAPP)
    told = await explained(service)
    captured, other = told["considered"]
    assert (captured["configurationId"], captured["captured"], captured["nearest"]) == (support, True, [])
    assert captured["rule"] == told["landings"][0]["rule"]
    assert (other["displayName"], other["captured"], other["rulesOfChannel"]) == ("Sales", False, 0)
    assert other["nearest"][0]["differences"] == [{"field": "channel", "rule": "WHATSAPP", "message": "SMS"}]
    assert "“Sales” has no capture rule for SMS." in told["sentences"]


async def test_what_nobody_captures(service: Service) -> None:
    none = await explained(service)
    assert (none["outcome"], none["uncaptured"]["reason"]) == ("UNCAPTURED", "the account has no configuration")
    rules = traffic.channel(("*", US), ("16505550100", "*"))
    await make_configuration(service, channelSettings={"SMS": rules})
    turned = await explained(service, **{"from": US, "to": KIRAN})
    (entry,) = turned["considered"]
    assert [one["field"] for one in entry["nearest"][0]["differences"]] == ["direction"]
    form = await explained(service, **{"from": "+16505550100", "to": KIRAN})
    (difference,) = form["considered"][0]["nearest"][0]["differences"]
    assert (difference["field"], difference["sameNumber"]) == ("from", True)
    rcs = await explained(service, channel="RCS")
    assert rcs["uncaptured"]["reason"] == "no configuration has a capture rule for RCS"


async def test_calls_that_say_where_they_belong(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    made = await create(service, configuration_id)
    named = await explained(service, channel="VOICE", conversationId=made["id"])
    (landing,) = named["landings"]
    assert (landing["because"], landing["conversationId"], landing["key"]) == ("CALL_NAMES_IT", made["id"], None)
    grouped = await explained(service, channel="VOICE", configurationId=configuration_id, direction="OUTBOUND")
    assert grouped["landings"][0]["sides"] == {"author": "AGENT", "recipient": "CUSTOMER", "toldBy": "direction"}
    await tell_call(service, **{CONVERSATION: made["id"]})
    await traffic.change(service, made, status="CLOSED")
    refused = await explained(service, channel="VOICE", conversationId=made["id"])
    assert (refused["outcome"], refused["uncaptured"]["errorCode"]) == ("REFUSED", 20001)
    assert refused["uncaptured"]["field"] == "/ConversationId"


async def test_a_client_call_is_near_to_a_rule_for_phones(service: Service) -> None:
    await make_configuration(service)
    told = await explained(service, channel="VOICE", **{"from": "client:ann"})
    nearest = told["considered"][0]["nearest"][0]["differences"]
    assert nearest == [{"field": "metadata", "rule": "PSTN", "message": "CLIENT", "name": "callType"}]


async def test_what_the_ingress_would_refuse_is_an_answer(service: Service) -> None:
    for strange in ("+", "tel:", "*", "x" * 255, "\u2028a\x7f"):
        for channel in ("SMS", "VOICE", "WHATSAPP", "RCS"):
            await explained(service, channel=channel, to=strange)
    for channel in ("VOICE", "WHATSAPP"):
        await explained(service, channel=channel, to="whatsapp:")
    told = await explained(service, **{"from": "+abc"})
    assert (told["outcome"], told["uncaptured"]["field"]) == ("REFUSED", "/From")
    assert told["sentences"][0].startswith("Refused with error 20001: /From: ")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"channel": "FAX"}, "/channel"),
        ({"from": None}, "/from"),
        ({"text": " \x1c"}, "/text"),
        ({"to": "a\x00"}, "/to"),
        ({"channel": "VOICE", "from": " "}, "/from"),
        ({"channel": "WHATSAPP", "to": ""}, "/to"),
        ({"conversationId": "x"}, "/conversationId"),
        ({"configurationId": "x"}, "/configurationId"),
        ({"to": f"whatsapp:{US}"}, "/to"),
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_refused(
    service: Service, changes: dict[str, Any], pointer: str
) -> None:
    body = {"channel": "SMS", "from": KIRAN, "to": US, **changes}
    answer = await service.api.post(PATH, json=body)
    assert refusal(answer, 400, 20001)["params"]["field"] == pointer


async def test_what_was_not_captured_can_be_fetched_and_tried_again(service: Service) -> None:
    await make_configuration(service, channelSettings=WHATSAPP)
    await traffic.message(service, KIRAN, US, Direction="inbound")
    (row,) = (await traffic.get(service, "/orchestrator/v1/Uncaptured"))["uncaptured"]
    path = f"/orchestrator/v1/Uncaptured/{row['id']}"
    assert await traffic.get(service, path) == row
    assert row["trace"]["considered"][0]["nearest"][0]["differences"][0]["field"] == "channel"
    again = (await service.api.post(f"{path}/Explain")).json()
    assert again["outcome"] == "UNCAPTURED"
    await make_configuration(service, displayName="New")
    again = (await service.api.post(f"{path}/Explain")).json()
    assert (again["outcome"], again["landings"][0]["sides"]["toldBy"]) == ("CAPTURED", "direction")


async def test_what_could_not_be_read_cannot_be_tried_again(service: Service) -> None:
    await traffic.message(service, KIRAN, US, "")
    (row,) = (await traffic.get(service, "/orchestrator/v1/Uncaptured"))["uncaptured"]
    refusal(await service.api.post(f"/orchestrator/v1/Uncaptured/{row['id']}/Explain"), 400, 20001)
    stranger = service.client(await service.new_account())
    async with stranger as api:
        for unknown in (row["id"], "orch_uncaptured_", "x%00"):
            path = f"/orchestrator/v1/Uncaptured/{unknown}"
            refusal(await api.get(path), 404, 20404)
            refusal(await api.post(f"{path}/Explain"), 404, 20404)


async def test_the_other_landings_of_a_message_are_named(service: Service) -> None:
    await make_configuration(service)
    second = await make_configuration(service, displayName="Second")
    await traffic.message(service, KIRAN, US)
    (first,), (copy,) = await traffic.everything_said(service)
    assert (await traffic.trace(service, first))["alsoIn"] == [
        {
            "configurationId": second,
            "displayName": "Second",
            "conversationId": copy["conversationId"],
            "communicationId": copy["id"],
        }
    ]
