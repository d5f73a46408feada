"""Which account a start finds or makes."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from orchestrator.accounts import service as accounts
from orchestrator.accounts.rotation import rotate_token
from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.first_account import FirstAccount, credentials_file, settle
from orchestrator.kernel.ids import new_sid
from orchestrator.memory.stores import create_store
from orchestrator.settings import Settings
from tests.support.app import Service


async def start(service: Service, data_dir: Path, *, embedded: bool = True, **given: object) -> FirstAccount | None:
    """What a start does about accounts."""
    token = given.get("auth_token")
    settings = service.settings.model_copy(
        update={**given, "data_dir": data_dir, "auth_token": SecretStr(str(token)) if token else None}
    )
    assert isinstance(settings, Settings)
    async with service.units.begin() as unit:
        return await settle(unit, service.app.state.secret_box, settings, embedded=embedded)


async def token_of(service: Service, account_id: str) -> str:
    async with service.units.begin() as unit:
        account = await accounts.find_account(unit, service.app.state.secret_box, account_id)
    assert account
    return account.auth_token


def contents(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_the_account_in_the_settings_is_made_and_then_found(service: Service, tmp_path: Path) -> None:
    sid = new_sid("AC")
    made = await start(service, tmp_path, account_sid=sid, auth_token="one")
    assert made
    assert (made.account_id, made.auth_token, made.is_new) == (sid, "one", True)
    found = await start(service, tmp_path)
    assert found
    assert (found.account_id, found.auth_token, found.is_new) == (sid, "one", False)
    assert found.memory_store_id == made.memory_store_id


async def test_another_token_in_the_settings_replaces_the_one_that_is_kept(service: Service, tmp_path: Path) -> None:
    sid = new_sid("AC")
    await start(service, tmp_path, account_sid=sid, auth_token="one")
    await start(service, tmp_path, auth_token="two")
    assert await token_of(service, sid) == "two"
    assert json.loads(credentials_file(tmp_path).read_text())["basicAuth"] == f"{sid}:two"


@pytest.mark.parametrize("embedded", [True, False])
async def test_a_rotated_token_stays_whatever_the_settings_or_the_file_say(
    service: Service, tmp_path: Path, *, embedded: bool
) -> None:
    sid = new_sid("AC")
    await start(service, tmp_path, account_sid=sid, auth_token="one", embedded=embedded)
    async with service.units.begin() as unit:
        await rotate_token(unit, service.app.state.secret_box, sid, window=timedelta(), auth_token="two")
    found = await start(service, tmp_path, account_sid=sid, auth_token="one", embedded=embedded)
    assert found
    assert found.auth_token == await token_of(service, sid) == "two"
    if embedded:
        assert json.loads(credentials_file(tmp_path).read_text())["authToken"] == "two"


async def test_lost_credentials_are_those_of_the_oldest_account(service: Service, tmp_path: Path) -> None:
    async with service.units.begin() as unit:
        oldest = (await accounts.list_accounts(unit, service.app.state.secret_box))[0]
    found = await start(service, tmp_path)
    assert found
    assert (found.account_id, found.auth_token, found.is_new) == (oldest.account_id, oldest.auth_token, False)


async def test_kept_credentials_make_their_account_in_an_empty_database(service: Service, tmp_path: Path) -> None:
    sid = new_sid("AC")
    kept = {"accountSid": sid, "authToken": "one"}
    credentials_file(tmp_path).write_text(json.dumps(kept))
    made = await start(service, tmp_path)
    assert made
    assert made.is_new
    assert await token_of(service, sid) == "one"


async def test_a_store_that_is_there_is_used(service: Service, tmp_path: Path) -> None:
    sid = service.account.account_id
    async with service.units.begin() as unit:
        other = await create_store(unit, sid, display_name="other", description=None)
    found = await start(service, tmp_path, account_sid=sid)
    assert found
    assert found.memory_store_id == other.id
    async with service.units.begin() as unit:
        default = await create_store(unit, sid, display_name="default", description=None)
    found = await start(service, tmp_path, account_sid=sid)
    assert found
    assert found.memory_store_id == default.id


async def test_on_a_database_of_ones_own_nothing_is_made_unasked(service: Service, tmp_path: Path) -> None:
    assert await start(service, tmp_path, embedded=False) is None
    with pytest.raises(CommandFailed, match="set ORCHESTRATOR_AUTH_TOKEN too"):
        await start(service, tmp_path, embedded=False, account_sid=new_sid("AC"))
    assert contents(tmp_path) == []


async def test_credentials_that_cannot_be_read_are_not_overwritten(service: Service, tmp_path: Path) -> None:
    credentials_file(tmp_path).write_text("{")
    with pytest.raises(CommandFailed, match="repair or remove it"):
        await start(service, tmp_path)
    assert credentials_file(tmp_path).read_text() == "{"
