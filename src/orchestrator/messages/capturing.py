"""A message that is sent goes through the ingest pipeline, as if the provider's webhook had told of it."""

import asyncio

from orchestrator.domain.messages import TWILIO_STATUSES, DeliveryStatus, Direction, InboundMessage, Origin
from orchestrator.ingest import receipts, unlanded
from orchestrator.ingest.batch import Outdated
from orchestrator.ingest.identifying import Policy
from orchestrator.ingest.landing import Outcome
from orchestrator.ingest.pipeline import ingest
from orchestrator.ingest.twilio import NO_TEXT
from orchestrator.kernel.jobs import durably
from orchestrator.kernel.telemetry import LANDINGS
from orchestrator.kernel.unit import Unit, Units
from orchestrator.messages import store
from orchestrator.messages.model import Outgoing

_TRIES = 3
_PAUSE = 0.05
_PAUSES = (0.05, 0.2, 1.0, 2.0, 5.0)
"""Seconds, while the database is away."""


class Overtaken(Exception):
    """The claim has lapsed, another worker does it: nothing of this unit shall stay."""


async def capture(units: Units, policy: Policy, message: Outgoing) -> None:
    """Capture a message by the rules of its account, once for its SID; that it is done is the same transaction."""

    async def captured(unit: Unit) -> tuple[Outcome, ...]:
        outcomes = await _land(unit, policy, message)
        await _catch_up(unit, message)
        if not await store.captured(unit, message):
            raise Overtaken
        return outcomes

    for attempt in range(1, _TRIES + 1):
        try:
            outcomes = await durably(units, captured, pauses=_PAUSES)
        except Outdated:  # the conversation has ended meanwhile: look again
            if attempt == _TRIES:
                raise
            await asyncio.sleep(_PAUSE * attempt)
        else:
            for outcome in outcomes:
                LANDINGS.labels(message.wanted.sender.channel, outcome.lower()).inc()
            return


async def _catch_up(unit: Unit, message: Outgoing) -> None:
    """Hear the report that was written while the message took its SID: neither of the two could see the other."""
    if not message.by_provider:
        return
    early = await store.reported(unit, message.account_id, message.sid)
    if early is not None:
        await store.hear(unit, [(message.account_id, message.sid, early)])


async def _land(unit: Unit, policy: Policy, message: Outgoing) -> tuple[Outcome, ...]:
    wanted = message.wanted
    text = wanted.content.readable
    if text is None:
        told = {"From": wanted.sender.address, "To": wanted.recipient.address}
        told["NumMedia"] = str(len(wanted.content.media_urls))
        trace = unlanded.unusable(told, NO_TEXT)
        await receipts.note_once(unit, message.account_id, message.sid, {**trace, "origin": Origin.MESSAGES_API})
        return (Outcome.UNCAPTURED,)
    (outcomes,) = await ingest(unit, [_as_traffic(message, text)], policy)
    return outcomes


def _as_traffic(message: Outgoing, text: str) -> InboundMessage:
    wanted = message.wanted
    status = TWILIO_STATUSES[message.status] if message.by_provider else DeliveryStatus.IN_PROGRESS
    return InboundMessage(
        account_id=message.account_id,
        author=wanted.sender,
        recipient=wanted.recipient,
        content={"type": "TEXT", "text": text},
        resource_id=message.sid,
        channel_id=message.sid,
        occurred_at=message.created_at,
        direction=Direction.OUTBOUND,
        delivery_status=status,
        origin=Origin.MESSAGES_API,
    )
