"""Many first messages of one pair at the same instant, through several processes: one conversation, nothing lost."""

import asyncio
from collections.abc import Sequence

import pytest

from orchestrator.kernel.ids import new_sid
from tests.support.factories import OUR_NUMBER
from tests.support.processes import Cluster, cluster

ROUNDS = 5
MESSAGES = 200
GROUPINGS = (
    "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE",
    "GROUP_BY_PARTICIPANT_ADDRESSES",
    "GROUP_BY_PROFILE",
)


async def flood(processes: Cluster, sender: str, sids: Sequence[str]) -> None:
    """Post every message at once, spread over the processes."""

    async def post(position: int, sid: str) -> None:
        form = {"MessageSid": sid, "From": sender, "To": OUR_NUMBER, "Body": f"message {sid}"}
        assert await processes.post_message(position, form) == 200

    await asyncio.gather(*(post(position, sid) for position, sid in enumerate(sids)))


@pytest.mark.parametrize("grouping", GROUPINGS)
async def test_concurrent_first_messages_make_one_conversation(database_url: str, grouping: str) -> None:
    async with cluster(database_url, processes=2, grouping=grouping) as processes:
        for number in range(ROUNDS):
            await flood(processes, f"+1555{number:07d}", [new_sid("SM") for _ in range(MESSAGES)])
        assert await processes.count("conversations") == ROUNDS
        assert await processes.count("communications") == ROUNDS * MESSAGES
        assert await processes.count("profiles") == ROUNDS
        assert await processes.count("participants") == 2 * ROUNDS
        assert await processes.gaps_in_sequences() == 0


async def test_the_same_with_every_message_sent_twice(database_url: str) -> None:
    async with cluster(database_url, processes=2, grouping="GROUP_BY_PROFILE") as processes:
        for number in range(ROUNDS):
            sids = [new_sid("SM") for _ in range(MESSAGES)]
            await flood(processes, f"+1556{number:07d}", [sid for sid in sids for _ in range(2)])
        assert await processes.count("conversations") == ROUNDS
        assert await processes.count("communications") == ROUNDS * MESSAGES
        assert await processes.count("events", type="COMMUNICATION_CREATED") == ROUNDS * MESSAGES
        assert await processes.gaps_in_sequences() == 0
