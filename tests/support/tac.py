"""Twilio Agent Connect as an application would run it, but for where its requests go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from tac import TAC, TACConfig
from tac.channels import SMSChannel, WhatsAppChannel
from tac.context.base import BaseAPIClient
from tac.models.session import ConversationSession
from tac.server import TACFastAPIServer

from orchestrator.accounts.service import Account, ApiKey
from tests.support.factories import OUR_NUMBER
from tests.support.server import serving_app

WHATSAPP_NUMBER = f"whatsapp:{OUR_NUMBER}"


def redirect(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    """Send TAC's requests to the origin: it has no setting for that."""
    monkeypatch.setattr(BaseAPIClient, "_build_base_url", staticmethod(lambda product, region: origin))
    monkeypatch.setenv("TAC_ANALYTICS_DISABLED", "true")


@dataclass
class Agent:
    """An agent that repeats what it is told."""

    tac: TAC
    sms: SMSChannel
    whatsapp: WhatsAppChannel
    url: str = ""
    """Where it wants status callbacks."""
    heard: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Ids of the conversations that it was told the end of."""
    errors: list[Exception] = field(default_factory=list)

    def repeat(self, message: str, session: ConversationSession, memory: Any) -> str:
        self.heard.append(message)
        return f"You said: {message}"


@asynccontextmanager
async def agent(account: Account, key: ApiKey, configuration_id: str) -> AsyncIterator[Agent]:
    """TAC with its web server, on a free loopback port."""
    config = TACConfig(
        account_sid=account.account_id,
        auth_token=account.auth_token,
        api_key=key.sid,
        api_secret=str(key.secret),
        conversation_configuration_id=configuration_id,
        phone_number=OUR_NUMBER,
        whatsapp_number=WHATSAPP_NUMBER,
    )
    tac = await asyncio.to_thread(TAC, config)
    running = Agent(tac, SMSChannel(tac), WhatsAppChannel(tac))
    tac.on_message_ready(running.repeat)
    tac.on_conversation_ended(lambda session: running.ended.append(session.conversation_id))
    tac.on_error(lambda error, context: running.errors.append(error))
    server = TACFastAPIServer(tac, messaging_channels=[running.sms, running.whatsapp])
    with serving_app(server.app) as origin:
        running.url = f"{origin}/webhook"
        yield running


async def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds, which may be a coroutine's."""
    async with asyncio.timeout(10):
        while True:
            holds = condition()
            if asyncio.iscoroutine(holds):
                holds = await holds
            if holds:
                return
            await asyncio.sleep(0.02)
