"""What only the official Node SDK can send or check: JSON null, Idempotency-Key on DELETE, its own validator."""

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from twilio.rest import Client

from orchestrator.accounts.service import Account
from orchestrator.kernel.callback_signing import Envelope, Signer, shared_key
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.signing import signed_url
from tests.support.factories import OUR_NUMBER, configuration_body
from tests.support.node import Node, NodeClient, NodeError
from tests.support.receiver import receiver
from tests.support.sdk import Resources, conversation_body
from tests.support.server import post_webhook
from tests.support.traffic import KIRAN

UNKNOWN = "conv_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b"
CALLBACKS = [{"url": "https://hooks.example.com/a", "method": "POST"}]


@pytest.fixture
def resources(client: Client) -> Resources:
    return Resources(client)


def create_configuration(v2: NodeClient, **changes: Any) -> str:
    answer = v2("configurations", "create", [configuration_body(**changes)])
    configuration_id: str = answer["related"]["configurationId"]
    return configuration_id


def test_null_removes_a_channel_and_what_is_optional(v2: NodeClient) -> None:
    configuration_id = create_configuration(v2, statusCallbacks=CALLBACKS, memoryExtractionEnabled=True)
    configuration = ["configurations", [configuration_id]]
    changes = {"channelSettings": {"SMS": None}, "statusCallbacks": None, "displayName": None}
    v2(*configuration, "patch", [changes])
    found = v2(*configuration, "fetch", [])
    assert set(found["channelSettings"]) == {"VOICE", "WHATSAPP"}
    assert (found["statusCallbacks"], found["displayName"], found["version"]) == ([], "Support", 2)
    assert found["memoryExtractionEnabled"] is True


def test_null_removes_an_entry_of_the_metadata_and_the_name(v2: NodeClient, resources: Resources) -> None:
    body = conversation_body(resources.configurations[0], name="Parcel", metadata={"order": "4711", "shop": "north"})
    created = v2("conversations", "create", [body])
    conversation = ["conversations", [created["id"]]]
    patched = v2(*conversation, "patch", [{"name": None, "metadata": {"order": None, "vip": "yes"}}])
    assert (patched["name"], patched["metadata"]) == (None, {"shop": "north", "vip": "yes"})
    assert v2(*conversation, "fetch", [])["metadata"] == {"shop": "north", "vip": "yes"}


def test_null_gives_a_conversation_the_callbacks_of_its_configuration_again(v2: NodeClient) -> None:
    configuration_id = create_configuration(v2, statusCallbacks=CALLBACKS)
    created = v2("conversations", "create", [conversation_body(configuration_id)])
    conversation = ["conversations", [created["id"]]]
    silent = v2(*conversation, "patch", [{"configuration": {"statusCallbacks": []}}])
    assert silent["configuration"]["statusCallbacks"] == []
    again = v2(*conversation, "patch", [{"configuration": {"statusCallbacks": None}}])
    assert again["configuration"]["statusCallbacks"] == CALLBACKS


@pytest.mark.parametrize("resource", ["configurations", "conversations"])
def test_a_key_makes_a_deletion_happen_once(v2: NodeClient, resources: Resources, resource: str) -> None:
    deleted = {"configurations": resources.configurations[1], "conversations": resources.conversation_id}[resource]
    key = {"idempotencyKey": str(uuid.uuid4())}
    first, second = (v2(resource, [deleted], "removeWithHttpInfo", [key]) for _ in range(2))
    assert (first["statusCode"], second["statusCode"]) == (202, 202)
    assert first["headers"]["operation-id"] == second["headers"]["operation-id"]
    assert first["body"]["statusUrl"] == second["body"]["statusUrl"]
    assert first["body"]["related"] == second["body"]["related"]
    with pytest.raises(NodeError) as gone:
        v2(resource, [deleted], "remove", [{"idempotencyKey": str(uuid.uuid4())}])
    assert gone.value.status == 404


