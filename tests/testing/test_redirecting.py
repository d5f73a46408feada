"""Official clients, sent to a service from within the program."""

import asyncio
from collections.abc import Iterator

import pytest
import twilio.rest
from tac import TAC, TACConfig
from tac.context.base import BaseAPIClient
from tac.context.conversation import ConversationClient
from tac.context.memory import MemoryClient
from twilio.rest import Client

from orchestrator.testing import NotSent, use_here
from tests.support.app import Service
from tests.support.documents import ROOT
from tests.support.factories import OUR_NUMBER, make_configuration
from tests.support.server import serving

HERE = "http://127.0.0.1:8080"
THERE = "https://conversations.twilio.com/v2/Conversations?pageSize=2"


@pytest.fixture
def client() -> Client:
    return Client("AC" + "0" * 32, "token")


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    yield
    for kind in (Client, TAC):
        use_here(kind, None)


@pytest.mark.parametrize("host", ["conversations.twilio.com", "memory.ie1.twilio.com", "api.dublin.ie1.twilio.com"])
def test_urls_of_the_products_lead_here(client: Client, host: str) -> None:
    assert use_here(client, HERE + "/") is client
    assert client.get_hostname(f"https://{host}/v2/Conversations?pageSize=2") == f"{HERE}/v2/Conversations?pageSize=2"


def test_a_region_stays_without_effect(client: Client) -> None:
    client.region, client.edge = "ie1", "dublin"
    use_here(client, HERE)
    assert client.get_hostname(THERE) == f"{HERE}/v2/Conversations?pageSize=2"
    assert client.get_hostname(f"{HERE}/v2/Conversations") == f"{HERE}/v2/Conversations"


def test_other_hosts_are_refused_unless_they_are_allowed(client: Client) -> None:
    use_here(client, HERE)
    with pytest.raises(NotSent, match=r"verify\.twilio\.com"):
        client.verify.v2.services.list()
    use_here(client, HERE, allow=["verify.twilio.com"])
    assert client.get_hostname("https://verify.twilio.com/v2") == "https://verify.twilio.com/v2"


def test_the_last_word_counts_and_can_be_taken_back(client: Client) -> None:
    use_here(client, HERE)
    use_here(client, "http://127.0.0.1:8081")
    assert client.get_hostname(THERE).startswith("http://127.0.0.1:8081/")
    use_here(client, None)
    assert client.get_hostname(THERE) == THERE
    use_here(client, None)
    assert "get_hostname" not in vars(client)


def test_a_class_stands_for_its_objects(client: Client) -> None:
    use_here(Client, HERE)
    assert client.get_hostname(THERE).startswith(HERE)
    use_here(Client, None)
    assert client.get_hostname(THERE) == THERE
    assert "get_hostname" not in vars(Client)


def test_what_agent_connect_is_made_of_leads_here() -> None:
    conversations, memory = ConversationClient("AC", "t", "c"), MemoryClient("s", "AC", "t", region="ie1")
    assert (use_here(conversations, HERE).base_url, use_here(memory, HERE).base_url) == (HERE, HERE)
    use_here(memory, None)
    assert memory.base_url == "https://memory.ie1.twilio.com"


def test_all_of_agent_connect_leads_here_until_it_is_taken_back() -> None:
    usual = BaseAPIClient.__dict__["_build_base_url"]
    use_here(TAC, HERE, allow=["knowledge.twilio.com"])
    assert ConversationClient("AC", "t", "c").base_url == HERE
    assert BaseAPIClient._build_base_url("intelligence", None) == HERE
    assert BaseAPIClient._build_base_url("knowledge", None) == "https://knowledge.twilio.com"
    use_here(TAC, None)
    assert BaseAPIClient.__dict__["_build_base_url"] is usual


@pytest.mark.parametrize("thing", [twilio.rest, "a client", TACConfig], ids=["module", "text", "settings"])
def test_anything_else_is_refused(thing: object) -> None:
    with pytest.raises(TypeError, match=r"twilio\.rest\.Client"):
        use_here(thing, HERE)


@pytest.fixture
def url(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service; the environment is as the page wants it."""
    with serving(service.settings) as running:
        given = {"ORCHESTRATOR_URL": running, "ACCOUNT_SID": service.account.account_id}
        for name, value in (given | {"AUTH_TOKEN": service.account.auth_token}).items():
            monkeypatch.setenv(name, value)
        yield running


async def test_the_program_of_the_page_runs_as_it_is(
    service: Service, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_configuration(service)
    page = (ROOT / "docs" / "clients.md").read_text().partition("\n## In the program, with this package\n")[2]
    program = compile(page.partition("```python\n")[2].partition("\n```\n")[0], "clients.md", "exec")
    await asyncio.to_thread(exec, program, {})
    printed = capsys.readouterr().out.splitlines()
    assert "Support GROUP_BY_PARTICIPANT_ADDRESSES" in printed
    assert any(line.startswith("mem_store_") for line in printed)


async def test_agent_connect_finds_its_configuration_here_as_soon_as_it_is_made(
    service: Service, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAC_ANALYTICS_DISABLED", "true")
    use_here(TAC, url)
    account = service.account
    made = await asyncio.to_thread(
        TAC,
        {
            "account_sid": account.account_id,
            "auth_token": account.auth_token,
            "api_key": account.account_id,
            "api_secret": account.auth_token,
            "conversation_configuration_id": await make_configuration(service),
            "phone_number": OUR_NUMBER,
        },
    )
    clients = [made.conversation_orchestrator_client, made.conversation_memory_client]
    assert [one and one.base_url for one in clients] == [url, url]
    use_here(made, None)
    assert [one and one.base_url for one in clients] == [
        "https://conversations.twilio.com",
        "https://memory.twilio.com",
    ]
