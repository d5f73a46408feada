"""Nobody is told of success before it is durable: a commit that fails is a 500, and nothing of it remains."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from structlog.testing import capture_logs

from orchestrator.kernel.ids import new_sid
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import configuration_body, make_configuration
from tests.support.traffic import KIRAN, US
from tests.support.webhooks import error

CONFIGURATIONS = "/v2/ControlPlane/Configurations"


@asynccontextmanager
async def failing_commits(service: Service, table: str) -> AsyncIterator[None]:
    """While the block runs, a transaction that writes the account's rows of a table fails when it commits."""
    async with service.units.begin() as unit:
        await unit.driver.execute(
            f"""
            create function refuse_commit() returns trigger language plpgsql as $$
            begin
              if new.account_id = '{service.account.account_id}' then raise exception 'no room on the disk'; end if;
              return null;
            end $$;
            create constraint trigger refuse_commit after insert or update on {table}
              deferrable initially deferred for each row execute function refuse_commit();
            """
        )
    try:
        with capture_logs() as logs:
            yield
        assert [one["event"] for one in logs if one["log_level"] == "error"] == ["request failed"]
    finally:
        async with service.units.begin() as unit:
            await unit.driver.execute(f"drop trigger refuse_commit on {table}; drop function refuse_commit()")


def assert_failed(response: httpx.Response) -> None:
    """The contract's error body, which tells nothing of the inside."""
    error(response, 500, 20500)
    assert "disk" not in response.text
    assert "refuse_commit" not in response.text


async def test_a_rest_write_that_cannot_commit_is_a_500_and_leaves_nothing(service: Service) -> None:
    body, before = configuration_body(), await traffic.row_counts(service)
    async with failing_commits(service, "configurations"):
        assert_failed(await service.api.post(CONFIGURATIONS, json=body))
    assert await traffic.row_counts(service) == before
    assert (await traffic.get(service, CONFIGURATIONS))["configurations"] == []
    assert (await service.api.post(CONFIGURATIONS, json=body)).status_code == 202
    assert len((await traffic.get(service, CONFIGURATIONS))["configurations"]) == 1


async def test_a_change_that_cannot_commit_is_a_500_and_changes_nothing(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    conversation, before = await traffic.only_conversation(service), await traffic.row_counts(service)
    path = f"/v2/Conversations/{conversation['id']}"
    async with failing_commits(service, "conversations"):
        assert_failed(await service.api.patch(path, json={"status": "CLOSED"}))
    assert await traffic.only_conversation(service) == conversation
    assert await traffic.row_counts(service) == before
    assert (await service.api.patch(path, json={"status": "CLOSED"})).json()["status"] == "CLOSED"


async def test_a_webhook_that_cannot_commit_is_a_500_and_lands_when_it_is_repeated(service: Service) -> None:
    await make_configuration(service)
    sid, before = new_sid("SM"), await traffic.row_counts(service)
    landed = traffic.landings("SMS", "new")
    async with failing_commits(service, "communications"):
        assert_failed(await service.receive_message(KIRAN, US, MessageSid=sid))
    assert await traffic.row_counts(service) == before
    assert traffic.landings("SMS", "new") == landed
    assert (await service.receive_message(KIRAN, US, MessageSid=sid)).status_code == 200
    ((said,),) = await traffic.everything_said(service)
    assert said["resourceId"] == sid
    assert await traffic.event_types(service) == [
        "CONVERSATION_CREATED",
        "PARTICIPANT_ADDED",
        "PARTICIPANT_ADDED",
        "COMMUNICATION_CREATED",
    ]


async def test_a_call_that_cannot_be_remembered_is_a_500_and_is_not_remembered(service: Service) -> None:
    await make_configuration(service)
    call = {"CallSid": new_sid("CA"), "From": KIRAN, "To": US, "Direction": "inbound"}
    async with failing_commits(service, "calls"):
        assert_failed(await service.post_webhook("/ingest/twilio/voice", call))
    answer = await service.receive_transcript(KIRAN, US, "hello", call_sid=call["CallSid"])
    assert answer.status_code == 200
    assert await traffic.texts(service) == [["hello"]]


async def test_a_delivery_report_that_cannot_commit_is_a_500_and_changes_nothing(service: Service) -> None:
    await make_configuration(service)
    sid = await traffic.message(service, US, KIRAN)
    said = await traffic.everything_said(service)
    report = {"MessageSid": sid, "MessageStatus": "delivered"}
    async with failing_commits(service, "communications"):
        assert_failed(await service.post_webhook("/ingest/twilio/message-status", report))
    assert await traffic.everything_said(service) == said
    assert (await service.post_webhook("/ingest/twilio/message-status", report)).status_code == 200
    ((delivered,),) = await traffic.everything_said(service)
    assert delivered["recipients"][0]["deliveryStatus"] == "DELIVERED"
