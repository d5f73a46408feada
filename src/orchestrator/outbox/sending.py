"""One attempt: a claimed delivery is signed and sent, and what came of it is judged."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from orchestrator.domain.backoff import Backoff
from orchestrator.kernel.callback_signing import Envelope, Signer
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.unit import Units
from orchestrator.outbox.answers import Outcome
from orchestrator.outbox.client import CallbackClient, build_request
from orchestrator.outbox.guard import ForbiddenTarget
from orchestrator.outbox.overrides import overrides
from orchestrator.outbox.store import Delivery, Order, Settlement, Tried

log = structlog.get_logger(__name__)

Signers = Callable[[str], Awaitable[Signer | None]]
"""Who signs the callbacks of an account; None when the account is gone."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Makes attempts."""

    units: Units
    client: CallbackClient
    signers: Signers

    async def attempt(self, delivery: Delivery) -> tuple[Outcome, Tried]:
        """Send it. Whatever goes wrong is an outcome: an attempt that is never settled would be made for ever."""
        started_at = self.units.clock.now()
        try:
            outcome = await self._send(delivery)
        except ForbiddenTarget as error:
            outcome = Outcome(None, f"refused: {error}", 0.0, refused=True)
        except Exception as error:
            log.warning("callback attempt broke", delivery=delivery.id, error=f"{type(error).__name__}: {error}")
            outcome = Outcome(None, f"broken: {type(error).__name__}", 0.0)
        return outcome, Tried(started_at, outcome.duration_ms, outcome.status, outcome.error, outcome.response)

    async def _send(self, delivery: Delivery) -> Outcome:
        if delivery.body is None:
            return Outcome(None, "refused: the event is past its keeping", 0.0, refused=True)
        signer = await self.signers(delivery.account_id)
        if signer is None:
            return Outcome(None, "refused: the account is gone", 0.0, refused=True)
        headers = _headers(delivery)
        request = build_request(
            delivery.url, delivery.method, delivery.body.encode(), signer.auth_token, delivery.id, headers
        )
        # Not the service's clock, which may have been turned: receivers compare it with their own.
        envelope = Envelope(delivery.id, headers["Orchestrator-Event-Id"], Clock().now())
        request.headers.update(signer.headers(request.url, request.body, envelope))
        return await self.client.send(request, overrides(delivery.url))


def _headers(delivery: Delivery) -> dict[str, str]:
    request_id = new_sid("RQ")  # of this attempt; Twilio's receivers look for one of the two names
    headers = {
        "Twilio-Request-Id": request_id,
        "I-Twilio-Request-Id": request_id,
        "Orchestrator-Event-Id": f"{delivery.conversation_id}:{delivery.sequence}",
        "Orchestrator-Sequence": str(delivery.sequence),
        "Orchestrator-Attempt": str(delivery.attempts + 1),
    }
    if delivery.redeliveries:
        headers["Orchestrator-Redelivery"] = str(delivery.redeliveries)
    return headers


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides what becomes of a delivery."""

    units: Units
    backoff: Backoff
    order: Order

    def settlement(self, delivery: Delivery, outcome: Outcome, tried: Tried) -> Settlement:
        """After an attempt."""
        if outcome.delivered:
            return Settlement(delivery, "DELIVERED", None, holds_order=False, tried=tried)
        attempts = delivery.attempts + 1 - delivery.forgiven
        wait = self._wait(delivery, attempts, outcome)
        log.info(
            "callback failed",
            delivery=delivery.id,
            attempt=delivery.attempts + 1,
            status=outcome.status,
            error=outcome.error,
            retry_in=wait and wait.total_seconds(),
        )
        if wait is None:
            return Settlement(delivery, "DEAD", None, holds_order=False, tried=tried, refused=outcome.refused)
        holds = self.order == "strict" or self.backoff.holds_order(attempts, wait)
        return Settlement(delivery, "PENDING", self.units.clock.now() + wait, holds_order=holds, tried=tried)

    def _wait(self, delivery: Delivery, attempts: int, outcome: Outcome) -> timedelta | None:
        if not outcome.retryable:
            return None
        retries = overrides(delivery.url).retries
        backoff = self.backoff if retries is None else replace(self.backoff, delays=self.backoff.delays[:retries])
        return backoff.delay(attempts, chance=random.random(), retry_after=outcome.retry_after)  # noqa: S311

    def given_back(self, delivery: Delivery, behind: datetime | None = None) -> Settlement:
        """Its turn did not come; it is due at once, or just after the attempt that it waits for (as in `claim`)."""
        due = self.units.clock.now() if behind is None else behind + timedelta(milliseconds=1)
        return Settlement(delivery, "PENDING", due, holds_order=True, tried=None)
