"""`orchestrator clock`: turning the clock of a running service, and what is shown of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from orchestrator.accounts import service as accounts
from orchestrator.accounts.service import Account
from orchestrator.cli.api import Api
from orchestrator.cli.instance import Instance
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.secrets import SecretBox
from orchestrator.kernel.unit import Units
from orchestrator.phones import message
from tests.cli.running import invoke
from tests.cli.test_rotation import refused
from tests.support.app import SECRET_KEY, test_settings
from tests.support.database import worker_database
from tests.support.factories import OUR_NUMBER, configuration_body
from tests.support.receiver import receiver
from tests.support.server import serving
from tests.support.traffic import KIRAN


async def new_account(database_url: str) -> Account:
    engine = create_engine(database_url, pool_size=2)
    async with Units(engine, Clock()).begin() as unit:
        account = await accounts.create_account(unit, SecretBox(SECRET_KEY), name="clock")
    await engine.dispose()
    return account


@pytest.fixture
async def instance() -> AsyncIterator[Instance]:
    """A service with a worker, and a database of its own."""
    async with worker_database("_clock_commands") as url:
        account = await new_account(url)
        # What the service logs would go where commands print, in this one process.
        with capture_logs(), serving(test_settings(url, public_url=None, worker=True)) as origin:
            yield Instance(origin, account.account_id, account.auth_token)


async def clock(instance: Instance, *arguments: str) -> str:
    """What a command that succeeds says."""
    settings: dict[str, Any] = {"account_sid": instance.account_id, "auth_token": instance.auth_token}
    return await asyncio.to_thread(invoke, "clock", *arguments, "--url", instance.url, **settings)


async def fails(instance: Instance, *arguments: str) -> tuple[int, str]:
    """Exit code and message of one that does not."""
    settings = {"account_sid": instance.account_id, "auth_token": instance.auth_token}
    return await asyncio.to_thread(refused, "clock", *arguments, "--url", instance.url, **settings)


async def test_the_clock_is_turned_and_what_came_of_it_is_shown(instance: Instance) -> None:
    async with Api(instance) as api, receiver() as hooks:
        await api.post("/v2/ControlPlane/Configurations", configuration_body(statusCallbacks=[hooks.callback()]))
        assert "the clock stands still" in await clock(instance, "freeze")
        await api.receive(message("SMS", KIRAN, OUR_NUMBER, "hello"))
        shown = await clock(instance, "show")
        assert "INACTIVE at" in shown
        assert "in 10m" in shown
        turned = await clock(instance, "advance", "11m")
        conversation = (await api.get("/v2/Conversations"))["conversations"][0]
        for part in (conversation["id"], "ACTIVE", "INACTIVE", "CONVERSATION_UPDATED", hooks.url(), "DELIVERED (200)"):
            assert part in turned
        closed = json.loads(await clock(instance, "to-next-deadline", "--json"))
        assert [(one["from"], one["to"]) for one in closed["transitions"]] == [("INACTIVE", "CLOSED")]
        later = datetime.fromisoformat(closed["now"]) + timedelta(minutes=1)
        assert f"{later:%Y-%m-%d %H:%M:%S} UTC; the clock stands still" in await clock(
            instance, "advance", later.isoformat()
        )
        assert "the clock runs, 1h" in await clock(instance, "run")
        assert hooks.sequences() == [1, 2, 3, 4, 5, 6]
    code, said = await fails(instance, "to-next-deadline")
    assert (code, said.count("\n")) == (1, 1)
    assert "the account has no open conversation" in said
    assert (await fails(instance, "reset"))[0] == 1
    assert (await clock(instance, "reset", "--force")).endswith("UTC; the clock runs\n")
    for wrong in ("soon", "0s"):
        code, said = await fails(instance, "advance", wrong)
        assert (code, said.startswith(f"orchestrator: {wrong}: ")) == (2, True), said
