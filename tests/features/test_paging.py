"""Pages of the four lists: one envelope, one query, and tokens that bring everything with them."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.communications import store
from orchestrator.kernel.ids import new_sid
from tests.features.test_communication_writes import Body, end, new_conversation, path_of, say
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.lists import page, walk, walk_there_and_back
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

CONVERSATIONS = "/v2/Conversations"
CONFIGURATIONS = "/v2/ControlPlane/Configurations"
NONSENSE = (
    b"",
    b"null",
    b"5",
    b'"text"',
    b"[]",
    b"{}",
    b"[" * 2000,
    b'{"a":null,"b":null,"s":1,"f":{}}',
    b'{"a":[],"s":1,"f":{}}',
    b'{"a":[null],"s":1,"f":{}}',
    b'{"a":[{}],"s":1,"f":{}}',
    b'{"a":[{"t":5}],"s":1,"f":{}}',
    b'{"a":[{"t":"2026-02-03T09:15:04"},{"t":"2026-02-03T09:15:04"}],"s":1,"f":{}}',
    b'{"a":[{"t":"9999-12-31T23:59:59-14:00"},"x"],"s":1,"f":{}}',
    b'{"a":["x","y","z"],"s":1,"f":{}}',
    b'{"a":[["x"]],"s":1,"f":{}}',
    b'{"a":["\\u0000"],"s":1,"f":{}}',
    b'{"a":["\\ud800"],"s":1,"f":{}}',
    b'{"a":["x"],"s":0,"f":{}}',
    b'{"a":["x"],"s":1001,"f":{}}',
    b'{"a":["x"],"s":1e300,"f":{}}',
    b'{"a":["x"],"s":"many","f":{}}',
    b'{"a":["x"],"s":null,"f":{}}',
    b'{"a":["x"],"s":1,"f":null}',
    b'{"a":["x"],"s":1,"f":[1]}',
    b'{"a":["x"],"s":1}',
)
HARMLESS = (
    b'{"a":["x"],"s":1,"f":{}}',
    b'{"a":["x"],"b":["y"],"s":1,"f":{"unknown":{"deep":[1]}}}',
    b'{"a":[{"t":"2026-02-03T09:15:04+00:00"},"x"],"s":1,"f":{}}',
)
"""What one list or another may have handed out."""
FORGED_FILTERS: tuple[Any, ...] = (5, "ACTIVE", ["OPEN"], [["ACTIVE"]], {"a": 1}, [None], "\x00", ["\x00"], True)


def token_of(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@dataclass(frozen=True)
class Listed:
    """One of the lists, with as many items as were asked for."""

    path: str
    ids: list[str]
    """In the order of the list."""


async def configurations(service: Service, count: int) -> Listed:
    return Listed(CONFIGURATIONS, [await make_configuration(service) for _ in range(count)][::-1])


async def conversations(service: Service, count: int) -> Listed:
    answers = [await service.api.post(CONVERSATIONS, json={"configuration": {}}) for _ in range(count)]
    return Listed(CONVERSATIONS, [answer.json()["id"] for answer in answers][::-1])


async def participants(service: Service, count: int) -> Listed:
    conversation = (await service.api.post(CONVERSATIONS, json={"configuration": {}})).json()
    path = f"{CONVERSATIONS}/{conversation['id']}/Participants"
    answers = [await service.api.post(path, json={"addresses": []}) for _ in range(count)]
    return Listed(path, [answer.json()["id"] for answer in answers])


async def communications(service: Service, count: int) -> Listed:
    conversation = (await service.api.post(CONVERSATIONS, json={"configuration": {}})).json()
    said = [await say(service, conversation, f"{number}") for number in range(count)]
    return Listed(path_of(conversation), [one["id"] for one in said])


Make = Callable[[Service, int], Awaitable[Listed]]
ALL_FOUR = pytest.mark.parametrize("make", [configurations, conversations, participants, communications])


@ALL_FOUR
async def test_the_envelope(service: Service, make: Make) -> None:
    listed = await make(service, 3)
    body = await traffic.get(service, listed.path)
    key = listed.path.rpartition("/")[2].lower()
    assert body.keys() == {key, "meta"}
    assert body["meta"] == {"key": key, "pageSize": 3}
    assert [one["id"] for one in body[key]] == listed.ids


@ALL_FOUR
async def test_an_empty_list(service: Service, make: Make) -> None:
    listed = await make(service, 0)
    key = listed.path.rpartition("/")[2].lower()
    assert await traffic.get(service, listed.path) == {key: [], "meta": {"key": key, "pageSize": 0}}


@ALL_FOUR
async def test_tokens_lead_there_and_back(service: Service, make: Make) -> None:
    listed = await make(service, 5)
    for size in (1, 2, 3, 4):
        pages = [listed.ids[start : start + size] for start in range(0, 5, size)]
        assert await walk_there_and_back(service, listed.path, pageSize=size) == pages
    for size in (5, 1000):
        _, meta = await page(service, listed.path, pageSize=size)
        assert meta.keys() == {"key", "pageSize"}, "the only page leads nowhere"


@ALL_FOUR
@pytest.mark.parametrize(
    "size", ["0", "-1", "1001", "abc", "", " 1", "1.0", "1e2", "+5", "٣", "00000000019999", "9" * 5000, "0" * 9 + "1"]
)
async def test_page_sizes_out_of_range(service: Service, make: Make, size: str) -> None:
    listed = await make(service, 0)
    refused = refusal(await service.api.get(listed.path, params={"pageSize": size}), 400, 20001)
    assert refused["params"] == {"field": "pageSize", "value": size[:200]}


async def test_fifty_are_on_a_page_unless_another_size_is_asked_for(service: Service) -> None:
    listed = await participants(service, 52)
    first, meta = await page(service, listed.path)
    assert (first, meta["pageSize"]) == (listed.ids[:50], 50)
    rest, meta = await page(service, listed.path, pageToken=meta["nextToken"])
    assert (rest, meta["pageSize"]) == (listed.ids[50:], 2)
    everything, _ = await page(service, listed.path, pageSize=1000)
    assert everything == listed.ids


@ALL_FOUR
async def test_beside_a_token_nothing_else_counts(service: Service, make: Make) -> None:
    listed = await make(service, 5)
    _, meta = await page(service, listed.path, pageSize=2)
    ignored = {
        "pageSize": "abc",
        "status": "OPEN",
        "channelId": new_sid("CA"),
        "memoryStoreId": "x",
        "Page": "7",
        "orderBy": "name",
    }
    second, meta = await page(service, listed.path, pageToken=meta["nextToken"], **ignored)
    assert second == listed.ids[2:4]
    last, _ = await page(service, listed.path, PAGETOKEN=meta["nextToken"], PageSize=1000)
    assert last == listed.ids[4:]


@ALL_FOUR
async def test_tokens_that_nobody_handed_out(service: Service, make: Make) -> None:
    listed = await make(service, 1)
    forged = [token_of(text) for text in NONSENSE] + ["nonsense", "é", "=", "A", "%00", "-_-_", "x" * 5000]
    for token in filter(None, forged):
        refused = refusal(await service.api.get(listed.path, params={"pageToken": token}), 400, 20001)
        assert refused["params"] == {"field": "pageToken"}, token
    for text in HARMLESS:
        answer = await service.api.get(listed.path, params={"pageToken": token_of(text)})
        assert answer.status_code in (200, 400), text
    for name, value in ((name, value) for name in ("status", "channelId", "memoryStoreId") for value in FORGED_FILTERS):
        text = json.dumps({"a": ["x"], "s": 1, "f": {name: value}}).encode()
        answer = await service.api.get(listed.path, params={"pageToken": token_of(text)})
        assert answer.status_code in (200, 400), text


async def test_tokens_of_other_lists_do_no_harm(service: Service) -> None:
    lists = [await make(service, 2) for make in (configurations, conversations, participants, communications)]
    tokens = [(await page(service, one.path, pageSize=1))[1]["nextToken"] for one in lists]
    for one in lists:
        for token in tokens:
            answer = await service.api.get(one.path, params={"pageToken": token})
            assert answer.status_code in (200, 400)
            if answer.status_code == 200:
                assert {item["id"] for item in answer.json()[answer.json()["meta"]["key"]]} <= {
                    item["id"] for item in (await service.api.get(one.path)).json()[answer.json()["meta"]["key"]]
                }


async def test_a_token_shows_another_account_nothing(service: Service) -> None:
    listed = await conversations(service, 2)
    _, meta = await page(service, listed.path, pageSize=1)
    async with service.client(await service.new_account()) as theirs:
        answer = await theirs.get(listed.path, params={"pageToken": meta["nextToken"]})
        assert answer.json() == {"conversations": [], "meta": {"key": "conversations", "pageSize": 0}}


async def test_a_token_alone_goes_on_with_its_filter(service: Service) -> None:
    listed = await conversations(service, 6)
    for conversation_id in listed.ids[::2]:
        await traffic.change(service, {"id": conversation_id}, status="INACTIVE")
    resting = await walk(service, CONVERSATIONS, status="INACTIVE", pageSize=1)
    assert resting == [[one] for one in listed.ids[::2]]
    others = await walk_there_and_back(service, CONVERSATIONS, STATUS=["ACTIVE", "CLOSED"], PAGESIZE=2)
    assert others == [listed.ids[1::2][:2], listed.ids[1::2][2:]]


@pytest.mark.parametrize("names", ["pageSize status", "PageSize Status", "PAGESIZE STATUS", "pagesize sTATUS"])
async def test_names_of_the_query_in_any_case(service: Service, names: str) -> None:
    listed = await conversations(service, 3)
    await traffic.change(service, {"id": listed.ids[0]}, status="CLOSED")
    size, status = names.split()
    assert (await page(service, CONVERSATIONS, **{size: 1, status: "ACTIVE"}))[0] == listed.ids[1:2]
    assert (await page(service, CONVERSATIONS, **{size: 1, status: "ACTIVE,CLOSED"}))[0] == listed.ids[:1]
    refused = refusal(await service.api.get(CONVERSATIONS, params={status: "ACTIVE,OPEN"}), 400, 20001)
    assert refused["params"] == {"field": "status", "value": "OPEN"}


@ALL_FOUR
async def test_unknown_names_are_ignored(service: Service, make: Make) -> None:
    listed = await make(service, 2)
    unknown = {"participantId": "conv_participant_x", "Page": "1", "": "x", "pageSize[]": "0", "é": "é"}
    assert (await page(service, listed.path, **unknown))[0] == listed.ids


async def test_conversations_by_whatever_their_channel_calls_them(service: Service) -> None:
    call, sid = new_sid("CA"), new_sid("SM")
    customer = {"type": "CUSTOMER", "addresses": [end(KIRAN, "VOICE", channelId=call)]}
    one = await new_conversation(service, customer)
    other = await new_conversation(service)
    await say(service, other, resourceId=sid, channelId="thread 1")
    for channel_id, found in ((call, one), (sid, other), ("thread 1", other)):
        for more in ({}, {"status": "ACTIVE"}, {"status": "ACTIVE,INACTIVE"}):
            ids, meta = await page(service, CONVERSATIONS, ChannelId=channel_id, pageSize=1, **more)
            assert ids == [found["id"]]
            assert "nextToken" not in meta
        assert (await page(service, CONVERSATIONS, channelId=channel_id, status="CLOSED"))[0] == []
    for unknown in (US, KIRAN, call.lower(), call + "x", "%", "_", "'"):
        assert (await page(service, CONVERSATIONS, channelId=unknown))[0] == []


async def test_a_channel_id_walks_through_its_own_alone(service: Service) -> None:
    async def under(channel_id: str) -> list[str]:
        return [(await say(service, conversation, channelId=channel_id))["id"] for _ in range(3)]

    conversation: Body = (await service.api.post(CONVERSATIONS, json={"configuration": {}})).json()
    ones, others = await under("CA1"), await under("CA2")
    assert await walk_there_and_back(service, path_of(conversation), channelId="CA1", pageSize=2) == [
        ones[:2],
        ones[2:],
    ]
    assert await walk(service, path_of(conversation), channelId="CA2", pageSize=1) == [[one] for one in others]


async def test_what_is_deleted_between_two_looks_is_left_out(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = await communications(service, 2)
    page_of_ids = store.page_of_ids

    async def and_then_it_is_gone(*args: Any) -> Any:
        found = await page_of_ids(*args)
        deleted = await service.api.delete(listed.path.removesuffix("/Communications"))
        assert deleted.status_code == 202
        return found

    monkeypatch.setattr(store, "page_of_ids", and_then_it_is_gone)
    assert await page(service, listed.path) == ([], {"key": "communications", "pageSize": 0})
