"""Commands that change secrets: auth tokens, and the key that encrypts them."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.cli.first_account import credentials_file
from orchestrator.kernel.callback_signing import shared_key, standard_secret
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.secrets import SecretBox, SecretKeyMismatch
from tests.cli.running import environment, invoke, invoke_json
from tests.support.database import fresh_database


def kept(database_url: str, account: str) -> list[bytes]:
    """The account's encrypted tokens."""

    async def read() -> list[bytes]:
        connection = await asyncpg.connect(database_url)
        query = "select auth_token, previous_auth_token from accounts where account_id = $1"
        row = await connection.fetchrow(query, account)
        await connection.close()
        return [token for token in row or () if token is not None]

    return asyncio.run(read())


def refused(*arguments: str, **settings: object) -> tuple[int, str]:
    """Exit code and message of a command that fails."""
    names = {name for name in os.environ if name.startswith("ORCHESTRATOR_")}
    given: dict[str, Any] = dict.fromkeys(names) | {
        name: value for name, value in environment(**settings).items() if name.startswith("ORCHESTRATOR_")
    }
    done = CliRunner().invoke(app, list(arguments), env=given)
    return done.exit_code, done.output


async def test_tokens_and_the_key_are_changed_from_the_command_line(tmp_path: Path) -> None:
    async with fresh_database(f"orchestrator_test_rotation_{os.getpid()}") as database_url:
        await asyncio.to_thread(_change, tmp_path, database_url)


def _change(folder: Path, database_url: str) -> None:
    settings = {"database_url": database_url, "data_dir": folder, "secret_key": "the old key"}
    made = invoke_json("accounts", "create", **settings)
    sid, first = made["accountSid"], made["authToken"]
    credentials_file(folder).write_text(json.dumps({"accountSid": sid, "authToken": first, "memoryStoreId": "m"}))

    rotated = invoke_json("accounts", "rotate-token", sid, "--window", "24h", **settings, new_auth_token="second")
    assert (rotated["accountSid"], rotated["authToken"]) == (sid, "second")
    assert rotated["previousValidUntil"] > rotated["createdAt"]
    file = json.loads(credentials_file(folder).read_text())
    assert (file["basicAuth"], file["memoryStoreId"]) == (f"{sid}:second", "m")
    code, message = refused("accounts", "rotate-token", sid, **settings)
    assert (code, "end that rotation first" in message, message.count("\n")) == (1, True, 1)

    shown = invoke_json("accounts", "signing-secrets", sid, **settings)
    key = shared_key("second")
    assert shown == {"standardWebhooks": standard_secret("second"), "sharedKeyId": key.id, "sharedKey": key.secret}

    _rekey(database_url, sid, [first, "second"], settings)
    settings["secret_key"] = "the new key"
    assert "Only the current" in invoke("accounts", "end-rotation", sid, **settings)
    assert len(kept(database_url, sid)) == 1
    words = invoke("accounts", "rotate-token", sid, "--window", "0", **settings).split()
    assert words[:2] == ["Auth", "token"]
    assert sorted(map(SecretBox("the new key").decrypt, kept(database_url, sid))) == sorted(["second", words[2]])
    assert refused("accounts", "rotate-token", new_sid("AC"), **settings)[0] == 1


def _rekey(database_url: str, sid: str, tokens: list[str], settings: dict[str, object]) -> None:
    before = kept(database_url, sid)
    wrong = settings | {"old_secret_key": "a key that never was", "secret_key": "the new key"}
    code, message = refused("accounts", "rekey", **wrong)
    assert (code, "cannot be decrypted" in message) == (1, True)
    assert kept(database_url, sid) == before
    right = settings | {"old_secret_key": "the old key", "secret_key": "the new key"}
    # While both are set, what is under either key is read: so processes are started with both, before and after.
    assert [one["accountSid"] for one in invoke_json("accounts", "list", **right)] == [sid]
    for _ in range(2):  # and a second time changes nothing
        assert invoke_json("accounts", "rekey", **right) == {"accounts": 1}
        after = kept(database_url, sid)
        assert sorted(map(SecretBox("the new key").decrypt, after)) == sorted(tokens)
    with pytest.raises(SecretKeyMismatch):
        SecretBox("the old key").decrypt(after[0])


@pytest.mark.parametrize("window", ["", "1w", "-1h", "24", "h", "9999999h"])
def test_a_window_that_is_no_time_is_refused(window: str, tmp_path: Path) -> None:
    code, message = refused("accounts", "rotate-token", new_sid("AC"), f"--window={window}", data_dir=tmp_path)
    assert (code, "24h" in message) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["secret_key", "old_secret_key"])
def test_a_key_is_changed_only_when_both_are_named(given: str, tmp_path: Path) -> None:
    code, message = refused("accounts", "rekey", data_dir=tmp_path, **{given: "a key"})
    assert (code, "ORCHESTRATOR_OLD_SECRET_KEY" in message, "a key\n" in message) == (2, True, False)
