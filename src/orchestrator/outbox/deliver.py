"""The delivery loop: claim in a short transaction, sign and send without any, settle in a short one.

A worker that dies in between loses nothing: its claims lapse with their lease, and another attempt carries the same
idempotency token.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from orchestrator.domain.backoff import Backoff
from orchestrator.kernel.callback_signing import Envelope, Signer
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.telemetry import DELIVERIES_CLAIMED, DELIVERY_ATTEMPTS
from orchestrator.kernel.unit import Units
from orchestrator.outbox import store
from orchestrator.outbox.client import CallbackClient, Outcome, build_request
from orchestrator.outbox.guard import ForbiddenTarget
from orchestrator.outbox.store import Delivery, Order, Settlement

log = structlog.get_logger(__name__)

Signers = Callable[[str], Awaitable[Signer | None]]
"""Who signs the callbacks of an account; None when the account is gone."""

_SHARE = 16
"""One URL is claimed for while it has less than this part (a sixteenth) of what may be in flight: whatever does not
answer leaves room for others, and waits for no connection (`CallbackClient` opens 32 to a host)."""


@dataclass(slots=True)
class Deliverer:
    """Delivers callbacks until it is told to stop."""

    units: Units
    client: CallbackClient
    signers: Signers
    backoff: Backoff
    order: Order = "bounded"
    concurrency: int = 256
    lease: timedelta = timedelta(seconds=60)
    """How long a claim holds: longer than an attempt can take."""
    interval: float = 0.25
    """Seconds between looks when nothing wakes the loop."""
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    _settled: list[Settlement] = field(default_factory=list)
    _sending: dict[asyncio.Task[None], str] = field(default_factory=dict)
    """What is in flight, and to which URL."""

    async def run(self) -> None:
        """Deliver for ever. Cancelling stops after what is being sent has been settled."""
        try:
            while True:
                if not await self._turn():
                    await self._rest()
        finally:
            await asyncio.shield(self._drain())

    async def run_once(self) -> int:
        """Deliver everything that is due now, and what becomes due by it; returns how many attempts were made."""
        attempts = 0
        while claimed := await self._claim():
            attempts += len(claimed)
            await asyncio.gather(*(self._send(delivery) for delivery in claimed))
            await self._settle()
        return attempts

    async def _turn(self) -> bool:
        """Settle what is finished and start what is due; False when there was nothing to do."""
        settled = await self._settle()
        claimed = await self._claim()
        for delivery in claimed:
            task = asyncio.create_task(self._send(delivery))
            self._sending[task] = delivery.url
            task.add_done_callback(self._sending.pop)
        DELIVERIES_CLAIMED.set(len(self._sending))
        return bool(settled or claimed)

    async def _rest(self) -> None:
        """Until something was recorded or sent, or the interval is over."""
        try:
            async with asyncio.timeout(self.interval):
                await self.awake.wait()
        except TimeoutError:
            pass
        self.awake.clear()

    async def _claim(self) -> list[Delivery]:
        room = self.concurrency - len(self._sending)
        if room <= 0:
            return []
        share = max(1, self.concurrency // _SHARE)
        busy = [url for url, count in Counter(self._sending.values()).items() if count >= share]
        async with self.units.begin() as unit:
            return await store.claim(unit, limit=min(room, share), lease=self.lease, order=self.order, busy=busy)

    async def _send(self, delivery: Delivery) -> None:
        outcome = await self._attempt(delivery)
        self._settled.append(self._settlement(delivery, outcome))
        self.awake.set()

    async def _attempt(self, delivery: Delivery) -> Outcome:
        request_id = new_sid("RQ")  # of this attempt; Twilio's receivers look for one of the two names
        headers = {
            "Twilio-Request-Id": request_id,
            "I-Twilio-Request-Id": request_id,
            "Orchestrator-Event-Id": f"{delivery.conversation_id}:{delivery.sequence}",
            "Orchestrator-Sequence": str(delivery.sequence),
            "Orchestrator-Attempt": str(delivery.attempts + 1),
        }
        try:
            signer = await self.signers(delivery.account_id)
            if signer is None:
                return Outcome(None, "refused: the account is gone", 0.0, refused=True)
            request = build_request(
                delivery.url, delivery.method, delivery.body.encode(), signer.auth_token, delivery.id, headers
            )
            envelope = Envelope(delivery.id, headers["Orchestrator-Event-Id"], self.units.clock.now())
            request.headers.update(signer.headers(request.url, request.body, envelope))
            return await self.client.send(request)
        except ForbiddenTarget as error:
            return Outcome(None, f"refused: {error}", 0.0, refused=True)
        except Exception as error:  # an attempt that is never settled would be made for ever
            log.warning("callback attempt broke", delivery=delivery.id, error=f"{type(error).__name__}: {error}")
            return Outcome(None, f"broken: {type(error).__name__}", 0.0)

    def _settlement(self, delivery: Delivery, outcome: Outcome) -> Settlement:
        if outcome.delivered:
            DELIVERY_ATTEMPTS.labels("delivered").inc()
            return Settlement(delivery, "DELIVERED", outcome.status, None, None, holds_order=False)
        attempts = delivery.attempts + 1
        wait = (
            self.backoff.delay(attempts, chance=random.random(), retry_after=outcome.retry_after)  # noqa: S311
            if outcome.retryable
            else None
        )
        DELIVERY_ATTEMPTS.labels("failed" if wait else "dead").inc()
        log.info(
            "callback failed",
            delivery=delivery.id,
            attempt=attempts,
            status=outcome.status,
            error=outcome.error,
            retry_in=wait and wait.total_seconds(),
        )
        if wait is None:
            return Settlement(delivery, "DEAD", outcome.status, outcome.error, None, holds_order=False)
        due = self.units.clock.now() + wait
        holds = self.order == "strict" or self.backoff.holds_order(attempts, wait)
        return Settlement(delivery, "PENDING", outcome.status, outcome.error, due, holds_order=holds)

    async def _settle(self) -> int:
        settled = list(self._settled)
        if settled:
            async with self.units.begin() as unit:
                # In one order for all: a conversation that is being deleted takes its deliveries with it.
                await store.settle(unit, sorted(settled, key=lambda one: (one.delivery.account_id, one.delivery.id)))
            del self._settled[: len(settled)]  # only now: a failed settlement is tried again
        return len(settled)

    async def _drain(self) -> None:
        if self._sending:
            await asyncio.wait(self._sending)
        await self._settle()
