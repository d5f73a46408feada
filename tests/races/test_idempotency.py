"""One key, or one If-Match, in several processes at the same instant: one operation, one new version."""

import asyncio
import uuid
from typing import Any

from tests.support.factories import configuration_body
from tests.support.processes import Cluster, cluster

ROUNDS = 6
AT_ONCE = 8
GROUPING = "GROUP_BY_PROFILE"
PATH = "/v2/ControlPlane/Configurations"


async def send(
    processes: Cluster, position: int, method: str, path: str, body: Any, **headers: str
) -> tuple[int, str | None]:
    """Status and operation id of the answer of one of the processes."""
    url = processes.origins[position % len(processes.origins)] + path
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with processes.session.request(method, url, json=body, headers=given) as answer:
        await answer.read()
        return answer.status, answer.headers.get("Operation-Id")


async def count(processes: Cluster, query: str) -> int:
    found: int = await processes.database.fetchval(query, processes.account.account_id)
    return found


async def only_configuration(processes: Cluster) -> str:
    async with processes.session.get(processes.origins[0] + PATH) as answer:
        (configuration,) = (await answer.json())["configurations"]
        configuration_id: str = configuration["id"]
        return configuration_id


async def test_one_key_is_one_operation(database_url: str) -> None:
    async with cluster(database_url, processes=2, grouping=GROUPING) as processes:
        url = f"{PATH}/{await only_configuration(processes)}"
        for number in range(ROUNDS):
            key, body = str(uuid.uuid4()), {"description": str(number)}
            answers = await asyncio.gather(
                *(send(processes, position, "PATCH", url, body, Idempotency_Key=key) for position in range(AT_ONCE))
            )
            assert len(set(answers)) == 1, answers
            assert answers[0][0] == 202
        operations = await count(processes, "select count(*) from operations where account_id = $1")
        assert operations == ROUNDS + 1
        assert await count(processes, "select max(version) from configurations where account_id = $1") == ROUNDS + 1


async def test_one_key_is_one_configuration_and_one_deletion(database_url: str) -> None:
    async with cluster(database_url, processes=2, grouping=GROUPING) as processes:
        for _ in range(ROUNDS):
            key, body = str(uuid.uuid4()), configuration_body()
            before = await count(processes, "select count(*) from configurations where account_id = $1")
            answers = await asyncio.gather(
                *(send(processes, position, "POST", PATH, body, Idempotency_Key=key) for position in range(AT_ONCE))
            )
            assert len(set(answers)) == 1, answers
            assert await count(processes, "select count(*) from configurations where account_id = $1") == before + 1
            made = await processes.database.fetchval(
                "select related ->> 'configurationId' from operations where account_id = $1 and id = $2",
                processes.account.account_id,
                answers[0][1],
            )
            deletions = await asyncio.gather(
                *(
                    send(processes, position, "DELETE", f"{PATH}/{made}", None, Idempotency_Key=key)
                    for position in range(AT_ONCE)
                )
            )
            assert len(set(deletions)) == 1, deletions
            assert deletions[0][0] == 202


async def test_one_version_is_changed_once(database_url: str) -> None:
    async with cluster(database_url, processes=2, grouping=GROUPING) as processes:
        url = f"{PATH}/{await only_configuration(processes)}"
        for version in range(1, ROUNDS + 1):
            answers = await asyncio.gather(
                *(
                    send(
                        processes,
                        position,
                        "PATCH",
                        url,
                        {"description": f"{version} {position}"},
                        If_Match=f'"{version}"',
                    )
                    for position in range(AT_ONCE)
                )
            )
            assert sorted(status for status, _ in answers) == [202] + [412] * (AT_ONCE - 1)
