"""Changing conversations over REST: PUT replaces, PATCH changes, CLOSED is final."""

from typing import Any

import httpx

from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

PATH = "/v2/Conversations"


async def conversation_of_kiran(service: Service) -> dict[str, Any]:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    return await traffic.only_conversation(service)


async def put(service: Service, conversation: dict[str, Any], **body: Any) -> httpx.Response:
    return await service.api.put(f"{PATH}/{conversation['id']}", json=body)


async def patch(service: Service, conversation: dict[str, Any], **body: Any) -> httpx.Response:
    return await service.api.patch(f"{PATH}/{conversation['id']}", json=body)


async def test_a_change_answers_with_the_conversation_as_it_is_now(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    service.clock.advance(seconds=30)
    changed = await patch(service, conversation, name="Parcel 4711")
    assert changed.status_code == 200
    assert changed.json() == {**conversation, "name": "Parcel 4711", "updatedAt": changed.json()["updatedAt"]}
    assert changed.json()["updatedAt"] > conversation["updatedAt"]
    assert await traffic.only_conversation(service) == changed.json()


async def test_patch_leaves_out_what_is_to_stay(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    await put(service, conversation, status="ACTIVE", name="Parcel", metadata={"ticket": "4711"})
    resting = (await patch(service, conversation, status="INACTIVE")).json()
    assert (resting["status"], resting["name"], resting["metadata"]) == ("INACTIVE", "Parcel", {"ticket": "4711"})
    nameless = (await patch(service, conversation, name=None)).json()
    assert (nameless["status"], nameless["name"], nameless["metadata"]) == ("INACTIVE", None, {"ticket": "4711"})


async def test_put_clears_what_is_left_out(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    named = (await put(service, conversation, status="ACTIVE", name="Parcel", metadata={"ticket": "4711"})).json()
    assert (named["name"], named["metadata"]) == ("Parcel", {"ticket": "4711"})
    cleared = (await put(service, conversation, status="ACTIVE")).json()
    assert (cleared["name"], cleared["metadata"]) == (None, {})


async def test_every_change_is_one_event_with_the_conversation(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    changes: list[dict[str, Any]] = [
        {"status": "INACTIVE", "name": "Parcel"},
        {"status": "ACTIVE", "name": "Parcel"},
        {"status": "ACTIVE", "name": "Parcel", "metadata": {"a": "b"}},
        {"status": "CLOSED", "name": "Parcel", "metadata": {"a": "b"}},
    ]
    for change in changes:
        assert (await put(service, conversation, **change)).status_code == 200
    happened = (await traffic.events(service))[4:]
    assert [event.type for event in happened] == ["CONVERSATION_UPDATED"] * 4
    assert [event.sequence for event in happened] == [5, 6, 7, 8]
    for event, change in zip(happened, changes, strict=True):
        assert {name: event.data[name] for name in change} == change
    last = await traffic.only_conversation(service)
    assert happened[-1].data == {name: value for name, value in last.items() if name != "configuration"}


async def test_a_write_that_changes_nothing_is_no_event(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    named = (await patch(service, conversation, name="Parcel")).json()
    before = await traffic.row_counts(service)
    service.clock.advance(minutes=1)
    for answer in (
        await patch(service, conversation),
        await patch(service, conversation, status="ACTIVE"),
        await patch(service, conversation, name="Parcel"),
        await put(service, conversation, status="ACTIVE", name="Parcel"),
        await patch(service, conversation, nonsense=1),
    ):
        assert (answer.status_code, answer.json()) == (200, named)
    assert await traffic.row_counts(service) == before


async def test_closing_frees_the_key(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    held = "select from conversation_keys where account_id = $1 and conversation_id = $2"
    assert len(await service.fetch(held, service.account.account_id, conversation["id"])) == 1
    assert (await put(service, conversation, status="CLOSED")).json()["status"] == "CLOSED"
    assert await service.fetch(held, service.account.account_id, conversation["id"]) == []
    await traffic.message(service, KIRAN, US)
    assert [one["status"] for one in await traffic.conversations(service)] == ["CLOSED", "ACTIVE"]


async def test_an_inactive_conversation_still_holds_its_key(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    await patch(service, conversation, status="INACTIVE")
    await traffic.message(service, KIRAN, US)
    assert (await traffic.only_conversation(service))["status"] == "ACTIVE"


async def test_a_closed_conversation_never_changes(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    closed = (await put(service, conversation, status="CLOSED", name="Parcel")).json()
    before = await traffic.row_counts(service)
    refused = [
        await patch(service, conversation, status="ACTIVE"),
        await patch(service, conversation, status="INACTIVE"),
        await patch(service, conversation, name="Another"),
        await put(service, conversation, status="CLOSED", name="Parcel", metadata={"a": "b"}),
        await put(service, conversation, status="CLOSED"),
    ]
    for answer in refused:
        assert "CLOSED" in refusal(answer, 400, 20001)["message"]
    unchanged = await put(service, conversation, status="CLOSED", name="Parcel")
    assert (unchanged.status_code, unchanged.json()) == (200, closed)
    assert await traffic.row_counts(service) == before
    assert await traffic.only_conversation(service) == closed


async def test_wrong_bodies_are_refused_by_pointer(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("PUT", {}, "/status"),
        ("PUT", {"status": None}, "/status"),
        ("PUT", {"status": "OPEN"}, "/status"),
        ("PUT", {"status": "ACTIVE", "name": 5}, "/name"),
        ("PUT", {"status": "ACTIVE", "name": "a\x00b"}, "/name"),
        ("PUT", {"status": "ACTIVE", "metadata": {"a b": "c"}}, "/metadata/a b"),
        ("PUT", {"status": "ACTIVE", "metadata": {"a" * 129: "c"}}, "/metadata/" + "a" * 129),
        ("PUT", {"status": "ACTIVE", "metadata": {"a": "c" * 513}}, "/metadata/a"),
        ("PUT", {"status": "ACTIVE", "metadata": {"a": 1}}, "/metadata/a"),
        ("PUT", {"status": "ACTIVE", "metadata": {str(number): "" for number in range(9)}}, "/metadata"),
        ("PATCH", {"status": "closed"}, "/status"),
        ("PATCH", {"name": ["a"]}, "/name"),
    ]
    for method, body, pointer in wrong:
        answer = await service.api.request(method, f"{PATH}/{conversation['id']}", json=body)
        assert refusal(answer, 400, 20001)["params"]["field"] == pointer, body
    assert await traffic.only_conversation(service) == conversation


async def test_the_most_metadata_that_is_admitted(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    metadata = {f"{number}".rjust(128, "."): "v" * 512 for number in range(8)}
    changed = await put(service, conversation, status="ACTIVE", metadata=metadata)
    assert changed.json()["metadata"] == metadata


async def test_only_json_is_understood(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    path = f"{PATH}/{conversation['id']}"
    for method in ("PUT", "PATCH"):
        refusal(await service.api.request(method, path, data={"status": "CLOSED"}), 415, 20415)
        broken = await service.api.request(
            method, path, content=b'{"status"', headers={"Content-Type": "application/json"}
        )
        refusal(broken, 400, 20001)
    assert await traffic.only_conversation(service) == conversation
