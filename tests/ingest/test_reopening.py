"""Traffic for a conversation that exists already: it joins, reopens, or starts a new one; its settings stay pinned."""

from typing import Any

from orchestrator.lifecycle.sweep import sweep_all
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.factories import configuration_body, make_configuration
from tests.support.traffic import BY_ADDRESSES, KIRAN, US


async def replace(service: Service, configuration_id: str, **changes: Any) -> None:
    path = f"/v2/ControlPlane/Configurations/{configuration_id}"
    response = await service.api.put(path, json=configuration_body(**changes))
    assert response.status_code == 202, response.text


async def keys(service: Service) -> list[tuple[str, str]]:
    """The grouping keys that are held, and by whom."""
    rows = await service.fetch(
        "select key, conversation_id from conversation_keys where account_id = $1", service.account.account_id
    )
    return [tuple(row) for row in rows]


async def test_traffic_reopens_an_inactive_conversation_and_says_so_first(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    await traffic.change(service, await traffic.only_conversation(service), status="INACTIVE")
    await traffic.message(service, US, KIRAN)
    conversation = await traffic.only_conversation(service)
    assert conversation["status"] == "ACTIVE"
    happened = (await traffic.events(service))[4:]
    assert [(event.type, event.data.get("status")) for event in happened] == [
        ("CONVERSATION_UPDATED", "INACTIVE"),
        ("CONVERSATION_UPDATED", "ACTIVE"),
        ("COMMUNICATION_CREATED", None),
    ]
    _, last = await traffic.communications(service, conversation)
    assert (await traffic.trace(service, last))["outcome"] == "REOPENED"


async def test_a_reopened_conversation_rests_again_after_its_timeout(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    service.clock.advance(minutes=10)
    await sweep_all(service.units)
    service.clock.advance(minutes=40)
    await traffic.message(service, KIRAN, US)
    service.clock.advance(minutes=9)
    await sweep_all(service.units)
    assert (await traffic.only_conversation(service))["status"] == "ACTIVE"
    service.clock.advance(minutes=1)
    await sweep_all(service.units)
    assert (await traffic.only_conversation(service))["status"] == "INACTIVE"


async def test_a_closed_conversation_never_reopens(service: Service) -> None:
    await make_configuration(service, conversationGroupingType=BY_ADDRESSES)
    await traffic.message(service, KIRAN, US, "first")
    ((key, first_holder),) = await keys(service)
    closed = await traffic.change(service, await traffic.only_conversation(service), status="CLOSED")
    assert await keys(service) == []
    await traffic.message(service, KIRAN, US, "second")
    assert await traffic.texts(service) == [["first"], ["second"]]
    old, new = await traffic.conversations(service)
    assert old == closed
    assert new["status"] == "ACTIVE"
    assert first_holder == old["id"]
    assert await keys(service) == [(key, new["id"])]
    (said,) = await traffic.communications(service, new)
    assert (await traffic.trace(service, said))["outcome"] == "NEW"


async def test_a_message_after_the_closing_time_starts_a_new_conversation_even_before_the_sweep(
    service: Service,
) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "first")
    service.clock.advance(minutes=60)
    await traffic.message(service, KIRAN, US, "second")
    old, new = await traffic.conversations(service)
    assert (old["status"], new["status"]) == ("CLOSED", "ACTIVE")
    assert await traffic.texts(service) == [["first"], ["second"]]
    last = (await traffic.events(service, old))[-1]
    assert (last.type, last.data["status"]) == ("CONVERSATION_UPDATED", "CLOSED")
    await sweep_all(service.units)
    assert await traffic.conversations(service) == [old, new]


async def test_a_message_just_before_the_closing_time_joins(service: Service) -> None:
    clock = stop_clock(service)
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "first")
    clock.advance(minutes=59, seconds=59)
    await traffic.message(service, KIRAN, US, "second")
    assert await traffic.texts(service) == [["first", "second"]]


async def test_an_open_conversation_keeps_the_version_it_began_with(service: Service) -> None:
    settings = {"SMS": traffic.channel(*traffic.both_ways(), inactive=10, closed=60)}
    configuration_id = await make_configuration(service, channelSettings=settings, description="one")
    await traffic.message(service, KIRAN, US)
    slower = {"SMS": traffic.channel(*traffic.both_ways(), inactive=20, closed=90)}
    await replace(service, configuration_id, channelSettings=slower, description="two")
    await traffic.message(service, "+15550000001", US)
    old, new = await traffic.conversations(service)
    assert [one["configuration"]["description"] for one in (old, new)] == ["one", "two"]
    assert old["configuration"]["channelSettings"] == settings
    assert new["configuration"]["channelSettings"] == slower
    service.clock.advance(minutes=10)
    await sweep_all(service.units)
    assert [one["status"] for one in await traffic.conversations(service)] == ["INACTIVE", "ACTIVE"]
    service.clock.advance(minutes=10)
    await sweep_all(service.units)
    assert [one["status"] for one in await traffic.conversations(service)] == ["INACTIVE", "INACTIVE"]


async def test_traffic_that_joins_by_new_rules_leaves_the_pinned_settings_alone(service: Service) -> None:
    first = {"SMS": traffic.channel(*traffic.both_ways(), inactive=10, closed=60)}
    configuration_id = await make_configuration(service, channelSettings=first, description="one")
    await traffic.message(service, KIRAN, US, "captured by version 1")
    second = {"SMS": traffic.channel(*traffic.both_ways(), inactive=20, closed=90)}
    await replace(service, configuration_id, channelSettings=second, description="two")
    await traffic.message(service, KIRAN, US, "captured by version 2")
    conversation = await traffic.only_conversation(service)
    assert conversation["configuration"]["channelSettings"] == first
    traces = [await traffic.trace(service, one) for one in await traffic.communications(service, conversation)]
    assert [one["configurationVersion"] for one in traces] == [1, 2]


async def test_the_settings_of_a_new_conversation_after_a_close_are_the_current_ones(service: Service) -> None:
    configuration_id = await make_configuration(service, description="one")
    await traffic.message(service, KIRAN, US)
    await replace(service, configuration_id, description="two")
    await traffic.change(service, await traffic.only_conversation(service), status="CLOSED")
    await traffic.message(service, KIRAN, US)
    found = [one["configuration"]["description"] for one in await traffic.conversations(service)]
    assert found == ["one", "two"]


async def test_status_callbacks_are_live(service: Service) -> None:
    old, new = ({"url": f"https://{name}.example.com/hook", "method": "POST"} for name in ("old", "new"))
    configuration_id = await make_configuration(service, statusCallbacks=[old])
    await traffic.message(service, KIRAN, US)
    assert (await traffic.only_conversation(service))["configuration"]["statusCallbacks"] == [old]
    await replace(service, configuration_id, statusCallbacks=[new])
    assert (await traffic.only_conversation(service))["configuration"]["statusCallbacks"] == [new]
    await traffic.message(service, KIRAN, US)
    rows = await service.fetch(
        "select sequence, url from deliveries where account_id = $1 order by sequence", service.account.account_id
    )
    assert [(row["sequence"], row["url"]) for row in rows] == [
        *((sequence, old["url"]) for sequence in range(1, 5)),
        (5, new["url"]),
    ]
