"""The edge that every route shares: what is looked at first, what is understood, and how a refusal looks."""

import json

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
from tests.features.test_communication_writes import body, new_conversation, path_of, say
from tests.support import traffic
from tests.support.app import ORIGIN, Service
from tests.support.openapi import document
from tests.support.refusals import refusal
from tests.support.webhooks import FORM, error

CONVERSATIONS = "/v2/Conversations"


def of_memory(path: str) -> bool:
    """Whether it is about a memory store."""
    return path.startswith("/v1/") or "/Stores/" in path


WRITES = pytest.mark.parametrize(("method", "path"), [one for one in writes() if not of_memory(one[1])])
LISTS = ("/v2/ControlPlane/Configurations", CONVERSATIONS)


def operations(*methods: str) -> list[tuple[str, str]]:
    """Operations that the OpenAPI file names. The Memory API refuses in its own way, and has its own tests."""
    return [
        (method.upper(), path)
        for path, found in document()["paths"].items()
        for method in found
        if method in methods and path.startswith(("/v2/", "/orchestrator/")) and not of_memory(path)
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
            async with service.client(await service.new_account()) as theirs:
                error(await theirs.request(method, there, headers=JSON, content=content), 404, 20404)
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
        for path, status in ((CONVERSATIONS, 405), (f"{CONVERSATIONS}/x", 405), ("/nowhere", 404)):
            answer = await client.head(path)
            assert (answer.status_code, answer.content) == (status, b"")


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
