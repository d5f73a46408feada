"""Traffic against the sweep that closes: no message is in a conversation that was closed before it arrived."""

import asyncio
import time

from orchestrator.kernel.ids import new_sid
from tests.support.factories import OUR_NUMBER
from tests.support.processes import cluster

SECONDS = 2.5
SENDERS = 20


async def test_no_message_lands_in_a_closed_conversation(database_url: str) -> None:
    """Two API processes with sweeping workers; the closed timeout is made to pass in a fraction of a second."""
    timeouts = {"closed": 1}
    async with cluster(
        database_url, processes=2, grouping="GROUP_BY_PROFILE", timeouts=timeouts, worker=True, clock_speed=200
    ) as processes:
        deadline = time.monotonic() + SECONDS
        answered = 0

        async def keep_sending(sender: int) -> None:
            nonlocal answered
            while time.monotonic() < deadline:
                form = {"MessageSid": new_sid("SM"), "From": f"+1557{sender:07d}", "To": OUR_NUMBER, "Body": "again"}
                assert await processes.post_message(answered, form) == 200
                answered += 1
                await asyncio.sleep(0.25 if sender % 2 else 0.35)  # around the 0.3 s that a timeout lasts here

        await asyncio.gather(*(keep_sending(sender) for sender in range(SENDERS)))
        assert await processes.count("communications") == answered
        closed = await processes.count("conversations", status="CLOSED")
        assert closed > SENDERS, "the timers must have closed conversations while traffic ran"
        assert await processes.messages_after_closing() == 0
        assert await processes.gaps_in_sequences() == 0
