"""Idempotency-Key: what is sent again is answered as it was the first time, and done once."""

import asyncio
import json
import uuid
from typing import Any

import httpx
import pytest

from orchestrator.kernel.ids import CONFIGURATION, new_id
from tests.features.test_configurations import PATH, fetch
from tests.support.app import Service
from tests.support.factories import configuration_body, make_configuration
from tests.support.refusals import refusal

OURS = ("Operation-Id", "Retry-After", "Location", "Content-Type")


def new_key() -> str:
    return str(uuid.uuid4())


async def send(
    service: Service, method: str, path: str, body: Any = None, *, key: str, **headers: str
) -> httpx.Response:
    """A request under a key."""
    given = {"Idempotency-Key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await service.api.request(method, path, json=body, headers=given)


def same(first: httpx.Response, again: httpx.Response) -> None:
    """Both are one accepted answer."""
    assert first.status_code == 202, first.text
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert [again.headers[name] for name in OURS] == [first.headers[name] for name in OURS]


async def operations(service: Service) -> int:
    rows = await service.fetch("select 1 from operations where account_id = $1", service.account.account_id)
    return len(rows)


async def keys(service: Service) -> list[Any]:
    return await service.fetch(
        "select key, operation_id from idempotency_keys where account_id = $1", service.account.account_id
    )


class TestRepeats:
    async def test_one_configuration_is_created(self, service: Service) -> None:
        key, body = new_key(), configuration_body()
        first = await send(service, "POST", PATH, body, key=key)
        service.clock.advance(hours=23, minutes=59)
        again = await send(service, "POST", PATH, body, key=key)
        same(first, again)
        assert len((await service.api.get(PATH)).json()["configurations"]) == 1
        assert await operations(service) == 1
        assert (await service.api.get(again.headers["Location"])).json()["related"] == first.json()["related"]

    @pytest.mark.parametrize(
        ("method", "body"), [("PUT", configuration_body(description="x")), ("PATCH", {"description": "x"})]
    )
    async def test_a_change_is_made_once(self, service: Service, method: str, body: dict[str, Any]) -> None:
        url, key = f"{PATH}/{await make_configuration(service)}", new_key()
        first = await send(service, method, url, body, key=key)
        await service.api.patch(url, json={"description": "something else meanwhile"})
        same(first, await send(service, method, url, body, key=key))
        found = await fetch(service, url.rpartition("/")[2])
        assert (found["description"], found["version"]) == ("something else meanwhile", 3)

    async def test_what_is_deleted_stays_deleted(self, service: Service) -> None:
        url, key = f"{PATH}/{await make_configuration(service)}", new_key()
        first = await send(service, "DELETE", url, key=key)
        same(first, await send(service, "DELETE", url, key=key))
        refusal(await service.api.delete(url), 404, 20404)
        refusal(await send(service, "DELETE", url, key=new_key()), 404, 20404)

    async def test_a_change_is_answered_although_the_configuration_is_gone(self, service: Service) -> None:
        url, key = f"{PATH}/{await make_configuration(service)}", new_key()
        first = await send(service, "PATCH", url, {"description": "x"}, key=key)
        await service.api.delete(url)
        same(first, await send(service, "PATCH", url, {"description": "x"}, key=key))

    async def test_a_condition_that_held_the_first_time_is_not_asked_again(self, service: Service) -> None:
        url, key = f"{PATH}/{await make_configuration(service)}", new_key()
        first = await send(service, "PATCH", url, {"description": "x"}, key=key, If_Match='"1"')
        same(first, await send(service, "PATCH", url, {"description": "x"}, key=key, If_Match='"1"'))
        refusal(await send(service, "PATCH", url, {"description": "x"}, key=new_key(), If_Match='"1"'), 412, 20412)

    async def test_upper_case_is_the_same_key(self, service: Service) -> None:
        key, body = new_key(), configuration_body()
        same(
            await send(service, "POST", PATH, body, key=key.upper()),
            await send(service, "POST", PATH, body, key=key.lower()),
        )

    async def test_the_same_body_in_another_order_and_spacing(self, service: Service) -> None:
        key, body = new_key(), configuration_body()
        first = await send(service, "POST", PATH, body, key=key)
        text = json.dumps(dict(reversed(body.items())), indent=3)
        headers = {"Idempotency-Key": key, "Content-Type": "application/json; charset=utf-8"}
        same(first, await service.api.post(PATH, content=text, headers=headers))

    async def test_without_a_key_every_request_counts(self, service: Service) -> None:
        body = configuration_body()
        assert len({(await service.api.post(PATH, json=body)).headers["Operation-Id"] for _ in range(2)}) == 2
        assert await keys(service) == []


class TestOtherRequests:
    async def test_another_body_is_a_conflict(self, service: Service) -> None:
        key = new_key()
        await send(service, "POST", PATH, configuration_body(), key=key)
        error = refusal(await send(service, "POST", PATH, configuration_body(description=""), key=key), 409, 20409)
        assert error["params"] == {"field": "Idempotency-Key", "value": key}
        assert "another body" in error["message"]
        assert await operations(service) == 1

    async def test_another_body_is_a_conflict_even_if_it_is_wrong(self, service: Service) -> None:
        key = new_key()
        await send(service, "POST", PATH, configuration_body(), key=key)
        refusal(await send(service, "POST", PATH, {"description": 1}, key=key), 409, 20409)

    async def test_methods_and_paths_do_not_meet(self, service: Service) -> None:
        both, key = [await make_configuration(service) for _ in range(2)], new_key()
        body = configuration_body(description="x")
        answers = [
            await send(service, "POST", PATH, body, key=key),
            *[
                await send(service, method, f"{PATH}/{one}", body, key=key)
                for method in ("PUT", "PATCH")
                for one in both
            ],
            *[await send(service, "DELETE", f"{PATH}/{one}", key=key) for one in both],
        ]
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.headers["Operation-Id"] for answer in answers}) == 7

    async def test_accounts_do_not_meet(self, service: Service) -> None:
        key, body = new_key(), configuration_body()
        first = await send(service, "POST", PATH, body, key=key)
        async with service.client(await service.new_account()) as other:
            theirs = await other.post(PATH, json=body, headers={"Idempotency-Key": key})
        assert theirs.status_code == 202
        assert theirs.headers["Operation-Id"] != first.headers["Operation-Id"]

    async def test_after_a_day_the_key_is_free(self, service: Service) -> None:
        key, body, another = new_key(), configuration_body(), configuration_body()
        first = await send(service, "POST", PATH, body, key=key)
        service.clock.advance(hours=24)
        later = await send(service, "POST", PATH, another, key=key)
        assert later.status_code == 202
        assert later.headers["Operation-Id"] != first.headers["Operation-Id"]
        same(later, await send(service, "POST", PATH, another, key=key))
        refusal(await send(service, "POST", PATH, body, key=key), 409, 20409)
        assert [tuple(row) for row in await keys(service)] == [(key, later.headers["Operation-Id"])]


