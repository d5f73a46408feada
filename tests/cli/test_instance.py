"""Which service and which account a command talks to; what it says where it cannot."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from httpx import MockTransport, Response
from rich.console import Console

from orchestrator.cli.api import Api, Refused
from orchestrator.cli.banner import _program
from orchestrator.cli.conversations.command import Status
from orchestrator.cli.instance import Instance
from orchestrator.cli.tables import print_table
from orchestrator.domain import lifecycle
from tests.cli.terminal import typed

SID = "AC" + "1" * 32


@pytest.mark.parametrize("command", ["clock show", "doctor", "tail"])
def test_an_address_where_nothing_can_be_is_wrong_usage(command: str) -> None:
    credentials = {"ORCHESTRATOR_ACCOUNT_SID": SID, "ORCHESTRATOR_AUTH_TOKEN": "x"}
    for url in ("localhost:8080", "ftp://x", "http://", "http://[::1", "http://x:99999", "http://x:a", "http://a b"):
        done = typed(*command.split(), "--url", url, **credentials)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert done.err.startswith("orchestrator: the service's address must be one such as http://127.0.0.1:8080, not")


def test_an_account_without_its_token_is_not_silently_another(tmp_path: Path) -> None:
    here = {"ORCHESTRATOR_ACCOUNT_SID": SID, "ORCHESTRATOR_DATA_DIR": str(tmp_path)}
    kept = tmp_path / "credentials.json"
    for account, code, told in (("AC" + "2" * 32, 2, "set its ORCHESTRATOR_AUTH_TOKEN"), (SID, 1, "nothing listens")):
        kept.write_text(f'{{"accountSid": "{account}", "authToken": "x"}}')
        done = typed("clock", "show", "--url", "http://127.0.0.1:1", **here)
        assert (done.code, done.err.count("\n")) == (code, 1)
        assert told in done.err


async def test_another_program_at_the_address_is_not_taken_for_the_service() -> None:
    for answer in (Response(200, text="<html>"), Response(200, json=[]), Response(404, json={"message": "no"})):
        async with Api(Instance("http://x", SID, "x"), transport=MockTransport(lambda _: answer)) as api:  # noqa: B023
            with pytest.raises(Refused, match=f"answered {answer.status_code} by another program than the service"):
                await api.get("/v2/Conversations")


def test_an_argument_that_is_no_text_is_wrong_usage_but_not_one_of_another_program(tmp_path: Path) -> None:
    done = typed("send", "sms", "--from", "+1", "--to", "+2", "\udcff", ORCHESTRATOR_DATA_DIR=str(tmp_path))
    assert (done.code, done.err) == (2, "orchestrator: an argument is not UTF-8 text: \\udcff\n")
    done = typed("proxy", "--url", "nowhere", "--", "cat", "\udcff", ORCHESTRATOR_DATA_DIR=str(tmp_path))
    assert done.err.startswith("orchestrator: --url: give an origin")


@pytest.mark.parametrize("width", [60, 120])
def test_a_narrow_terminal_cuts_off_no_id(width: int) -> None:
    on = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=width)
    print_table(("delivery", "said"), [("orch_delivery_" + "0" * 40, "two\nlines"), ("b", None)], title="All", on=on)
    assert isinstance(on.file, io.StringIO)
    shown = on.file.getvalue()
    assert "All" in shown
    assert "orch_delivery_" + "0" * 40 in shown
    assert ("delivery  b\n" in shown) == ("said      two\n          lines\n" in shown) == (width == 60)


def test_what_is_printed_to_be_typed_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr("sys.executable", "/some where/python")
    for first, program in (
        ("/a/orchestrator/__main__.py", "'/some where/python' -m orchestrator"),
        ("/a/orchestrator", "/a/orchestrator"),
    ):
        monkeypatch.setattr("sys.argv", [first])
        assert _program() == program


def test_the_states_to_choose_from_are_those_that_there_are() -> None:
    assert [*Status] == [*lifecycle.Status]


def test_help_loads_neither_the_settings_nor_what_talks_to_a_service() -> None:
    slow = "orchestrator.settings", "httpx", "phonenumbers", "sqlalchemy", "fastapi"
    program = f"import sys, orchestrator.cli; print([name for name in {slow} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n", loaded.stderr
