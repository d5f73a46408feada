"""Bodies as bytes: which are understood as JSON, which are refused, and how long they may be."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.features.bodies import JSON
from tests.features.test_communication_writes import body, new_conversation, path_of
from tests.support import traffic
from tests.support.app import Service
from tests.support.webhooks import FORM, error

CONVERSATIONS = "/v2/Conversations"

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
