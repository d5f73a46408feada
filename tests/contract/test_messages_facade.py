"""`client.messages` of the official SDKs: what is sent is captured as if a webhook had told of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from orchestrator.accounts.service import Account
from orchestrator.kernel.ids import new_sid
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.messages import forget_messages, perform
from tests.support.node import Node, NodeClient, NodeError
from tests.support.server import sdk_client
from tests.support.traffic import KIRAN, OTHER_PHONE, US

TEXT = "your parcel has left"


@pytest.fixture(autouse=True)
async def nothing_left(service: Service) -> None:
    await forget_messages(service)


def send(client: Client, to: str = KIRAN, body: str = TEXT, **more: Any) -> Any:
    return client.messages.create(to=to, from_=US, body=body, **more)


async def test_a_message_is_sent_and_captured_with_its_trace(service: Service, client: Client) -> None:
    configuration_id = await make_configuration(service)
    created = send(client)
    assert (created.status, created.direction, created.api_version) == ("queued", "outbound-api", "2010-04-01")
    assert (created.to, created.from_, created.body) == (KIRAN, US, TEXT)
    assert (created.num_segments, created.num_media, created.price, created.error_code) == ("1", "0", None, None)
    assert created.account_sid == service.account.account_id
    assert created.date_sent is None
    assert await perform(service) == 2
    sent = client.messages(created.sid).fetch()
    assert (sent.status, sent.sid) == ("delivered", created.sid)
    assert sent.date_sent >= sent.date_created == created.date_created
    conversation = await traffic.only_conversation(service)
    (communication,) = await traffic.communications(service, conversation)
    assert (communication["resourceId"], communication["channelId"]) == (created.sid, created.sid)
    assert communication["content"] == {"type": "TEXT", "text": TEXT}
    assert communication["author"]["address"] == US
    assert communication["recipients"][0]["deliveryStatus"] == "DELIVERED"
    assert traffic.roles(conversation) == {US: "AGENT", KIRAN: "CUSTOMER"}
    trace = await traffic.only_trace(service)
    assert (trace["outcome"], trace["configurationId"]) == ("NEW", configuration_id)
    assert trace["rule"] == {"channel": "SMS", "position": 0, "from": US, "to": "*"}


async def test_it_joins_the_conversation_that_the_customer_began(service: Service, client: Client) -> None:
    await make_configuration(service)
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}", "where is it?")
    client.messages.create(to=f"whatsapp:{KIRAN}", from_=f"whatsapp:{US}", body=TEXT)
    await perform(service)
    assert await traffic.texts(service) == [["where is it?", TEXT]]


async def test_lists_are_read_to_their_end_by_pages(client: Client) -> None:
    sids = [send(client, to, f"part {number}").sid for number, to in enumerate((KIRAN, OTHER_PHONE, KIRAN))]
    assert [one.sid for one in client.messages.list(page_size=1)] == sids[::-1]
    assert [one.sid for one in client.messages.list(to=OTHER_PHONE)] == [sids[1]]
    assert [one.sid for one in client.messages.list(to=KIRAN, from_=US, page_size=1)] == [sids[2], sids[0]]
    assert client.messages.list(from_=KIRAN) == []
    first = client.messages.page(page_size=2)
    second = first.next_page()
    assert [one.sid for one in second] == sids[:1]
    assert second.next_page() is None
    assert [one.sid for one in second.previous_page()] == sids[:0:-1]


async def test_what_was_sent_is_found_by_its_date_redacted_and_deleted(service: Service, client: Client) -> None:
    parts = [send(client, body=f"part {number}").sid for number in range(3)]
    await perform(service)
    sent: datetime = client.messages(parts[0]).fetch().date_sent
    tomorrow = sent + timedelta(days=1)
    assert [one.sid for one in client.messages.list(date_sent_after=sent, page_size=1)] == parts[::-1]
    assert client.messages.list(date_sent_after=tomorrow) == client.messages.list(date_sent=tomorrow) == []
    assert len(client.messages.list(date_sent=sent, date_sent_before=tomorrow.replace(tzinfo=None))) == 3
    assert client.messages(parts[0]).update(body="").body == ""
    with pytest.raises(TwilioRestException) as late:
        client.messages(parts[0]).update(status="canceled")
    assert (late.value.status, late.value.code) == (400, 30409)
    assert client.messages(parts[0]).delete()
    assert [one.sid for one in client.messages.list()] == parts[:0:-1]


def test_refusals_have_the_codes_that_clients_know(client: Client, account: Account, origin: str) -> None:
    with pytest.raises(TwilioRestException) as refused:
        send(client, to="+1")
    assert (refused.value.status, refused.value.code) == (400, 21211)
    with pytest.raises(TwilioRestException) as missing:
        client.messages(new_sid("SM")).fetch()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    with sdk_client(origin, account.account_id, "wrong") as stranger, pytest.raises(TwilioRestException) as unknown:
        send(stranger)
    assert (unknown.value.status, unknown.value.code) == (401, 20003)
    other = new_sid("AC")
    with (
        sdk_client(origin, account.account_id, account.auth_token, other) as elsewhere,
        pytest.raises(TwilioRestException) as not_theirs,
    ):
        send(elsewhere)
    assert (not_theirs.value.status, not_theirs.value.code) == (404, 20404)
    assert client.messages.list() == []


async def test_the_node_sdk_sends_too(service: Service, node: Node, origin: str, account: Account) -> None:
    v2010 = NodeClient(node, origin, account, api=("api", "v2010"))
    created = v2010("account", "messages", "create", [{"to": KIRAN, "from": US, "body": TEXT}])
    assert (created["status"], created["body"]) == ("queued", TEXT)
    (listed,) = v2010("account", "messages", "list", [{"to": KIRAN}])
    assert listed == created
    assert created["dateCreated"].endswith(".000Z")  # the SDK has read the time
    with pytest.raises(NodeError) as refused:
        v2010("account", "messages", "create", [{"to": KIRAN, "from": US}])
    assert (refused.value.status, refused.value.code) == (400, 21602)
    sid = [created["sid"]]
    with pytest.raises(NodeError) as early:
        v2010("account", "messages", sid, "remove", [])
    assert (early.value.status, early.value.code) == (409, 20009)
    await perform(service)
    assert v2010("account", "messages", sid, "update", [{"body": ""}])["body"] == ""
    assert v2010("account", "messages", sid, "remove", []) is True
    assert v2010.answered == [204]
