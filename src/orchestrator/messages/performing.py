"""The loop behind messages: each claim takes a message one step on, and what it did is durable before the next.

A message is captured; one that nobody else sends has then been sent, is delivered next, and its status callback is
told of both. Any step may be met again by another worker, and changes nothing a second time: only a callback may come
twice, with the same token.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from orchestrator.communications import service as communications
from orchestrator.domain.backoff import Backoff
from orchestrator.domain.messages import DeliveryStatus
from orchestrator.ingest.batch import Outdated
from orchestrator.ingest.identifying import Policy
from orchestrator.kernel.callback_signing import Signer
from orchestrator.kernel.jobs import JobLoop, durably
from orchestrator.kernel.unit import Unit, Units, is_transient
from orchestrator.messages import store
from orchestrator.messages.callbacks import status_request
from orchestrator.messages.capturing import Overtaken, capture
from orchestrator.messages.errors import UNKNOWN_OUTCOME
from orchestrator.messages.model import TOLD, MessageStatus, Outgoing
from orchestrator.messages.service import UNKNOWN
from orchestrator.outbox.answers import Outcome
from orchestrator.outbox.client import CallbackClient
from orchestrator.outbox.guard import ForbiddenTarget
from orchestrator.outbox.overrides import overrides

log = structlog.get_logger(__name__)

_PAUSES = (0.05, 0.2, 1.0, 2.0, 5.0)
"""Seconds, while the database is away."""


@dataclass(slots=True)
class MessagePerformer:
    """Takes messages on until it is told to stop."""

    units: Units
    client: CallbackClient
    signers: Callable[[str], Awaitable[Signer | None]]
    policy: Policy
    backoff: Backoff = field(default_factory=Backoff)
    """Of status callbacks."""
    concurrency: int = 16
    lease: timedelta = timedelta(seconds=90)
    """How long a claim holds: longer than an attempt to tell a callback."""
    interval: float = 0.25
    """Seconds between looks when nothing wakes the loop."""
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def loop(self) -> JobLoop[Outgoing]:
        return JobLoop(self.claim, self.perform, self.concurrency, self.interval, self.awake)

    async def run(self) -> None:
        """Perform for ever, until cancelled."""
        await self.loop.run()

    async def run_once(self) -> int:
        """Do everything that is due now, and what becomes due by it; returns how many steps that were."""
        return await self.loop.run_once()

    async def claim(self, limit: int) -> list[Outgoing]:
        async with self.units.begin() as unit:
            return await store.claim(unit, limit=limit, lease=self.lease)

    async def perform(self, message: Outgoing) -> None:
        """Take a claimed message one step on."""
        if message.handed_over_at is not None:
            await self._durably(lambda unit: _give_up(unit, message))
        elif message.captured_at is None:
            await self._capture(message)
        elif message.status is MessageStatus.SENT:
            await self._durably(lambda unit: _deliver(unit, message))
        else:
            await self._tell(message)

    async def _capture(self, message: Outgoing) -> None:
        try:
            await capture(self.units, self.policy, message)
        except Overtaken:
            return
        except Exception as error:
            if is_transient(error) or isinstance(error, Outdated):
                raise  # it is met again when the claim lapses
            # It is as sent as it would be with a provider that is not listened to.
            log.error("a message cannot be captured", message=message.sid, exc_info=error)
            await self._durably(lambda unit: store.captured(unit, message))

    async def _tell(self, message: Outgoing) -> None:
        """Tell the status callback of the next status; after the last failure it is done with, like any other."""
        outcome = await self._attempt(message)
        wait = None if outcome.delivered else self._wait(message, outcome)
        if not outcome.delivered:
            log.info(
                "a status callback of a message failed", message=message.sid, error=outcome.error, again=bool(wait)
            )
        if wait is not None:
            await self._durably(lambda unit: store.postpone(unit, message, wait))
        else:
            is_last = message.told + 1 >= len(TOLD)
            await self._durably(lambda unit: store.told(unit, message, is_last=is_last))

    async def _attempt(self, message: Outgoing) -> Outcome:
        """Whatever goes wrong is an outcome: an attempt that is never settled would be made for ever."""
        url = message.status_callback or ""
        try:
            signer = await self.signers(message.account_id)
            if signer is None:
                return Outcome(None, "refused: the account is gone", 0.0, refused=True)
            return await self.client.send(status_request(message, url, TOLD[message.told], signer), overrides(url))
        except ForbiddenTarget as error:
            return Outcome(None, f"refused: {error}", 0.0, refused=True)
        except Exception as error:
            log.warning("a status callback broke", message=message.sid, error=f"{type(error).__name__}: {error}")
            return Outcome(None, f"broken: {type(error).__name__}", 0.0)

    def _wait(self, message: Outgoing, outcome: Outcome) -> timedelta | None:
        if not outcome.retryable:
            return None
        retries = overrides(message.status_callback or "").retries
        backoff = self.backoff if retries is None else replace(self.backoff, delays=self.backoff.delays[:retries])
        return backoff.delay(message.attempts + 1, chance=random.random(), retry_after=outcome.retry_after)  # noqa: S311

    async def _durably(self, write: Callable[[Unit], Awaitable[object]]) -> None:
        await durably(self.units, write, pauses=_PAUSES)


async def _give_up(unit: Unit, message: Outgoing) -> None:
    """The process that handed it over has ended before it had written down the answer."""
    reason = f"{UNKNOWN} The process that was sending it ended."
    await store.give_up(unit, message, UNKNOWN_OUTCOME, reason)


async def _deliver(unit: Unit, message: Outgoing) -> None:
    # The message's own row comes after its conversations, as everywhere.
    await communications.report_delivery(unit, [(message.account_id, message.sid, DeliveryStatus.DELIVERED)])
    await store.delivered(unit, message)
