"""Somebody reads the event log while several processes write it: nothing is missed, nothing comes twice or late."""

import asyncio
from typing import Any

from orchestrator.kernel.ids import new_sid
from tests.support.factories import OUR_NUMBER
from tests.support.processes import Cluster, cluster

CUSTOMERS = 60
MESSAGES = 600


async def read(processes: Cluster, position: int, **query: Any) -> dict[str, Any]:
    """A part of the log, of one process."""
    origin = processes.origins[position % len(processes.origins)]
    async with processes.session.get(f"{origin}/orchestrator/v1/Events", params=query) as answer:
        assert answer.status == 200, await answer.text()
        page: dict[str, Any] = await answer.json()
        return page


async def test_a_reader_misses_nothing_while_others_write(database_url: str) -> None:
    async with cluster(database_url, processes=2, grouping="GROUP_BY_PROFILE") as processes:
        seen = list[dict[str, Any]]()
        written = asyncio.Event()

        async def follow() -> None:
            after, requests = 0, 0
            while True:
                is_over = written.is_set()
                requests += 1
                page = await read(processes, requests, after=after, pageSize=7)  # small: it reads between the writes
                seen.extend(page["events"])
                after = page["after"]
                if is_over and not page["events"]:
                    return

        async def post(number: int) -> None:
            form = {
                "From": f"+1557{number % CUSTOMERS:07d}",
                "To": OUR_NUMBER,
                "Body": "hello",
                "MessageSid": new_sid("SM"),
            }
            assert await processes.post_message(number, form) == 200

        following = asyncio.create_task(follow())
        await asyncio.gather(*(post(number) for number in range(MESSAGES)))
        written.set()
        await following
        assert len(seen) == await processes.count("events")
        assert [event["position"] for event in seen] == list(range(1, len(seen) + 1))
        last: dict[str, int] = {}
        for event in seen:  # of each conversation in its own order, without a gap
            assert event["sequence"] == last.get(event["conversationId"], 0) + 1
            last[event["conversationId"]] = event["sequence"]
        assert len(last) == CUSTOMERS