class TestRefusals:
    @pytest.mark.parametrize(
        "key",
        [
            "",
            "x",
            "1b4e28ba2fa111d2883f0016d3cca427",
            "{1b4e28ba-2fa1-11d2-883f-0016d3cca427}",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca42g",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca427 1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            "é" * 36,
            "x" * 10_000,
        ],
    )
    async def test_a_key_is_a_uuid(self, service: Service, key: str) -> None:
        configuration_id = await make_configuration(service)
        headers = [(b"Idempotency-Key", key.encode("latin-1"))]
        for method, path, body in (
            ("POST", PATH, configuration_body()),
            ("PUT", f"{PATH}/{configuration_id}", configuration_body()),
            ("PATCH", f"{PATH}/{configuration_id}", {"description": "x"}),
            ("DELETE", f"{PATH}/{configuration_id}", None),
        ):
            error = refusal(await service.api.request(method, path, json=body, headers=headers), 400, 20001)
            assert error["params"]["field"] == "Idempotency-Key"
            assert error["message"].startswith("Idempotency-Key")
        assert await operations(service) == 1

    async def test_a_refused_request_does_not_use_up_its_key(self, service: Service) -> None:
        key = new_key()
        for changes, status in (({"description": 1}, 400), ({"memoryStoreId": "x"}, 400)):
            response = await send(service, "POST", PATH, configuration_body(**changes), key=key)
            assert response.status_code == status
        url = f"{PATH}/{new_id(CONFIGURATION)}"
        refusal(await send(service, "DELETE", url, key=key), 404, 20404)
        assert await keys(service) == []
        configuration_id = await make_configuration(service)
        url = f"{PATH}/{configuration_id}"
        refusal(await send(service, "PATCH", url, {"description": "x"}, key=key, If_Match='"9"'), 412, 20412)
        first = await send(service, "PATCH", url, {"description": "x"}, key=key, If_Match='"1"')
        same(first, await send(service, "PATCH", url, {"description": "x"}, key=key))

    @pytest.mark.parametrize("tail", ["%00", "x" * 5_000, "%F0%9F%98%80" * 500, "a%3Fb%23c", "%ff", "conv%0A"])
    async def test_strange_paths_are_nobodys(self, service: Service, tail: str) -> None:
        refusal(await send(service, "DELETE", f"{PATH}/{tail}", key=new_key()), 404, 20404)
        assert await keys(service) == []

    @pytest.mark.parametrize(
        "body", [b"", b'{"a": ', b"\xff", b"[]", b"null", b'{"displayName": "\\ud800"}', b"[" * 100_000]
    )
    async def test_broken_bodies(self, service: Service, body: bytes) -> None:
        headers = {"Idempotency-Key": new_key(), "Content-Type": "application/json"}
        refusal(await service.api.post(PATH, content=body, headers=headers), 400, 20001)
        assert await keys(service) == []

    async def test_no_depth_of_a_body_is_our_failure(self, service: Service) -> None:
        url = f"{PATH}/{await make_configuration(service)}"
        statuses = set()
        for depth in range(500, 1_000, 7):
            body = b'{"nonsense": ' + b"[" * depth + b"]" * depth + b"}"
            headers = {"Idempotency-Key": new_key(), "Content-Type": "application/json"}
            statuses.add((await service.api.patch(url, content=body, headers=headers)).status_code)
        assert statuses == {202, 400}

    async def test_the_body_of_a_delete_means_nothing(self, service: Service) -> None:
        url, key = f"{PATH}/{await make_configuration(service)}", new_key()
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        first = await service.api.request("DELETE", url, content=b"{", headers=headers)
        same(first, await send(service, "DELETE", url, key=key))


