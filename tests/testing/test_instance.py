"""An instance that runs already, and tests that share its one account."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from orchestrator.cli.errors import WrongUsage
from orchestrator.testing import Refused, running_instance
from tests.support.app import Service, test_settings
from tests.support.server import serving
from tests.support.traffic import KIRAN, get
from tests.testing.running import PAGE


@pytest.fixture
def running(service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The environment names it."""
    with serving(test_settings(database_url, public_url=None)) as url:
        given = {"URL": url, "ACCOUNT_SID": service.account.account_id, "AUTH_TOKEN": service.account.auth_token}
        for name, value in given.items():
            monkeypatch.setenv(f"ORCHESTRATOR_TESTING_{name}", value)
        yield service


def two_tests() -> None:
    with running_instance() as instance, instance.orchestrator() as one, instance.orchestrator() as another:
        assert one.account_sid == another.account_sid
        assert one.memory_store_id != another.memory_store_id
        assert one.number != another.number
        for test in (one, another):
            configuration_id = test.configure(displayName=test.number[1:])
            received = test.receive_sms(KIRAN, test.number, "hi")
            assert received.trace["configurationId"] == configuration_id
        with pytest.raises(Refused, match="404") as error:
            one.conversation("conv_conversation_00000000000000000000000000")
        assert error.value.status == 404
        another.client.delete(f"/v2/Conversations/{received.conversation_id}")


async def test_what_tests_have_made_there_is_deleted(running: Service) -> None:
    await asyncio.to_thread(two_tests)
    assert (await get(running, "/v2/Conversations"))["conversations"] == []
    assert (await get(running, "/v2/ControlPlane/Configurations"))["configurations"] == []
    assert (await get(running, "/v1/ControlPlane/Stores"))["stores"] == []


async def test_the_program_of_the_page_runs_as_it_is(running: Service, capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"(?ms)^```python\n(?!# \w+\.py\n)(.*?)^```$", PAGE.read_text())
    await asyncio.to_thread(exec, compile(program, PAGE.name, "exec"), {})
    assert "NEW" in capsys.readouterr().out.splitlines()


def test_where_it_runs_and_whose_it_is_cannot_be_set() -> None:
    with pytest.raises(WrongUsage, match="DATABASE_URL, MODE"), running_instance({"MODE": "dev", "DATABASE_URL": ""}):
        pass


def test_a_setting_that_there_is_not_is_no_setting_without_effect() -> None:
    given = {"DIGEST_SUMMARIES": "true", "ORCHESTRATOR_LOG_LEVEL": "debug", "mode": "production"}
    with pytest.raises(WrongUsage, match="no setting ORCHESTRATOR_LOG_LEVEL, mode: "), running_instance(given):
        pass


def test_without_its_credentials_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_TESTING_URL", "http://127.0.0.1:9")
    with pytest.raises(WrongUsage, match="ORCHESTRATOR_TESTING_ACCOUNT_SID"), running_instance():
        pass
