"""The performing loop: claim, hand over and settle in short transactions, and send while none is open.

A message is never lost and never sent twice. What is handed over is marked as such first, so a process that dies while
it sends leaves an action that nobody repeats, unless the sender makes one message of two handings over.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog

from orchestrator.actions import settling, store
from orchestrator.actions.model import Action
from orchestrator.actions.senders import ActionSender, NotNow, Refused, Sent, Uncertain
from orchestrator.actions.settling import AlreadySettled
from orchestrator.domain.backoff import Backoff
from orchestrator.domain.linking import LINKED, Linking
from orchestrator.kernel.errors import BadRequest, NotFound
from orchestrator.kernel.jobs import JobLoop, durably
from orchestrator.kernel.telemetry import ACTIONS
from orchestrator.kernel.unit import Unit, Units, is_transient

log = structlog.get_logger(__name__)

Outcome = Sent | Refused | NotNow | Uncertain
Result = TypeVar("Result")

SCHEDULE = Backoff(delays=(5.0, 15.0, 30.0, 60.0))
"""Seconds before a message that was not taken is handed over again: five attempts in two minutes."""
LONGEST_WAIT = timedelta(minutes=2)
"""A sender that asks for more is not waited for: a message that comes hours late is worse than none."""

_UNKNOWN = "it is unknown whether the message was sent"
_PAUSES = (0.05, 0.2, 1.0, 2.0, 5.0, 10.0, 10.0)
"""Seconds between attempts to write down what became of an action while the database is away."""


@dataclass(slots=True)
class Performer:
    """Performs actions until it is told to stop."""

    units: Units
    sender: ActionSender
    linking: Linking = LINKED
    backoff: Backoff = SCHEDULE
    concurrency: int = 16
    lease: timedelta = timedelta(seconds=60)
    """How long a claim holds: longer than sending can take."""
    interval: float = 0.25
    """Seconds between looks when nothing wakes the loop."""
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def loop(self) -> JobLoop[Action]:
        """What is being sent when it is stopped, is settled first."""
        return JobLoop(self.claim, self.perform, self.concurrency, self.interval, self.awake)

    async def run(self) -> None:
        """Perform for ever, until cancelled."""
        await self.loop.run()

    async def run_once(self) -> int:
        """Perform everything that is due now, and what becomes due by it; returns how many actions were claimed."""
        return await self.loop.run_once()

    async def claim(self, limit: int) -> list[Action]:
        """Take actions that are due, for this performer alone until the lease lapses."""
        async with self.units.begin() as unit:
            return await store.claim(unit, limit=limit, lease=self.lease)

    async def perform(self, action: Action) -> None:
        """Perform one claimed action."""
        repeatable = self.sender.is_repeatable(action.message)
        if action.handed_over_at is not None and not repeatable:
            await self._fail(action, f"{_UNKNOWN}: the process that was sending it ended")
            return
        until = self.units.clock.now() + self.lease
        handed = await self._durably(lambda unit: settling.hand_over(unit, action, until))
        if isinstance(handed, Action):
            await self._settle(handed, await self._send(handed, repeatable=repeatable))
        elif handed is not None:
            _count(action, "failed")

    async def _send(self, action: Action, *, repeatable: bool) -> Outcome:
        try:
            return await self.sender.send(action.message)
        except (Refused, NotNow, Uncertain) as outcome:
            return outcome
        except Exception as error:  # whatever it is, the message may be on its way
            kind = type(error).__name__
            log.warning("sending broke", action=action.id, exc_info=error)
            return NotNow(f"sending broke: {kind}") if repeatable else Uncertain(f"sending broke: {kind}")

    async def _settle(self, action: Action, outcome: Outcome) -> None:
        match outcome:
            case Sent():
                await self._complete(action, outcome)
            case NotNow():
                await self._postpone(action, outcome)
            case Refused():
                await self._fail(action, str(outcome))
            case Uncertain():
                await self._fail(action, f"{_UNKNOWN}: {outcome}")

    async def _complete(self, action: Action, sent: Sent) -> None:
        """Capture the message as far as it can be; nothing that is in the way unsends it."""
        try:
            captured = await self._captured(action, sent)
            if not captured:
                related = {"messageSid": sent.message_sid}
                await self._durably(lambda unit: settling.complete(unit, action, related))
        except AlreadySettled:
            return
        except Exception:
            log.error("a sent message cannot be written down", action=action.id, message_sid=sent.message_sid)
            raise
        _count(action, "completed", message_sid=sent.message_sid, captured=captured)

    async def _captured(self, action: Action, sent: Sent) -> bool:
        """Complete the action with its communication; False when the conversation does not take it."""
        for by_participant in (True, False):  # a participant may have lost the address meanwhile
            complete = partial(
                settling.complete_captured,
                action=action,
                sent=sent,
                by_participant=by_participant,
                linking=self.linking,
            )
            try:
                await self._durably(complete)
            except (BadRequest, NotFound) as error:
                log.info("a sent message is not captured so", action=action.id, reason=error.message)
            except Exception as error:
                if isinstance(error, AlreadySettled) or is_transient(error):
                    raise
                log.error("a sent message cannot be captured", action=action.id, exc_info=error)
                return False
            else:
                return True
        return False

    async def _postpone(self, action: Action, outcome: NotNow) -> None:
        wait = self.backoff.delay(action.attempts, chance=random.random(), retry_after=outcome.retry_after)  # noqa: S311
        if wait is None or wait > LONGEST_WAIT:
            wish = f", to be asked again in {wait.total_seconds():.0f} s" if wait else ""
            await self._fail(action, f"given up after attempt {action.attempts}: {outcome}{wish}")
        elif await self._durably(lambda unit: store.postpone(unit, action, wait)):
            _count(action, "postponed", seconds=wait.total_seconds())

    async def _fail(self, action: Action, reason: str) -> None:
        if await self._durably(lambda unit: settling.fail(unit, action, reason)):
            _count(action, "failed")

    async def _durably(self, write: Callable[[Unit], Awaitable[Result]]) -> Result:
        """What is known of a message must not be lost while the database is away."""
        return await durably(self.units, write, pauses=_PAUSES)


def _count(action: Action, outcome: str, **more: object) -> None:
    """Tell of an outcome. Why it failed is in the action alone: a provider's words may name somebody's number."""
    ACTIONS.labels(outcome).inc()
    log.info("action performed", action=action.id, outcome=outcome, **more)
