"""Programs that know nothing of this service, run through `orchestrator proxy`; and the page that shows them."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from twilio.rest import Client

from orchestrator.accounts.service import Account
from tests.support.documents import ROOT
from tests.support.node import FOLDER
from tests.support.proxy import ORCHESTRATOR, Proxying, proxying
from tests.support.sdk import create_configuration
from tests.support.sdk_memory import create_store, new_name

PAGE = ROOT / "docs" / "clients.md"
NODE = str(Path(sys.executable).parent / "node")

WRITES = """
import asyncio, os
import aiohttp
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client
from twilio.rest.memory.v1.store import StoreList

account = os.environ["ACCOUNT_SID"], os.environ["AUTH_TOKEN"]
client = Client(*account, edge="dublin", region="ie1")
accepted = client.memory.v1.stores.create(StoreList.ServiceRequest({"displayName": "proxied"}))
print(accepted.status_url)
print(client.memory.v1.operations(accepted.status_url.rpartition("/")[2]).fetch().status)
print(client.messages.create(to="+15551234567", from_="+16505550199", body="on its way").status)

async def main():
    async with AsyncTwilioHttpClient(pool_connections=False) as http_client:
        http_client.session = aiohttp.ClientSession(trust_env=True)
        client = Client(*account, http_client=http_client)
        print(len(await client.conversations.v2.configurations.list_async()))

asyncio.run(main())
"""
AGENT = """
import os
from tac.context.conversation import ConversationClient
from tac.context.memory import MemoryClient

account = os.environ["ACCOUNT_SID"], os.environ["AUTH_TOKEN"]
conversations = ConversationClient(*account, os.environ["CONFIGURATION"])
print(conversations.get_configuration(conversations.configuration_id).display_name)
memory = MemoryClient(os.environ["STORE"], *account, region="us1")

async def main():
    profile = await memory.create_profile({"Contact": {"phone": "+15551234567"}})
    print((await memory.lookup_profile("phone", "+15551234567")).profiles == [profile])

import asyncio
asyncio.run(main())
"""
NODE_READS = """
const twilio = require("twilio");
const client = twilio(process.env.ACCOUNT_SID, process.env.AUTH_TOKEN);
(async () => {
  for (const one of await client.conversations.v2.configurations.list()) console.log(one.displayName);
  console.log((await client.memory.v1.stores.list())[0]);
  console.log((await fetch("https://conversations.twilio.com/readyz")).status);
})();
"""


@pytest.fixture(scope="module")
def proxy(origin: str) -> Iterator[Proxying]:
    with proxying(origin) as running:
        yield running


@pytest.fixture
def made(client: Client) -> tuple[str, str]:
    """A configuration and a store."""
    return create_configuration(client), create_store(client, new_name())


def snippet(section: str, language: str) -> str:
    """The block of code in a section of the page."""
    text = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    (found,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)
    return str(found)


async def test_the_program_of_the_page_runs_as_it_is(account: Account, origin: str, made: tuple[str, str]) -> None:
    own = {"ACCOUNT_SID": account.account_id, "AUTH_TOKEN": account.auth_token}
    command = [*ORCHESTRATOR, "proxy", "--url", origin, "--", sys.executable, "-c", snippet("With the proxy", "python")]
    done = await asyncio.to_thread(
        subprocess.run, command, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["Support GROUP_BY_PARTICIPANT_ADDRESSES", made[1]]


async def test_regions_operations_and_the_asynchronous_client(
    account: Account, proxy: Proxying, made: tuple[str, str]
) -> None:
    done = await asyncio.to_thread(proxy.run, sys.executable, "-c", WRITES, account=account)
    assert (done.returncode, done.stderr) == (0, "")
    status_url, *rest = done.stdout.splitlines()
    assert status_url.startswith("https://memory.dublin.ie1.twilio.com/v1/ControlPlane/Operations/")
    assert rest == ["COMPLETED", "queued", "1"]


async def test_twilio_agent_connect(account: Account, proxy: Proxying, made: tuple[str, str]) -> None:
    own = {"CONFIGURATION": made[0], "STORE": made[1], "TAC_ANALYTICS_DISABLED": "true"}
    done = await asyncio.to_thread(proxy.run, sys.executable, "-c", AGENT, account=account, **own)
    assert done.stdout.splitlines() == ["Support", "True"], done.stderr


async def test_twilio_node_and_the_own_fetch_of_node(account: Account, proxy: Proxying, made: tuple[str, str]) -> None:
    modules = str(FOLDER / "node_modules")
    done = await asyncio.to_thread(proxy.run, NODE, "-e", NODE_READS, account=account, NODE_PATH=modules)
    assert done.stdout.splitlines() == ["Support", made[1], "200"], done.stderr


@pytest.mark.parametrize(
    ("language", "command"), [("python", [sys.executable, "-c"]), ("javascript", [NODE, "-e"])], ids=["python", "node"]
)
async def test_without_the_proxy_as_the_page_shows(
    account: Account, origin: str, made: tuple[str, str], language: str, command: list[str]
) -> None:
    own = {"ACCOUNT_SID": account.account_id, "AUTH_TOKEN": account.auth_token, "ORCHESTRATOR_URL": origin}
    own |= {"NODE_PATH": str(FOLDER / "node_modules"), "NO_PROXY": "*", "no_proxy": "*", "HTTP_PROXY": ""}
    done = await asyncio.to_thread(
        subprocess.run,
        [*command, snippet("In the program", language)],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[:2] == ["Support GROUP_BY_PARTICIPANT_ADDRESSES", made[1]], done.stderr
