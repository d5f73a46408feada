"""Messages for tests: asked for as Twilio's SDKs do, and taken on by performers that know nothing of each other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx

from orchestrator.accounts.signers import Signers
from orchestrator.domain.backoff import Backoff
from orchestrator.messages.model import Outgoing
from orchestrator.messages.performing import MessagePerformer
from orchestrator.outbox.client import CallbackClient
from orchestrator.worker import policy_of
from tests.support.app import Service
from tests.support.traffic import KIRAN, US

SCHEDULE = Backoff(delays=(5, 30), jitter=0)
"""Seconds between attempts at a status callback."""
FORM = {"To": KIRAN, "From": US, "Body": "your parcel has left"}


@asynccontextmanager
async def performer(service: Service) -> AsyncIterator[MessagePerformer]:
    """What a worker takes messages on with."""
    settings = service.settings
    signers = Signers(service.app.state.authenticator, settings.callback_signature_algorithm)
    async with CallbackClient(allow_insecure=True, connect_timeout=2, read_timeout=10) as client:
        yield MessagePerformer(service.units, client, signers, policy_of(settings), SCHEDULE, interval=0.05)


async def perform(service: Service) -> int:
    """Do what is due now; returns how many steps that were."""
    async with performer(service) as running:
        return await running.run_once()


async def step(service: Service, *, dying: bool = False) -> Outgoing:
    """Claim the one message that is due and take it one step on; a worker that dies has claimed it in vain."""
    async with performer(service) as running:
        (claimed,) = await running.claim(10)
        if not dying:
            await running.perform(claimed)
        return claimed


async def forget_messages(service: Service) -> None:
    """Drop what other tests have left to do in this database."""
    await service.fetch("delete from messages")


def path(service: Service, sid: str | None = None) -> str:
    """Where a message is, or all of the account."""
    return f"/2010-04-01/Accounts/{service.account.account_id}/Messages{'' if sid is None else '/' + sid}.json"


async def ask(service: Service, **changes: Any) -> httpx.Response:
    """Ask for a message; None leaves a field of the form out."""
    form = {name: value for name, value in {**FORM, **changes}.items() if value is not None}
    return await post(service, urlencode(form, doseq=True))


async def post(
    service: Service, body: str, content_type: str = "application/x-www-form-urlencoded", *, sid: str | None = None
) -> httpx.Response:
    return await service.api.post(path(service, sid), content=body, headers={"Content-Type": content_type})


async def asked(service: Service, **changes: Any) -> dict[str, Any]:
    """A message that was accepted."""
    response = await ask(service, **changes)
    assert response.status_code == 201, response.text
    message: dict[str, Any] = response.json()
    return message


async def now(service: Service, sid: str) -> dict[str, Any]:
    """A message as it is now."""
    response = await service.api.get(path(service, sid))
    assert response.status_code == 200, response.text
    message: dict[str, Any] = response.json()
    return message
