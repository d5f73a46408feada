"""Request bodies that are compressed, where the API allows it."""

import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.features.bodies import JSON
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.memories import everything, fetch, note, observation, profile_path, sum_up, summary
from tests.support.memory import assert_refused, new_phone, new_profile, new_store

BODY = json.dumps({"observations": [observation()]}).encode()
MOST = 100_000


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    """A service whose limit of bodies is soon reached."""
    async with running_service(database_url, max_body_bytes=MOST) as running:
        yield running


@pytest.fixture
async def profile(service: Service) -> AsyncIterator[str]:
    store = await new_store(service)
    yield profile_path(store, await new_profile(service, store, phone=new_phone()))
    await service.api.delete(f"/v1/ControlPlane/Stores/{store}")  # an account has few


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("GZip", gzip.compress(BODY, 1, mtime=0)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate(BODY)),
        ("identity", BODY),
        ("", BODY),
        ("gzip", BODY),  # as the Python SDK sends it
        ("deflate", b" " + BODY),
    ],
)
async def test_a_body_is_unpacked(service: Service, profile: str, coding: str, body: bytes) -> None:
    headers = {**JSON, "Content-Encoding": coding}
    response = await service.api.post(f"{profile}/Observations", content=body, headers=headers)
    assert response.status_code == 202, response.text
    [kept] = await everything(service, f"{profile}/Observations")
    assert kept["content"] == "Likes tea"


async def test_every_operation_that_takes_memories_takes_them_compressed(service: Service, profile: str) -> None:
    [noted], [told] = await note(service, profile, observation()), await sum_up(service, profile, summary())
    observations, summaries = f"{profile}/Observations", f"{profile}/ConversationSummaries"

    async def send(method: str, path: str, body: Any, status: int) -> None:
        packed = gzip.compress(json.dumps(body).encode())
        headers = {**JSON, "Content-Encoding": "gzip"}
        response = await service.api.request(method, path, content=packed, headers=headers)
        assert response.status_code == status, response.text

    await send("POST", observations, {"observations": [observation()]}, 202)
    await send("POST", summaries, {"summaries": [summary()]}, 202)
    await send("PATCH", f"{observations}/{noted}", {"content": "new"}, 202)
    await send("PATCH", f"{summaries}/{told}", {"content": "new"}, 202)
    await send("POST", f"{profile}/Recall", {}, 200)
    assert (await fetch(service, f"{observations}/{noted}"))["content"] == "new"
    assert (await fetch(service, f"{summaries}/{told}"))["content"] == "new"


@pytest.mark.parametrize("coding", ["br", "compress", "zstd", "gzip, deflate", "gzip,gzip", "*", "nonsense"])
async def test_other_codings_are_refused(service: Service, profile: str, coding: str) -> None:
    before = await traffic.row_counts(service)
    for path in ("Observations", "ConversationSummaries", "Recall"):
        headers = {**JSON, "Content-Encoding": coding}
        response = await service.api.post(f"{profile}/{path}", content=gzip.compress(BODY, mtime=0), headers=headers)
        assert_refused(response, 415, 20415, names="gzip, deflate")
        assert response.headers["Accept-Encoding"] == "gzip, deflate"
    assert await traffic.row_counts(service) == before


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b"[" + BODY + b"]"),
        ("gzip", BODY[:-1]),
        ("gzip", b""),
        ("gzip", gzip.compress(BODY, mtime=0)[:-1]),
        ("gzip", gzip.compress(BODY, mtime=0)[:-9]),
        ("gzip", gzip.compress(BODY, mtime=0) + b"more"),
        ("gzip", gzip.compress(BODY, mtime=0) * 2),
        ("gzip", gzip.compress(BODY, mtime=0)[:-8] + b"\0" * 8),
        ("gzip", gzip.compress(BODY[:-1], mtime=0)),
        ("gzip", gzip.compress(b"\xff\xfe", mtime=0)),
        ("deflate", b"null"),
        ("deflate", BODY + b"}"),
        ("deflate", b""),
        ("deflate", b"\x78"),
        ("deflate", zlib.compress(BODY)[:-1]),
        ("deflate", zlib.compress(BODY) + b"x"),
        ("deflate", gzip.compress(BODY, mtime=0)),
    ],
)
async def test_what_is_not_what_it_says_is_refused(service: Service, profile: str, coding: str, body: bytes) -> None:
    before = await traffic.row_counts(service)
    headers = {**JSON, "Content-Encoding": coding}
    response = await service.api.post(f"{profile}/Observations", content=body, headers=headers)
    assert_refused(response, 400, 400)
    assert await traffic.row_counts(service) == before


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_the_limit_counts_what_comes_out(service: Service, profile: str, coding: str, pack: Any) -> None:
    headers = {**JSON, "Content-Encoding": coding}
    url = f"{profile}/Observations"
    assert (await service.api.post(url, content=pack(BODY.rjust(MOST)), headers=headers)).status_code == 202
    before = await traffic.row_counts(service)
    for length in (MOST + 1, 50_000_000):
        packed = pack(BODY.rjust(length))
        assert len(packed) < MOST
        assert_refused(await service.api.post(url, content=packed, headers=headers), 413, 20413, names=str(MOST))
    too_long = pack(json.dumps({str(number): number * 7919 for number in range(40_000)}).encode(), 1)
    assert len(too_long) > MOST
    assert_refused(await service.api.post(url, content=too_long, headers=headers), 413, 20413)
    assert await traffic.row_counts(service) == before


async def test_nothing_is_unpacked_for_nobody(service: Service, profile: str) -> None:
    async with service.client() as stranger:
        headers = {**JSON, "Content-Encoding": "gzip"}
        response = await stranger.post(f"{profile}/Observations", content=b"no gzip", headers=headers)
    assert_refused(response, 401, 20003)


async def test_requests_without_a_body_may_name_any_coding(service: Service, profile: str) -> None:
    [made] = await note(service, profile, observation())
    headers = {"Content-Encoding": "br"}
    assert (await service.api.get(f"{profile}/Observations/{made}", headers=headers)).status_code == 200
    assert (await service.api.delete(f"{profile}/Observations/{made}", headers=headers)).status_code == 202
