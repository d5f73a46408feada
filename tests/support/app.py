"""The application in the test's process: a fresh account, a REST client, provider traffic, a clock that turns."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI
from starlette.routing import BaseRoute
from twilio.request_validator import RequestValidator

from orchestrator.accounts import service as accounts
from orchestrator.accounts.service import Account
from orchestrator.app import create_app
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.unit import Unit, Units
from orchestrator.settings import Settings
from tests.support.openapi import check_response

ORIGIN = "https://orchestrator.test"
SECRET_KEY = "a key for tests"


class TurnableClock(Clock):
    """The system clock, plus what the test has advanced."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return super().now() + self.offset

    def advance(self, **duration: float) -> None:
        self.offset += timedelta(**duration)


@dataclass
class Service:
    """A running application and one account of it."""

    app: FastAPI
    account: Account
    api: httpx.AsyncClient
    """REST client with the account's credentials; every response is checked against the OpenAPI file."""
    clock: TurnableClock
    settings: Settings
    fragments: int = 0

    @property
    def units(self) -> Units:
        units: Units = self.app.state.units
        return units

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """Rows straight from the database."""
        async with self.units.begin() as unit:
            return await unit.driver.fetch(query, *args)

    async def new_account(self) -> Account:
        async with self.units.begin() as unit:
            return await accounts.create_account(unit, self.app.state.secret_box, name="another")

    def client(self, account: Account | None = None) -> httpx.AsyncClient:
        """A REST client, without credentials unless an account is given."""
        auth = (account.account_id, account.auth_token) if account else None
        return api_client(self.app, auth)

    async def post_webhook(self, path: str, form: dict[str, str], *, signed_by: str | None = None) -> httpx.Response:
        """Post a form as Twilio does, signed with the official algorithm."""
        form = {"AccountSid": self.account.account_id, **form}
        url = ORIGIN + path
        signature = RequestValidator(signed_by or self.account.auth_token).compute_signature(url, form)
        return await self.api.post(
            path,
            content=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature},
        )

    async def post_webhook_json(self, path: str, body: bytes) -> httpx.Response:
        """Post JSON as Twilio does: the body's digest in the signed URL."""
        query = f"{path}?bodySHA256={hashlib.sha256(body).hexdigest()}"
        signature = RequestValidator(self.account.auth_token).compute_signature(ORIGIN + query, {})
        headers = {"Content-Type": "application/json", "X-Twilio-Signature": signature}
        return await self.api.post(query, content=body, headers=headers)

    async def receive_message(self, sender: str, to: str, body: str = "hello", **more: str) -> httpx.Response:
        """An SMS, or a WhatsApp or RCS message by its prefix."""
        form = {"MessageSid": new_sid("SM"), "From": sender, "To": to, "Body": body, "NumMedia": "0", **more}
        return await self.post_webhook("/ingest/twilio/messages", form)

    async def receive_transcript(
        self, sender: str, to: str, text: str, *, call_sid: str | None = None, track: str = "inbound_track", **more: str
    ) -> httpx.Response:
        """A call, and one final fragment of what was said on it."""
        call_sid = call_sid or new_sid("CA")
        call = {"CallSid": call_sid, "From": sender, "To": to, "Direction": "inbound", "CallStatus": "in-progress"}
        answer = await self.post_webhook("/ingest/twilio/voice", call | {k: v for k, v in more.items() if k in call})
        if not answer.is_success:
            return answer
        self.fragments += 1
        fragment = {
            "CallSid": call_sid,
            "TranscriptionEvent": "transcription-content",
            "TranscriptionSid": "GT" + call_sid[2:],
            "TranscriptionData": json.dumps({"transcript": text, "confidence": 0.9}),
            "Track": track,
            "SequenceId": str(self.fragments),
            "Final": "true",
        }
        return await self.post_webhook("/ingest/twilio/voice", fragment | more)

    async def unit(self) -> AsyncIterator[Unit]:
        async with self.units.begin() as unit:
            yield unit


def api_client(app: FastAPI, auth: tuple[str, str] | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=ORIGIN,
        auth=auth,
        event_hooks={"response": [check_response]},
    )


def test_settings(database_url: str, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "database_url": database_url,
        "public_url": ORIGIN,
        "mode": "dev",
        "secret_key": SECRET_KEY,
        "worker": False,
        "database_pool_size": 4,
        **changes,
    }
    return Settings(**values)


test_settings.__test__ = False  # type: ignore[attr-defined]


_routes: list[BaseRoute] = []
"""Of the first application. FastAPI works out what each route needs when the first request comes, for each application
anew; that takes most of the time of a test, and comes out the same each time."""


def share_routes(app: FastAPI) -> None:
    """Let applications of one process have the same routes."""
    if _routes:
        app.router.routes[:] = _routes
    else:
        _routes.extend(app.router.routes)


@dataclass(frozen=True)
class Running:
    """An application of this process, with the clock that it was started with."""

    app: FastAPI
    clock: TurnableClock
    settings: Settings

    @asynccontextmanager
    async def service(self) -> AsyncIterator[Service]:
        """The application as one test has it: with an account of its own, and as it was when it started."""
        units: Units = self.app.state.units
        self.clock.offset = timedelta()
        units.clock = self.clock
        state, listeners, wake = dict(self.app.state._state), dict(units.listeners), units.wake_delivery
        async with units.begin() as unit:
            account = await accounts.create_account(unit, self.app.state.secret_box, name="test")
        async with api_client(self.app, (account.account_id, account.auth_token)) as client:
            yield Service(self.app, account, client, self.clock, self.settings)
        # A test may have put a worker beside it, or something else in place of a part.
        self.app.state._state.update(state)
        units.listeners, units.wake_delivery = listeners, wake


@asynccontextmanager
async def running_application(database_url: str, **changes: Any) -> AsyncIterator[Running]:
    """Start the application in this process."""
    settings = test_settings(database_url, **changes)
    clock = TurnableClock()
    app = create_app(settings, clock=clock)
    share_routes(app)
    async with app.router.lifespan_context(app):
        yield Running(app, clock, settings)


@asynccontextmanager
async def running_service(database_url: str, **changes: Any) -> AsyncIterator[Service]:
    """Start an application with other settings, for one test."""
    async with running_application(database_url, **changes) as running, running.service() as service:
        yield service