def test_a_key_makes_a_configuration_once(v2: NodeClient) -> None:
    body, key = configuration_body(), {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (v2("configurations", "createWithHttpInfo", [body, key]) for _ in range(2))
    assert first["headers"]["operation-id"] == second["headers"]["operation-id"]
    assert first["body"]["related"] == second["body"]["related"]
    assert len(v2("configurations", "list", [])) == 1
    with pytest.raises(NodeError) as other:
        v2("configurations", "create", [{**body, "description": "Another"}, key])
    assert other.value.status == 409


def test_lists_follow_their_pages(v2: NodeClient, resources: Resources) -> None:
    newest, oldest = resources.conversations[::-1]
    page = ["conversations", "page", [{"pageSize": 1, "status": ["ACTIVE", "CLOSED"]}]]
    assert [one["id"] for one in v2(*page)["instances"]] == [newest]
    following = [*page, "nextPage", []]
    assert [one["id"] for one in v2(*following)["instances"]] == [oldest]
    assert v2(*following, "nextPage", []) is None
    assert [one["id"] for one in v2("conversations", "list", [{"limit": 1}])] == [newest]
    assert v2("conversations", "list", [{"status": ["INACTIVE"]}]) == []


def test_errors_are_rest_exceptions(v2: NodeClient, resources: Resources) -> None:
    with pytest.raises(NodeError, match=UNKNOWN) as unknown:
        v2("configurations", [UNKNOWN], "fetch", [])
    error = unknown.value
    assert (error.kind, error.status, error.code) == ("RestException", 404, 20404)
    assert error.more_info == "https://www.twilio.com/docs/errors/20404"
    conversation_id = resources.conversation_id
    with pytest.raises(NodeError, match=conversation_id) as taken:
        v2("conversations", "create", [conversation_body(resources.configurations[0])])
    assert (taken.value.kind, taken.value.status, taken.value.code) == ("RestException", 409, 400)
    assert taken.value.details["conflictingResourceId"] == conversation_id
    with pytest.raises(NodeError) as wrong:
        v2("conversations", [conversation_id], "patch", [{"status": "OPEN"}])
    assert (wrong.value.status, wrong.value.code) == (400, 20001)
    assert [one["pointer"] for one in wrong.value.details["errors"]] == ["/status"]
    with pytest.raises(NodeError) as filtered:
        v2("conversations", "list", [{"status": ["OPEN"]}])
    assert (filtered.value.kind, filtered.value.status) == ("RestException", 400)


async def test_callbacks_pass_the_validator(account: Account, delivering: str, node: Node) -> None:
    v2, token = NodeClient(node, delivering, account), account.auth_token
    async with receiver() as hook:
        create_configuration(v2, statusCallbacks=[hook.callback("/post?tenant=1"), hook.callback("/get", "GET")])
        form = {"MessageSid": new_sid("SM"), "From": KIRAN, "To": OUR_NUMBER, "Body": "hello", "SmsStatus": "received"}
        await asyncio.to_thread(post_webhook, delivering, account, "/ingest/twilio/messages", form)
        await hook.until(8)
    assert {one.method for one in hook.received} == {"POST", "GET"}
    for one in hook.received:
        signature, body = one.headers["X-Twilio-Signature"], one.body.decode()
        validate: list[Any]
        changed: list[Any]
        if one.method == "POST":
            validate = ["validateRequestWithBody", [token, signature, one.url, body]]
            changed = ["validateRequestWithBody", [token, signature, one.url, body + " "]]
        else:
            validate = ["validateRequest", [token, signature, one.url, {}]]
            changed = ["validateRequest", [token, signature, one.url + "&more=1", {}]]
        assert node.package(*validate) is True
        assert node.package(*changed) is False


def test_its_validator_knows_only_the_first_algorithm(node: Node) -> None:
    url, envelope = signed_url("https://example.com/hook?a=1", b"{}"), Envelope("delivery-1", "c:1", datetime.now(UTC))
    for algorithm, secret, known in (("HMAC_SHA1", "t", True), ("HMAC_SHA256", shared_key("t").secret, False)):
        signer = Signer("t", ("the token before",), algorithm, standard_webhooks=True)  # type: ignore[arg-type]
        signature = signer.headers(url, b"{}", envelope)["X-Twilio-Signature"]
        assert node.package("validateRequestWithBody", [secret, signature, url, "{}"]) is known
