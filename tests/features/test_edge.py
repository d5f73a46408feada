"""The edge that every route shares: what is looked at first, what is understood, and how a refusal looks."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from orchestrator.kernel.ids import (
    ACTION,
    COMMUNICATION,
    CONFIGURATION,
    CONVERSATION,
    OPERATION,
    PARTICIPANT,
    PROFILE,
    new_id,
)
from tests.features.bodies import JSON, complete, new_world, writes
from tests.features.test_communication_writes import Body, body, new_conversation, path_of, say
from tests.support import traffic
from tests.support.app import ORIGIN, Service
from tests.support.lists import page
from tests.support.openapi import document
from tests.support.refusals import refusal
from tests.support.webhooks import FORM, error

CONVERSATIONS = "/v2/Conversations"
WRITES = pytest.mark.parametrize(("method", "path"), [one for one in writes() if not one[1].startswith("/v1/")])
LISTS = ("/v2/ControlPlane/Configurations", CONVERSATIONS)


def operations(*methods: str) -> list[tuple[str, str]]:
    """Operations that the OpenAPI file names. The Memory API refuses in its own way, and has its own tests."""
    return [
        (method.upper(), path)
        for path, found in document()["paths"].items()
        for method in found
        if method in methods and path.startswith(("/v2/", "/orchestrator/"))
    ]


def without_checks(service: Service) -> httpx.AsyncClient:
    """A client for what the OpenAPI file says nothing of."""
    account = service.account
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(service.app), base_url=ORIGIN, auth=(account.account_id, account.auth_token)
    )


@WRITES
async def test_what_is_looked_at_first(service: Service, method: str, path: str) -> None:
    """Credentials, content type, JSON, what the path names, and last what the body says."""
    world = await new_world(service)
    there, unknown = world.fill(path), world.fill(path, last="x")
    wrong_type = {"Content-Type": "text/plain"}
    async with service.client() as nobody:
        for headers, content in ((wrong_type, b"{"), (JSON, b"{"), (JSON, b"{}")):
            answer = await nobody.request(method, unknown, headers=headers, content=content)
            error(answer, 401, 20003)
            assert answer.headers["WWW-Authenticate"].startswith("Basic")
    api = service.api
    error(await api.request(method, unknown, headers=wrong_type, content=b"{"), 415, 20415)
    error(await api.request(method, unknown, headers=JSON, content=b"{"), 400, 20001)
    if unknown != there:
        wrong_and_right = (b"{}", b"[]", json.dumps(complete(method, path)).encode())
        for content in wrong_and_right:
            error(await api.request(method, unknown, headers=JSON, content=content), 404, 20404)
    error(await api.request(method, there, headers=JSON, content=b"[]"), 400, 20001)


@pytest.mark.parametrize(("method", "path"), operations("get", "delete"))
async def test_nothing_is_shown_without_credentials(service: Service, method: str, path: str) -> None:
    world = await new_world(service)
    stranger = await service.new_account()
    account = service.account
    for auth in (
        None,
        ("", ""),
        (account.account_id, ""),
        (account.account_id, account.auth_token + "x"),
        (account.account_id, stranger.auth_token),
        (stranger.account_id, account.auth_token),
        ("AC" + "0" * 32, account.auth_token),
        ("a\x00b", "é"),
    ):
        answer = await service.client().request(method, world.fill(path), auth=auth)
        error(answer, 401, 20003)


@pytest.mark.parametrize(("method", "path"), [one for one in operations("get", "delete") if "{" in one[1]])
async def test_what_belongs_to_others_or_to_nobody_is_not_found(service: Service, method: str, path: str) -> None:
    world = await new_world(service)
    async with service.client(await service.new_account()) as theirs:
        error(await theirs.request(method, world.fill(path)), 404, 20404)
    for unknown in ("x", "%00", "%FF", "é", "a%2Fb", "' or 1=1", "x" * 3000, new_id(CONVERSATION), new_id(PROFILE)):
        filled = world.fill(path, last=unknown)
        answer = await service.api.request(method, filled)
        if answer.status_code != 400:  # what an identifier type or an address may look like
            error(answer, 404, 20404)


async def test_ids_of_another_kind_are_not_found(service: Service) -> None:
    world = await new_world(service)
    kinds = (CONFIGURATION, CONVERSATION, PARTICIPANT, COMMUNICATION, ACTION, OPERATION)
    for collection in ("Configurations", "Conversations", "Participants", "Communications"):
        for path in (path for method, path in operations("get") if path.endswith(f"{collection}/{{id}}")):
            own = world.fill(path).rpartition("/")[2]
            strange = [new_id(kind) for kind in kinds] + [own.upper(), own + "0", own[:-1], own.replace("_", "-")]
            for wrong in [*strange, *(one for name, one in world.ids.items() if name != collection)]:
                refusal(await service.api.get(world.fill(path, last=wrong)), 404, 20404)


BODIES = {
    "a byte order mark": (b"\xef\xbb\xbf%s", 201),
    "a name twice": (b'{"author":5,"author":%s', 400),
    "UTF-8 that breaks off": (b'{"content":"\xff"}', 400),
    "a lone continuation": (b"\x80", 400),
    "half of UTF-16": (b"\xff\xfe\x00", 400),
    "nothing": (b"", 400),
    "blanks": (b"  ", 400),
    "null": (b"null", 400),
    "a list": (b"[%s]", 400),
    "a text": (b'"text"', 400),
    "a number": (b"5", 400),
    "not a number": (b"NaN", 400),
    "two values": (b"%s{}", 400),
    "what breaks off": (b'{"author"', 400),
    "single quotes": (b"{'author': 5}", 400),
    "a comma too many": (b'{"author": 5,}', 400),
    "a NUL": (b"\x00", 400),
    "deep lists": (b"[" * 100_000, 400),
    "deep lists that end": (b"[" * 100_000 + b"]" * 100_000, 400),
    "deep objects": (b'{"a":' * 100_000, 400),
    "depth where a text is expected": (b'{"author":' + b"[" * 500 + b"]" * 500 + b"}", 400),
    "a huge number": (b'{"author":' + b"9" * 5_000 + b"}", 400),
    "a number without end": (b'{"author":1e999}', 400),
}


@pytest.mark.parametrize("name", BODIES)
async def test_bodies_that_are_strange_json_or_none(service: Service, name: str) -> None:
    conversation = await new_conversation(service)
    before = await traffic.row_counts(service)
    pattern, status = BODIES[name]
    content = pattern.replace(b"%s", json.dumps(body()).encode())
    answer = await service.api.post(path_of(conversation), content=content, headers=JSON)
    assert answer.status_code == status, answer.text
    if status != 201:
        error(answer, 400, 20001)
        assert await traffic.row_counts(service) == before


async def test_the_last_of_two_fields_of_one_name_counts(service: Service) -> None:
    conversation = await new_conversation(service)
    content = b'{"author": 5, ' + json.dumps(body()).encode()[1:]
    answer = await service.api.post(path_of(conversation), content=content, headers=JSON)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON; charset=utf-8", "application/problem+json", "application/vnd.api+json;v=1"],
)
async def test_kinds_of_json(service: Service, content_type: str) -> None:
    conversation = await new_conversation(service)
    content = json.dumps(body()).encode()
    headers = {"Content-Type": content_type}
    assert (await service.api.post(path_of(conversation), content=content, headers=headers)).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [FORM, "multipart/form-data", "text/plain", "text/json", "application/jsonp", "application/xml", ";"],
)
@pytest.mark.parametrize(("method", "path"), [("POST", CONVERSATIONS), ("POST", None), ("PUT", None), ("PATCH", None)])
async def test_other_content_types(service: Service, method: str, path: str | None, content_type: str) -> None:
    conversation = await new_conversation(service)
    before = await traffic.row_counts(service)
    path = path or (path_of(conversation) if method == "POST" else f"{CONVERSATIONS}/{conversation['id']}")
    answer = await service.api.request(method, path, content=b"{}", headers={"Content-Type": content_type})
    error(answer, 415, 20415)
    assert await traffic.row_counts(service) == before


@pytest.mark.parametrize("path", LISTS)
async def test_lists_take_any_content_type_and_accept_anything(service: Service, path: str) -> None:
    for headers in (
        {"Content-Type": FORM, "Accept": "application/json"},
        {"Content-Type": "text/plain", "Accept": "*/*"},
        {"Accept": "application/xml"},
        {"Accept": "application/problem+json"},
        {"Accept": ";;;"},
    ):
        answer = await service.api.get(path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


async def test_an_error_looks_the_same_whatever_is_accepted(service: Service) -> None:
    for accept in ("*/*", "application/json", "application/problem+json", "text/html"):
        answer = await service.api.get(f"{CONVERSATIONS}/x", headers={"Accept": accept})
        assert "type" not in error(answer, 404, 20404)


async def test_a_body_beyond_the_limit_whether_announced_or_not(service: Service) -> None:
    conversation = await new_conversation(service)
    before = await traffic.row_counts(service)
    limit = service.settings.max_body_bytes
    content = json.dumps(body()).encode()

    async def unannounced(length: int) -> AsyncIterator[bytes]:
        for start in range(0, length - len(content), 1_000_000):
            yield b" " * min(1_000_000, length - len(content) - start)
        yield content

    too_long: tuple[Any, ...] = (content.rjust(limit + 1), unannounced(limit + 1))
    for one in too_long:
        error(await service.api.post(path_of(conversation), content=one, headers=JSON), 413, 20413)
    assert await traffic.row_counts(service) == before
    long_enough: tuple[Any, ...] = (content.rjust(limit), unannounced(limit))
    for one in long_enough:
        assert (await service.api.post(path_of(conversation), content=one, headers=JSON)).status_code == 201


async def test_methods_that_are_not_there(service: Service) -> None:
    conversation = await new_conversation(service)
    one = f"{CONVERSATIONS}/{conversation['id']}"
    said = await say(service, conversation)
    member = f"{one}/Participants/{conversation['participants'][0]['id']}"
    wrong = [
        (CONVERSATIONS, ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE")),
        (one, ("POST",)),
        (f"{one}/Participants", ("PUT", "PATCH", "DELETE")),
        (member, ("POST", "PATCH", "DELETE")),
        (path_of(conversation), ("PUT", "PATCH", "DELETE")),
        (path_of(conversation, said), ("POST", "PATCH", "DELETE")),
        (f"{one}/Actions", ("GET", "PUT", "PATCH", "DELETE")),
        ("/v2/ControlPlane/Configurations", ("PUT", "PATCH", "DELETE")),
        ("/v2/ControlPlane/Operations/x", ("POST", "PUT", "PATCH", "DELETE")),
    ]
    for path, methods in wrong:
        for method in methods:
            answer = await service.api.request(method, path, json={})
            error(answer, 405, 20004)
            assert answer.headers["Allow"]


async def test_head_is_answered_without_a_body(service: Service) -> None:
    async with without_checks(service) as client:
        for path in (*LISTS, f"{CONVERSATIONS}/x", "/nowhere"):
            answer = await client.head(path)
            assert answer.status_code in (200, 404, 405)


@pytest.mark.parametrize(
    "path",
    ["/", "/v2", "/v2/", "/v2/conversations", "/v3/Conversations", "/v2/Conversations/x/y", "//v2/Conversations"],
)
async def test_there_is_nothing_elsewhere(service: Service, path: str) -> None:
    error(await service.api.get(path), 404, 20404)


async def test_a_slash_too_many_leads_nowhere(service: Service) -> None:
    conversation = await new_conversation(service)
    for path in (CONVERSATIONS, f"{CONVERSATIONS}/{conversation['id']}", path_of(conversation)):
        error(await service.api.get(f"{path}/"), 404, 20404)
        error(await service.api.post(f"{path}/", json=body()), 404, 20404)
    assert await traffic.communications(service, conversation) == []


async def test_every_answer_has_an_id_of_its_own(service: Service) -> None:
    paths = (CONVERSATIONS, f"{CONVERSATIONS}/x", "/nowhere")
    ids = [(await service.api.get(path)).headers["Twilio-Request-Id"] for path in paths]
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("RQ") and len(one) == 34 for one in ids)


def moments(resource: Any) -> list[str]:
    """Every time in a resource."""
    if isinstance(resource, dict):
        own = [value for name, value in resource.items() if name.endswith("At") and value is not None]
        return own + [one for value in resource.values() for one in moments(value)]
    return [one for value in resource for one in moments(value)] if isinstance(resource, list) else []


async def test_what_is_unset_is_null_and_times_are_short(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation)
    configuration = await traffic.get(service, f"/v2/ControlPlane/Configurations/{conversation['configurationId']}")
    _, agent = conversation["participants"]
    inline: Body = (await service.api.post(CONVERSATIONS, json={"configuration": {}})).json()
    assert nulls(configuration) == {"conversationsV1Bridge", "redactionConfigurationId"}
    assert nulls(await traffic.get(service, f"{CONVERSATIONS}/{conversation['id']}")) == {"name"}
    assert nulls(inline) == {"name", "configurationId"}
    assert nulls(inline["configuration"]) >= {"displayName", "description", "memoryStoreId"}
    assert nulls(await traffic.get(service, f"{CONVERSATIONS}/{conversation['id']}/Participants/{agent['id']}")) == {
        "profileId"
    }
    assert nulls(agent["addresses"][0]) == {"channelId"}
    assert nulls(await traffic.get(service, path_of(conversation, said))) == {"channelId", "resourceId"}
    for resource in (configuration, conversation, inline, said):
        found = moments(resource)
        assert len(found) >= 2
        assert all(len(one) == len("2026-02-03T09:15:04Z") <= 30 for one in found)
    ids, _ = await page(service, CONVERSATIONS)
    assert ids == [inline["id"], conversation["id"]]


def nulls(resource: Body) -> set[str]:
    """The names of the fields that are there, and null."""
    return {name for name, value in resource.items() if value is None}
