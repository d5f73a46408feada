"""Header names on the wire: as Twilio spells them, for clients that look them up in a plain dict."""

import uuid
from typing import Any

import httpx
from requests import Session
from twilio.rest import Client
from twilio.rest.conversations.v2.configuration import ConfigurationList

from orchestrator.accounts.service import Account
from tests.support.factories import configuration_body

PATH = "/v2/ControlPlane/Configurations"


def test_the_sdk_finds_the_operation_under_its_own_spelling(client: Client) -> None:
    request = ConfigurationList.CreateConfigurationRequest(configuration_body())
    answer = client.conversations.v2.configurations.create_with_http_info(
        idempotency_key=str(uuid.uuid4()), create_configuration_request=request
    )
    headers = dict(answer.headers)
    operation_id = headers["Operation-Id"]
    assert headers["Location"] == answer.data.status_url
    assert headers["Location"].endswith(f"/v2/ControlPlane/Operations/{operation_id}")
    assert int(headers["Retry-After"]) >= 1
    assert headers["Twilio-Request-Id"].startswith("RQ")
    operation = client.conversations.v2.operations(operation_id).fetch_with_http_info()
    assert dict(operation.headers)["Operation-Id"] == operation_id


def test_the_sdk_repeats_under_its_key(client: Client) -> None:
    key, configurations = str(uuid.uuid4()), client.conversations.v2.configurations
    request = ConfigurationList.CreateConfigurationRequest(configuration_body())
    first, again = (
        configurations.create_with_http_info(idempotency_key=key, create_configuration_request=request)
        for _ in range(2)
    )
    assert dict(first.headers)["Operation-Id"] == dict(again.headers)["Operation-Id"]
    assert len(configurations.list()) == 1


def test_the_sdk_changes_single_fields(client: Client) -> None:
    configurations = client.conversations.v2.configurations
    made = configurations.create(
        create_configuration_request=ConfigurationList.CreateConfigurationRequest(configuration_body())
    )
    configuration_id = made.related["configurationId"]
    request = ConfigurationList.PatchConfigurationRequest({"description": "new"})
    key = str(uuid.uuid4())
    for _ in range(2):
        answer = configurations(configuration_id).patch_with_http_info(
            idempotency_key=key, patch_configuration_request=request
        )
        assert (answer.status_code, answer.data.related) == (202, {"configurationId": configuration_id})
    found = configurations(configuration_id).fetch()
    assert (found.description, found.display_name, found.version) == ("new", "Support", 2)


def test_answers_and_refusals(origin: str, account: Account) -> None:
    """With requests, which keeps names as they come."""
    with Session() as session:
        session.trust_env = False

        def spelled(
            method: str, path: str, *, auth: Any = (account.account_id, account.auth_token), **given: Any
        ) -> dict[str, str]:
            return dict(session.request(method, origin + path, auth=auth, **given).headers)

        bridged = configuration_body(conversationsV1Bridge={"serviceId": "IS" + "0a" * 16})
        made = spelled("POST", PATH, json=bridged)
        assert {"Operation-Id", "Retry-After", "Location", "Twilio-Request-Id"} <= set(made)
        conflict = spelled("POST", PATH, json=bridged)
        fetched = spelled("GET", f"{PATH}/{conflict['X-Conflicting-Resource-Id']}")
        assert fetched["ETag"] == '"1"'
        assert {"Operation-Id", "Retry-After"} <= set(spelled("GET", made["Location"].removeprefix(origin)))
        assert "WWW-Authenticate" in spelled("GET", PATH, auth=None)
        assert "Allow" in spelled("DELETE", PATH)
        store = spelled("POST", "/v1/ControlPlane/Stores", json={"displayName": "one", "description": "x"})
        assert {"Operation-Id", "Retry-After", "Location"} <= set(store)


def test_no_header_is_sent_twice(origin: str, account: Account) -> None:
    auth = (account.account_id, account.auth_token)
    answer = httpx.post(origin + PATH, json=configuration_body(), auth=auth, trust_env=False)
    names = [name.lower() for name, _ in answer.headers.raw]
    assert sorted(names) == sorted(set(names))
    assert answer.headers["Content-Type"] == "application/json"
