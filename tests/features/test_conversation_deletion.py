"""Deleting conversations: everything that belongs to one goes, and whoever is working on it survives."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from orchestrator.communications import store as communications
from orchestrator.conversations import deletion
from orchestrator.kernel.ids import CONVERSATION, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.participants import store as participants
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import BELONGINGS, PATH, agent, close, create, customer, keys_of, people, sms
from tests.support.delivery import deliver, deliverer, deliveries, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.memory import until_somebody_waits_for
from tests.support.receiver import receiver
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, OTHER_PHONE, US

NOWHERE = [{"url": "http://127.0.0.1:9/hook"}]


async def delete(service: Service, conversation: dict[str, Any], **headers: str) -> httpx.Response:
    return await service.api.delete(f"{PATH}/{conversation['id']}", headers=headers)


async def deleted(service: Service, conversation: dict[str, Any]) -> None:
    answer = await delete(service, conversation)
    assert answer.status_code == 202, answer.text


async def pair(service: Service, **settings: Any) -> dict[str, Any]:
    """A conversation of Kiran and us, to which traffic comes."""
    configuration_id = await make_configuration(service, **settings)
    return await create(service, customer(sms(KIRAN)), agent(sms(US)), configurationId=configuration_id)


async def belongings(service: Service, conversation: dict[str, Any]) -> dict[str, int]:
    """How many rows of each table belong to a conversation."""
    counted = " union all ".join(
        f"select '{table}' as name, count(*) as rows from {table} where account_id = $1 and conversation_id = $2"
        for table in BELONGINGS
    )
    rows = await service.fetch(counted, service.account.account_id, conversation["id"])
    return {row["name"]: row["rows"] for row in rows}


async def with_everything(service: Service) -> dict[str, Any]:
    """A conversation that has rows in every table that knows of conversations."""
    conversation = await pair(service, statusCallbacks=NOWHERE)
    await traffic.message(service, KIRAN, US)
    await traffic.message(service, US, KIRAN)
    send = {"from": {"channel": "SMS", "address": US}, "to": [{"channel": "SMS", "address": KIRAN}]}
    action = {"type": "SEND_MESSAGE", "payload": {**send, "content": {"text": "hello"}}}
    assert (await service.api.post(f"{PATH}/{conversation['id']}/Actions", json=action)).status_code == 202
    # What only particular settings and misfortunes leave behind.
    whose = (service.account.account_id, conversation["id"])
    for table, columns, values in (
        ("extraction_jobs", "sequence, state, status, created_at", "1, 'CLOSED', 'COMPLETED', $3"),
        ("waiting_keys", "configuration_id, key", "'', 'profile x'"),
        ("diagnostics", "id, code, level, details, occurred_at", "$2, 530001, 'WARNING', '{}', $3"),
        ("delivery_attempts", "delivery_id, number, started_at, duration_ms", "'x', 1, $3, 0"),
    ):
        await service.fetch(
            f"with now as (select $3::timestamptz) insert into {table} (account_id, conversation_id, {columns}) "
            f"values ($1, $2, {values})",
            *whose,
            service.clock.now(),
        )
    assert 0 not in (await belongings(service, conversation)).values(), "else this table would not be tested"
    return conversation


async def test_everything_that_belongs_to_it_is_gone_and_nothing_else(service: Service) -> None:
    conversation = await with_everything(service)
    other = await create(service, customer(sms(OTHER_PHONE)), agent(sms(US)), configuration={})
    others = await belongings(service, other)
    before = await traffic.row_counts(service)
    going = await belongings(service, conversation)
    await deleted(service, conversation)
    assert set((await belongings(service, conversation)).values()) == {0}
    assert await belongings(service, other) == others
    expected = {name: count - going.get(name, 0) for name, count in before.items()}
    expected |= {"conversations": before["conversations"] - 1, "operations": before["operations"] + 1}
    assert await traffic.row_counts(service) == expected, "receipts, profiles and the configuration stay"
    assert await traffic.conversations(service) == [other]


async def test_the_operation_names_it(service: Service) -> None:
    conversation = await pair(service)
    answer = await delete(service, conversation)
    assert answer.status_code == 202
    related = {"conversationId": conversation["id"]}
    assert answer.json() == {"statusUrl": answer.headers["Location"], "related": related}
    assert answer.headers["Location"].endswith(f"/v2/ControlPlane/Operations/{answer.headers['Operation-Id']}")
    assert int(answer.headers["Retry-After"]) > 0
    operation = await traffic.get(service, answer.headers["Location"])
    assert (operation["status"], operation["related"], operation["error"]) == ("COMPLETED", related, None)


async def test_afterwards_it_is_nowhere(service: Service) -> None:
    conversation = await with_everything(service)
    (said, _) = await traffic.communications(service, conversation)
    path = f"{PATH}/{conversation['id']}"
    await deleted(service, conversation)
    kiran = conversation["participants"][0]
    for below in (
        "",
        "/Participants",
        f"/Participants/{kiran['id']}",
        "/Communications",
        f"/Communications/{said['id']}",
    ):
        refusal(await service.api.get(path + below), 404, 20404)
    refusal(await service.api.get(f"/orchestrator/v1/Communications/{said['id']}/Trace"), 404, 20404)
    refusal(await delete(service, conversation), 404, 20404)
    refusal(await service.api.put(path, json={"status": "CLOSED"}), 404, 20404)
    refusal(await service.api.post(people(conversation), json={"addresses": []}), 404, 20404)
    assert await traffic.conversations(service, channelId=said["resourceId"]) == []


async def test_every_state_can_be_deleted(service: Service) -> None:
    conversation = await pair(service)
    await traffic.change(service, conversation, status="INACTIVE")
    await deleted(service, conversation)
    closed = await create(
        service, customer(sms(KIRAN)), agent(sms(US)), configurationId=conversation["configurationId"]
    )
    await close(service, closed)
    overdue = await create(
        service, customer(sms(KIRAN)), agent(sms(US)), configurationId=conversation["configurationId"]
    )
    service.clock.advance(minutes=61)
    await deleted(service, closed)
    await deleted(service, overdue)
    inline = await create(service, customer(sms(KIRAN)), agent(sms(US)), configuration={})
    await deleted(service, inline)
    assert await traffic.conversations(service) == []
    gone = await service.api.delete(f"/v2/ControlPlane/Configurations/{conversation['configurationId']}")
    assert gone.status_code == 202


async def test_its_keys_are_free(service: Service) -> None:
    conversation = await pair(service)
    await deleted(service, conversation)
    assert await keys_of(service, conversation) == set()
    configuration_id = conversation["configurationId"]
    again = await create(service, customer(sms(KIRAN)), agent(sms(US)), configurationId=configuration_id)
    assert len(await keys_of(service, again)) == 1


async def test_a_message_that_was_in_it_is_still_a_duplicate(service: Service) -> None:
    conversation = await pair(service)
    sid = await traffic.message(service, KIRAN, US)
    await deleted(service, conversation)
    await traffic.message(service, KIRAN, US, MessageSid=sid)
    assert await traffic.conversations(service) == []
    await traffic.message(service, KIRAN, US)
    assert (await traffic.only_conversation(service))["id"] != conversation["id"]


async def test_under_one_key_it_is_one_operation(service: Service) -> None:
    conversation, other = await pair(service), await create(service, configuration={})
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = await delete(service, conversation, **key)
    again = await delete(service, conversation, **key)
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    assert again.headers["Operation-Id"] == first.headers["Operation-Id"]
    refusal(await delete(service, conversation, **{"Idempotency-Key": str(uuid.uuid4())}), 404, 20404)
    assert (await delete(service, other, **key)).headers["Operation-Id"] != first.headers["Operation-Id"]
    error = refusal(await delete(service, conversation, **{"Idempotency-Key": "x"}), 400, 20001)
    assert error["params"]["field"] == "Idempotency-Key"


async def test_at_once_it_is_deleted_once(service: Service) -> None:
    conversation = await pair(service)
    answers = await asyncio.gather(*(delete(service, conversation) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [202] + [404] * 5


async def test_what_is_not_there_is_not_deleted(service: Service) -> None:
    conversation = await pair(service)
    before = await traffic.row_counts(service)
    for unknown in ("x", "%00", new_id(CONVERSATION), conversation["participants"][0]["id"]):
        refusal(await delete(service, {"id": unknown}), 404, 20404)
    assert await traffic.row_counts(service) == before
    async with service.client(await service.new_account()) as theirs:
        refusal(await theirs.delete(f"{PATH}/{conversation['id']}"), 404, 20404)
    assert await traffic.only_conversation(service) == conversation


class TestMeanwhile:
    """Others are working on it while it is deleted."""

    async def begin(self, service: Service, unit: Unit, conversation: dict[str, Any]) -> None:
        await deletion.delete(unit, service.account.account_id, conversation["id"])

    async def test_traffic_lands_in_a_new_one(self, service: Service) -> None:
        conversation = await pair(service)
        await traffic.message(service, KIRAN, US, "before")
        async with service.units.begin() as unit:
            await self.begin(service, unit, conversation)
            message = asyncio.create_task(traffic.message(service, KIRAN, US, "meanwhile"))
            await until_somebody_waits_for(unit)
        await message
        assert (await traffic.only_conversation(service))["id"] != conversation["id"]
        assert await traffic.texts(service) == [["meanwhile"]]

    async def test_one_like_it_can_be_created(self, service: Service) -> None:
        conversation = await pair(service)
        body = {"configurationId": conversation["configurationId"]}
        async with service.units.begin() as unit:
            await self.begin(service, unit, conversation)
            created = asyncio.create_task(create(service, customer(sms(KIRAN)), agent(sms(US)), **body))
            await until_somebody_waits_for(unit)
        assert len(await keys_of(service, await created)) == 1

    @pytest.mark.parametrize(
        ("method", "below", "body"),
        [
            ("POST", "/Participants", customer(sms(OTHER_PHONE))),
            ("PUT", "/Participants/{}", {"name": "Ann"}),
            ("PUT", "/Participants/{}", {"addresses": [sms(OTHER_PHONE)], "type": "CUSTOMER"}),
            ("PATCH", "", {"name": "Parcel"}),
            ("DELETE", "", None),
        ],
    )
    async def test_changes_find_nothing_and_leave_nothing(
        self, service: Service, method: str, below: str, body: Any
    ) -> None:
        conversation = await pair(service)
        path = f"{PATH}/{conversation['id']}{below}".format(conversation["participants"][0]["id"])
        async with service.units.begin() as unit:
            await self.begin(service, unit, conversation)
            changed = asyncio.create_task(service.api.request(method, path, json=body))
            await until_somebody_waits_for(unit)
        refusal(await changed, 404, 20404)
        assert set((await belongings(service, conversation)).values()) == {0}

    @pytest.mark.parametrize("listed", ["participants", "communications"])
    async def test_a_list_that_is_being_read_is_empty(
        self, service: Service, monkeypatch: pytest.MonkeyPatch, listed: str
    ) -> None:
        conversation = await pair(service)
        await traffic.message(service, KIRAN, US)
        store = {"participants": participants, "communications": communications}[listed]
        page_of_ids = store.page_of_ids

        async def page_of_ids_then_deleted(*args: Any) -> Any:
            ids = await page_of_ids(*args)
            await deleted(service, conversation)
            return ids

        monkeypatch.setattr(store, "page_of_ids", page_of_ids_then_deleted)
        answer = await service.api.get(f"{PATH}/{conversation['id']}/{listed.title()}")
        assert (answer.status_code, answer.json()[listed]) == (200, [])

    async def test_a_deliverer_survives(self, service: Service) -> None:
        await forget_deliveries(service)
        async with receiver() as hooks, deliverer(service) as running:
            conversation = await pair(service, statusCallbacks=[hooks.callback()])
            hooks.open.clear()
            delivering = asyncio.create_task(running.run_once())
            await hooks.until(1)
            await deleted(service, conversation)
            hooks.open.set()
            assert await delivering == 3  # all three events were claimed together
            assert await deliveries(service) == []
            another = await create(service, configuration={"statusCallbacks": [hooks.callback()]})
            await deliver(service)
            assert [one.conversation_id for one in hooks.received[3:]] == [another["id"]]

    async def test_a_deliverer_that_is_settling_survives(self, service: Service) -> None:
        await forget_deliveries(service)
        async with receiver() as hooks, deliverer(service) as running:
            conversation = await pair(service, statusCallbacks=[hooks.callback("/one"), hooks.callback("/other")])
            hooks.open.clear()
            delivering = asyncio.create_task(running.run_once())
            await hooks.until(2)
            async with service.units.begin() as unit:
                await self.begin(service, unit, conversation)
                hooks.open.set()
                await until_somebody_waits_for(unit)
            assert await delivering == 2 * 3
            assert await deliveries(service) == []
