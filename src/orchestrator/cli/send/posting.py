"""Traffic goes out as Twilio posts it, in order or not, once or several times; then it is looked for."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.cli.api import Api
from orchestrator.cli.landing import Fate, fate_of, fates_of
from orchestrator.cli.send.traffic import Said, Traffic
from orchestrator.phones import Webhook

_AT_ONCE = 8
"""Messages that are looked for at the same time."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is posted."""

    times: int = 1
    """The same webhook so many times: together, from the third on the last one when the others were answered."""
    out_of_order: bool = False
    """What was said last goes first."""


async def post(api: Api, traffic: Traffic, manner: Manner, done: Callable[[int], None]) -> None:
    """Post all of it; `done` is told of every message. Raises CommandFailed."""
    for webhook in traffic.before:
        await api.receive(webhook)
    for one in _in_order(traffic.said, manner):
        await _post(api, one.webhook, manner.times)
        done(1)
    for webhook in traffic.after:
        await api.receive(webhook)


def _in_order(said: Sequence[Said], manner: Manner) -> Sequence[Said]:
    return said[::-1] if manner.out_of_order else said


async def _post(api: Api, webhook: Webhook, times: int) -> None:
    late = 1 if times > 2 else 0
    await asyncio.gather(*(api.receive(webhook) for _ in range(times - late)))
    for _ in range(late):
        await api.receive(webhook)


async def look(api: Api, traffic: Traffic) -> list[Fate]:
    """What became of everything that was said, in its order. Raises CommandFailed."""
    ids = [one.resource_id for one in traffic.said]
    if traffic.call_sid is not None:
        return await fates_of(api, traffic.call_sid, ids)
    free = asyncio.Semaphore(_AT_ONCE)

    async def fate(message_sid: str) -> Fate:
        async with free:
            return await fate_of(api, message_sid)

    return list(await asyncio.gather(*(fate(one) for one in ids)))
