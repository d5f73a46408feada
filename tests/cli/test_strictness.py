"""`orchestrator accounts strict`: the header of a request decides, then its account, then the service."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from orchestrator.kernel.ids import new_sid
from tests.cli.running import invoke, invoke_json
from tests.cli.test_rotation import refused
from tests.support.app import SECRET_KEY, Service, running_service
from tests.support.factories import configuration_body, make_configuration

CALLBACKS = [{"url": "https://hooks.example.com/a"}]


@pytest.fixture
def given(service: Service, tmp_path: Path) -> dict[str, Any]:
    """The settings of the service, for commands beside it."""
    return {"database_url": service.settings.database_url, "secret_key": SECRET_KEY, "data_dir": tmp_path}


async def put(service: Service, **headers: str) -> int:
    """The status of a PUT that would delete the callbacks."""
    configuration_id = await make_configuration(service, statusCallbacks=CALLBACKS)
    path = f"/v2/ControlPlane/Configurations/{configuration_id}"
    named = {f"Orchestrator-{name.title()}": value for name, value in headers.items()}
    status = (await service.api.put(path, json=configuration_body(), headers=named)).status_code
    await service.api.delete(path)
    return status


async def make_strict(service: Service, choice: str, given: dict[str, Any]) -> str:
    return await asyncio.to_thread(invoke, "accounts", "strict", service.account.account_id, choice, **given)


async def test_an_account_is_strict_before_the_service_and_after_the_header(
    service: Service, given: dict[str, Any]
) -> None:
    assert await put(service) == 202
    assert "are strict" in await make_strict(service, "on", given)
    assert (await put(service), await put(service, strict="false"), await put(service, strict="true")) == (
        409,
        202,
        409,
    )
    assert "which makes writes not strict" in await make_strict(service, "default", given)
    assert await put(service) == 202


async def test_an_account_may_be_lax_where_the_service_is_strict(given: dict[str, Any]) -> None:
    async with running_service(given["database_url"], strict_put=True) as guarded:
        assert await put(guarded) == 409
        assert "are not strict" in await make_strict(guarded, "off", given)
        assert (await put(guarded), await put(guarded, strict="true")) == (202, 409)


async def test_the_list_of_accounts_shows_it(service: Service, given: dict[str, Any]) -> None:
    sid = service.account.account_id
    changed = await asyncio.to_thread(invoke_json, "accounts", "strict", sid, "on", **given)
    assert (changed["accountSid"], changed["strictWrites"]) == (sid, "on")
    listed = await asyncio.to_thread(invoke_json, "accounts", "list", **given)
    assert {one["accountSid"]: one["strictWrites"] for one in listed}[sid] == "on"
    assert "strict writes" in await asyncio.to_thread(invoke, "accounts", "list", **given)


async def test_what_cannot_be_is_refused(service: Service, given: dict[str, Any]) -> None:
    sid = service.account.account_id
    assert (await asyncio.to_thread(refused, "accounts", "strict", sid, "yes", **given))[0] == 2
    code, message = await asyncio.to_thread(refused, "accounts", "strict", new_sid("AC"), "on", **given)
    assert (code, "there is no account" in message) == (1, True)
