"""`orchestrator explain` asks a running service, and says the answer in sentences."""

import asyncio
import json

from structlog.testing import capture_logs

from tests.cli.running import invoke, run
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.server import serving
from tests.support.traffic import KIRAN, US


async def test_it_says_why(service: Service) -> None:
    await make_configuration(service, statusCallbacks=[{"url": "https://hooks.example.com/", "method": "POST"}])
    await traffic.message(service, KIRAN, US)
    conversation = await traffic.only_conversation(service)
    account = {"account_sid": service.account.account_id, "auth_token": service.account.auth_token}

    def explain(*arguments: str) -> str:
        return invoke("explain", "--url", origin, "--to", US, *arguments, **account)

    with capture_logs(), serving(service.settings) as origin:  # the service writes them here too
        lines = (await asyncio.to_thread(explain, "--from", KIRAN)).splitlines()
        answer = json.loads(await asyncio.to_thread(explain, "--from", KIRAN, "--channel", "rcs", "--json"))
    assert lines[0] == f"Would be captured by rule 2 of SMS (from * to {US}) in “Support”."
    assert lines[-2].startswith(f"It would join conversation {conversation['id']}, which holds this key; ")
    assert lines[-1] == "https://hooks.example.com/ would be told: COMMUNICATION_CREATED."
    assert answer["outcome"] == "UNCAPTURED"


def test_it_fails_in_one_line() -> None:
    account = {"account_sid": "AC" + "0" * 32, "auth_token": "0" * 32}
    done = run("explain", "--from", KIRAN, "--to", US, "--url", "http://127.0.0.1:1", **account)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("orchestrator: cannot reach http://127.0.0.1:1: ")