class TestAtOnce:
    async def test_there_is_one_operation(self, service: Service) -> None:
        key, body = new_key(), configuration_body()
        first, *others = await asyncio.gather(*(send(service, "POST", PATH, body, key=key) for _ in range(8)))
        for other in others:
            same(first, other)
        assert await operations(service) == 1
        assert len((await service.api.get(PATH)).json()["configurations"]) == 1

    async def test_of_different_bodies_one_is_accepted(self, service: Service) -> None:
        key = new_key()
        bodies = [configuration_body(description=text) for text in "abcd"]
        answers = await asyncio.gather(*(send(service, "POST", PATH, body, key=key) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]

    async def test_a_refusal_hands_the_key_to_the_request_that_waits(self, service: Service) -> None:
        """The first is refused only under the account's lock, which is held here until the second has come."""
        url, key = f"{PATH}/{await make_configuration(service)}", new_key()
        async with service.units.begin() as unit:
            await unit.driver.execute(
                "select 1 from accounts where account_id = $1 for update", service.account.account_id
            )
            refused = asyncio.create_task(
                send(service, "PATCH", url, {"conversationGroupingType": "GROUP_BY_PROFILE"}, key=key)
            )
            await _until_waiting(service, 1)
            accepted = asyncio.create_task(send(service, "PATCH", url, {"description": "x"}, key=key))
            await _until_waiting(service, 2)
        refusal(await refused, 400, 20001)
        same(await accepted, await send(service, "PATCH", url, {"description": "x"}, key=key))


async def _until_waiting(service: Service, count: int) -> None:
    """Until so many transactions of this database wait for a lock."""
    query = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while len(await service.fetch(query)) < count:  # noqa: ASYNC110 - only the database knows
        await asyncio.sleep(0.01)
