"""Stores and profiles for tests, made over HTTP."""

import asyncio
import itertools
from typing import Any

import httpx
import pytest

from orchestrator.kernel.ids import MEMORY_STORE, new_id
from orchestrator.kernel.unit import Unit
from tests.support.app import Service

_numbers = itertools.count(2_000_000)


def new_phone() -> str:
    """An E.164 number that no other test uses."""
    return f"+1555{next(_numbers)}"


async def new_store(service: Service, api: httpx.AsyncClient | None = None, **body: Any) -> str:
    """The id of a fresh store, learnt from its operation as clients learn it."""
    api = api or service.api
    name = new_id(MEMORY_STORE).replace("_", "-")
    response = await api.post("/v1/ControlPlane/Stores", json={"displayName": name, **body})
    assert response.status_code == 202, response.text
    operation = (await api.get(response.json()["statusUrl"])).json()
    return str(operation["result"]["id"])


async def new_profile(service: Service, store_id: str, **contact: Any) -> str:
    """The id of the profile with these traits of the group Contact."""
    response = await post_profile(service, store_id, {"Contact": contact})
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


async def post_profile(service: Service, store_id: str, traits: Any) -> httpx.Response:
    return await service.api.post(f"/v1/Stores/{store_id}/Profiles", json={"traits": traits})


async def profile_traits(service: Service, store_id: str, profile_id: str) -> dict[str, Any]:
    response = await service.api.get(f"/v1/Stores/{store_id}/Profiles/{profile_id}")
    assert response.status_code == 200, response.text
    traits: dict[str, Any] = response.json()["traits"]
    return traits


async def identifiers_of(service: Service, store_id: str, profile_id: str) -> dict[str, list[str]]:
    """A profile's values by type."""
    response = await service.api.get(f"/v1/Stores/{store_id}/Profiles/{profile_id}/Identifiers")
    assert response.status_code == 200, response.text
    return {one["idType"]: one["values"] for one in response.json()["identifiers"]}


async def rows_of_store(service: Service, store_id: str) -> list[Any]:
    """Everything that is stored about profiles, to show that a refusal wrote nothing."""
    return [
        [
            tuple(row)
            for row in await service.fetch(
                f"select * from {table} where account_id = $1 and store_id = $2 order by 1, 2, 3, 4, 5",
                service.account.account_id,
                store_id,
            )
        ]
        for table in ("profiles", "profile_identifiers", "profile_traits")
    ]


def assert_refused(response: httpx.Response, status: int, code: int, *, names: str = "") -> dict[str, Any]:
    """Check Twilio's error body; `names` must be in its message."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), response.text
    assert names in body["message"]
    assert {"message", "more_info"} <= set(body)
    assert not {"type", "title"} & set(body)
    return body


async def until_somebody_waits_for(unit: Unit) -> None:
    """Return once another transaction waits for this one, so that a race can be played step by step."""
    waiting = "select 1 from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid)) limit 1"
    for _ in range(1000):
        if await unit.driver.fetchval(waiting):
            return
        await asyncio.sleep(0.01)
    pytest.fail("nobody waits")
